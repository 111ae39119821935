"""How fast one channel may be sent to, with room kept back for what is urgent.

A robot takes 20 messages a minute: without the room a storm of small news would make the one
message wait that must not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.base import Held, PersonHeld
from connectors.pacing import Limit, Pace

#: Of every minute's sends, one in this many is kept for urgent notices.
_KEPT = 6
_MINUTE = timedelta(minutes=1)
#: No pace of any channel looks further back.
LONGEST_PACE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Past:
    """A send that was tried before, by this process or by another."""

    at: datetime
    recipient: str
    urgent: bool


class ChannelPace:
    """One channel's sends in a sliding minute. Kept in memory, once it was told the past."""

    def __init__(self, per_minute: int) -> None:
        self._all = Pace((Limit(per_minute, _MINUTE),))
        self._ordinary = Pace((Limit(max(1, per_minute - per_minute // _KEPT), _MINUTE),))

    def recall(self, past: Sequence[Past]) -> None:
        """Go on from these sends, oldest first."""
        self._all.recall(("channel", one.at) for one in past)
        self._ordinary.recall(("channel", one.at) for one in past if not one.urgent)

    def take(self, now: datetime, *, urgent: bool) -> None:
        """Count one send now. Raises :class:`~connectors.base.Held` until one may be sent."""
        try:
            if not urgent:
                self._ordinary.take("channel", now)
            self._all.take("channel", now)
        except PersonHeld as held:
            # The "person" is the channel: nobody can be sent to.
            raise Held("pace of the channel", held.wait_s) from None
