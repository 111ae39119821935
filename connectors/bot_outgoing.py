"""What lies ready for the long connection, and what became of it; the rows are `bot_streams`.

A part counts as shown when the platform has said that it took it, not before: what was cut off is
offered again, with the same name and everything so far, so that it is seen once. Refuses to send.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors import bot_stream_repository as rows
from connectors.bot_stream_tables import BotStream, BotStreamPart
from connectors.bot_streams import MOST, BotStreams, Frame, Line, frame_of
from store.session import Database

#: A welcome is taken within five seconds; so long it grows.
WELCOME = timedelta(seconds=3)
#: What a pressed card becomes is taken within five seconds.
CARD_WITHIN = timedelta(seconds=5)
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Ready:
    """An open stream as it is now."""

    stream_id: str
    line: Line
    conversation_id: str
    opened_at: datetime
    push: bool
    welcome: bool
    superseded: bool
    parts: Sequence[BotStreamPart]

    @property
    def part_ids(self) -> Sequence[int]:
        """The parts that are in this look."""
        return [one.id for one in self.parts]

    @property
    def fresh(self) -> bool:
        """Whether the platform does not have all of it."""
        return any(one.shown_at is None for one in self.parts)

    @property
    def card(self) -> str:
        """The card (JSON) that this is, instead of words."""
        return self.parts[0].card if self.push and self.parts else ""

    def is_late(self, now: datetime) -> bool:
        """Whether the platform would not take it any more: a press is answered at once or never."""
        return self.push and bool(self.line.request_id) and now - self.opened_at > CARD_WITHIN

    def may_end(self, now: datetime, settled: timedelta) -> bool:
        """Whether nothing stands against its end but that more may be said."""
        return bool(self.parts) and now - self.parts[-1].put_at >= settled

    def frame(self, now: datetime, *, over: bool) -> Frame:
        """What the platform is told; ``over``: nothing more will be said."""
        finish = over or self.push or self.superseded or now - self.opened_at >= MOST
        finish = finish or (self.welcome and now - self.opened_at >= WELCOME)
        return frame_of(
            self.stream_id,
            self.parts,
            finish=finish,
            fresh=self.fresh,
            superseded=self.superseded,
        )


class BotOutgoing:
    """The rows that the holder of the long connection sends."""

    def __init__(
        self, database: Database, streams: BotStreams, clock: Callable[[], datetime]
    ) -> None:
        self.streams = streams
        self._database = database
        self._clock = clock

    async def ready(self) -> Sequence[Ready]:
        """Every open stream, oldest first."""
        async with self._database.glance() as session:
            found = await rows.to_send(session, _AT_ONCE)
            if not found:
                return []
            parts = await rows.parts_of(session, [one.id for one in found])
            latest = await rows.latest_opening(session, {one.person for one in found})
        return [_ready(one, parts[one.id], latest.get(one.person)) for one in found]

    async def taken(self, stream_id: str, part_ids: Sequence[int], *, finish: bool) -> None:
        """The platform took a frame that held these parts; ``finish``: and the reply's end."""
        now = self._clock()
        async with self._database.transaction() as session:
            found = await rows.stream(session, stream_id, lock=True)
            await rows.mark_shown(session, part_ids, now)
            if found is not None:
                found.polled_at = now
                found.closed_at = now if finish else found.closed_at

    async def refused(self, ready: Ready, reason: str) -> None:
        """The platform takes nothing here; what lies here goes another way, a push none."""
        async with self._database.transaction() as session:
            found = await rows.stream(session, ready.stream_id, lock=True)
            if ready.push:
                await rows.refuse_parts(session, ready.stream_id, reason)
            if found is not None:
                found.closed_at = found.closed_at or self._clock()


def _ready(row: BotStream, parts: Sequence[BotStreamPart], latest: datetime | None) -> Ready:
    return Ready(
        stream_id=row.id,
        line=Line(row.request_id, row.chat),
        conversation_id=row.conversation_id,
        opened_at=row.opened_at,
        push=row.push,
        welcome=row.welcome,
        superseded=not row.push and latest is not None and latest > row.opened_at,
        parts=parts,
    )
