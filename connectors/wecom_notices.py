"""Notices to members and departments of 政务微信/WeCom, by the application that is set up.

Uses that application's token and the pace that its answers to people keep, so that a member who
asks and is notified is sent no more than the platform takes. Plain text only, and no tags: the
client makes links of ``<a>``, which the title of a ticket could carry. A recipient is a userid, or
``party:`` with the number of a department. Fields and codes: documents 90236 and 90313.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from connectors.base import PermanentError
from connectors.notify_base import Misconfigured, Notice
from connectors.notify_pacing import ChannelPace, Past
from connectors.notify_text import shortened
from connectors.sends import Sends, counted
from connectors.wecom_api import (
    CardRefused,
    CredentialsRefused,
    FileRefused,
    MediaGone,
    NotSetUp,
    WecomApi,
)

#: Before the number of a department.
PARTY = "party:"
TEXT_BYTES = 2_048
#: Receivers that the platform took the message without, by field of its answer.
_LEFT_OUT = ("invaliduser", "invalidparty", "unlicenseduser")
_LEFT_OUT_CHARS = 100
#: The platform looks back at least these many seconds; with a slot, at most four hours.
_CHECK_FROM_S = 7_200


@dataclass(frozen=True, slots=True)
class Application:
    """The application as it is set up now, with what it has sent."""

    api: WecomApi
    sends: Sends
    agent_id: int
    duplicate_check: bool


class WecomNoticesConfig(BaseModel):
    """How much of the application's sends are for staff; everything else is the application's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    per_minute: int = Field(default=120, ge=1, le=2_000)


class WecomNotices:
    """Sends as the application; see :class:`connectors.notify_base.Notifier`."""

    def __init__(
        self,
        application: Callable[[], Application | None],
        config: WecomNoticesConfig,
        clock: Callable[[], datetime],
    ) -> None:
        self._application = application
        self._clock = clock
        self._pace = ChannelPace(config.per_minute)

    async def send(self, notice: Notice) -> str:
        """Hand one notice over; whom of a department it did not reach, if anybody."""
        if not notice.recipient:
            raise PermanentError("no member")
        application = self._application()
        if application is None:
            raise Misconfigured("the application is off")
        now = self._clock()
        self._pace.take(now, urgent=notice.urgent)
        key = f"notice:{notice.key}"
        async with counted(application.sends, notice.recipient, key, 1, self._clock) as slot:
            answer = await _post(application, _body(application, notice, slot))
        return _left_out(answer, notice.recipient)

    def recall(self, past: Sequence[Past]) -> None:
        self._pace.recall(past)

    async def close(self) -> None:
        """Nothing: connections are the application's."""


def _body(application: Application, notice: Notice, slot: int) -> Mapping[str, Any]:
    plain = replace(notice, title=_untagged(notice.title), text=_untagged(notice.text))
    party = notice.recipient.startswith(PARTY)
    body: dict[str, Any] = {
        "toparty" if party else "touser": notice.recipient.removeprefix(PARTY),
        "agentid": application.agent_id,
        "msgtype": "text",
        "text": {"content": shortened(plain, TEXT_BYTES)},
    }
    if application.duplicate_check:
        # Whole requests are compared: a retry is the same one again, while the same words of
        # another notice have another slot.
        span = _CHECK_FROM_S + slot
        body |= {"enable_duplicate_check": 1, "duplicate_check_interval": span}
    return body


def _untagged(text: str) -> str:
    return text.replace("<", "\N{FULLWIDTH LESS-THAN SIGN}")


async def _post(application: Application, body: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return await application.api.post("/cgi-bin/message/send", body)
    except (CredentialsRefused, NotSetUp) as refused:
        raise Misconfigured(str(refused)) from None
    except (CardRefused, FileRefused, MediaGone) as refused:
        raise PermanentError(f"texts are refused: {refused}") from None


def _left_out(answer: Mapping[str, Any], recipient: str) -> str:
    """Who was left out. Raises :class:`PermanentError` when that is the recipient itself."""
    found = []
    for field in _LEFT_OUT:
        names = [one for one in str(answer.get(field) or "").split("|") if one]
        # Names come back in lower case.
        if recipient.removeprefix(PARTY).lower() in (one.lower() for one in names):
            raise PermanentError(f"Unreachable: {field}")
        if names:
            found.append(f"{field}: {'|'.join(names)}")
    return "; ".join(found)[:_LEFT_OUT_CHARS]
