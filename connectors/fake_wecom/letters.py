"""What members do, as the XML that the platform posts for it.

Fields are from the vendor's documents 90239 and 90240.
"""

import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from xml.sax.saxutils import escape

#: Ids are larger than a number of JavaScript can hold, and none is used twice.
_FIRST_ID, _SPAN = 4_561_255_354_251_345_929, 10**17


def _first_id() -> int:
    return _FIRST_ID + secrets.randbelow(_SPAN)


def xml(**fields: str | int) -> str:
    """A flat XML document."""
    parts = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items())
    return f"<xml>{parts}</xml>"


@dataclass(slots=True)
class Letters:
    """Writes callbacks of one application."""

    corp_id: str
    agent_id: int
    clock: Callable[[], datetime]
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(_first_id()))

    def message(self, kind: str, member: str, **fields: str | int) -> str:
        """A message of this type with an id of its own."""
        head: dict[str, str | int] = {
            "ToUserName": self.corp_id,
            "FromUserName": member,
            "CreateTime": int(self.clock().timestamp()),
            "MsgType": kind,
            "MsgId": next(self.numbers),
            "AgentID": self.agent_id,
        }
        return xml(**(head | fields))

    def event(self, event: str, member: str, **fields: str | int) -> str:
        """An event; these have no id."""
        head: dict[str, str | int] = {
            "ToUserName": self.corp_id,
            "FromUserName": member,
            "CreateTime": int(self.clock().timestamp()),
            "MsgType": "event",
            "Event": event,
            "EventKey": "",
            "AgentID": self.agent_id,
        }
        return xml(**(head | fields))

    def envelope(self, encrypted: str) -> str:
        """What is posted around the encrypted document."""
        return xml(ToUserName=self.corp_id, AgentID=self.agent_id, Encrypt=encrypted)
