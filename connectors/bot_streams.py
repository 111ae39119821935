"""Replies that a platform comes to fetch instead of being sent: opened, filled, shown, closed.

The rows are shared by every process: one takes the question, another thinks, a third may be asked
for the words. Each reply is the whole text so far. Refuses to say that something was shown before
it was handed to the platform.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from connectors import bot_stream_repository as rows
from connectors.bot_stream_tables import BotStream, BotStreamPart
from store.base import new_id
from store.session import Database

#: Bytes of one reply (document 101031 says 20 480), and of the parts that longer words go in.
REPLY_BYTES, PART_BYTES = 20_480, 16_000
#: The platform asks for six minutes at most; the last answer must be in before.
MOST = timedelta(minutes=5, seconds=30)
#: A stream that is not asked about for so long will not be again.
SILENT = timedelta(seconds=60)
#: The address beside a question takes one message within an hour.
ADDRESS_LASTS = timedelta(minutes=58)
_KEPT, _LOOK_EVERY = timedelta(days=7), 500
_BETWEEN = "\n\n"
_PICTURES = 10


#: The platform takes nothing for a reply after this.
LONGEST = timedelta(minutes=6)


class Place(StrEnum):
    """Where a part of a delivery is."""

    SHOWN = "shown"
    WAITING = "waiting"
    NOWHERE = "nowhere"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Line:
    """What the long connection says beside a message: what to refer to, and where it was said."""

    request_id: str = ""
    chat: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """A reply: everything so far. ``fresh``: some of it was not handed over before."""

    stream_id: str
    text: str
    finish: bool
    fresh: bool = False
    superseded: bool = False
    pictures: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a delivery for a person."""

    person: str
    delivery_key: str
    number: int
    text: str
    pictures: Sequence[str] = ()
    answer_seq: int = 0
    #: A card (JSON) instead of words.
    card: str = ""


class BotStreams:
    """The streams of one bot. ``pushing``: over the long connection, replies are sent by us."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        settle_s: float = 1.0,
        *,
        pushing: bool = False,
    ) -> None:
        #: Something was laid out in this process: whoever sends it need not wait for a look.
        self.laid = asyncio.Event()
        self.pushing = pushing
        self.settled = timedelta(seconds=settle_s)
        self._database = database
        self._clock = clock
        self._count = 0

    async def open(
        self,
        person: str,
        conversation_id: str,
        message_id: str,
        response_url: str = "",
        *,
        line: Line | None = None,
    ) -> str:
        """The stream of a question; the same one when the question comes again."""
        opened = self._stream(person, conversation_id, message_id, line)
        opened.response_url = response_url
        return await self._open(opened)

    async def open_welcome(
        self, person: str, conversation_id: str, message_id: str, *, line: Line | None = None
    ) -> str:
        """As `open`, for somebody who came in: what is said at once is the whole reply."""
        opened = self._stream(person, conversation_id, message_id, line)
        opened.welcome = True
        return await self._open(opened)

    def _stream(
        self, person: str, conversation_id: str, message_id: str, line: Line | None
    ) -> BotStream:
        now, line = self._clock(), line or Line()
        return BotStream(
            id=new_id(),
            message_id=message_id,
            person=person,
            conversation_id=conversation_id,
            response_url="",
            welcome=False,
            request_id=line.request_id,
            chat=line.chat,
            push=False,
            opened_at=now,
            polled_at=now,
            closed_at=None,
        )

    async def _open(self, opened: BotStream) -> str:
        stream_id, message_id = opened.id, opened.message_id
        await self._forget_now_and_then(opened.opened_at)
        async with self._database.reading() as session:
            known = await rows.of_message(session, message_id)
        if known is not None:
            return known.id
        try:
            async with self._database.transaction() as session:
                session.add(opened)
        except IntegrityError:
            # The same question came twice in the same moment.
            async with self._database.reading() as session:
                known = await rows.of_message(session, message_id)
            if known is None:
                raise
            return known.id
        self.laid.set()
        return stream_id

    async def conversation_of(self, stream_id: str) -> str | None:
        """Whose stream it is; nothing for one that is not ours or is long over."""
        async with self._database.reading() as session:
            found = await rows.stream(session, stream_id)
        return found.conversation_id if found is not None else None

    async def poll(self, stream_id: str, *, busy: bool = False) -> Frame:
        """What the platform is told; from then on it counts as shown.

        ``busy``: more words may follow, so that a pause does not end the reply.
        """
        now = self._clock()
        async with self._database.transaction() as session:
            found = await rows.stream(session, stream_id, lock=True)
            if found is None:
                return Frame(stream_id, "", finish=True)
            parts = await rows.parts(session, stream_id)
            if found.closed_at is not None:
                # What was laid out too late is shown elsewhere.
                return frame_of(found.id, [one for one in parts if one.shown_at], finish=True)
            latest = await rows.newest(session, found.person)
            superseded = latest is not None and latest.id != stream_id
            finish = superseded or now - found.opened_at >= MOST
            finish = finish or (not busy and bool(parts) and now - parts[-1].put_at >= self.settled)
            fresh = any(one.shown_at is None for one in parts)
            for one in parts:
                one.shown_at = one.shown_at or now
            found.polled_at = now
            found.closed_at = now if finish else None
            return frame_of(found.id, parts, finish=finish, fresh=fresh, superseded=superseded)

    async def close(self, stream_id: str) -> None:
        """Nothing more is laid out here."""
        async with self._database.transaction() as session:
            found = await rows.stream(session, stream_id, lock=True)
            if found is not None:
                found.closed_at = found.closed_at or self._clock()

    async def put(self, part: Part) -> Place:
        """Lay a part out in the person's open stream; again and again until it was shown."""
        now = self._clock()
        async with self._database.transaction() as session:
            laid = await rows.part(session, part.delivery_key, part.number)
            if laid is not None and (place := await self._place(session, laid, now)):
                return place
            open_one = await rows.newest(session, part.person, lock=True)
            if open_one is None or not _is_heard(open_one, now):
                return Place.NOWHERE
            if laid is not None and laid.stream_id == open_one.id:
                return Place.WAITING
            if not await _fits(session, open_one.id, part):
                return Place.NOWHERE
            if laid is not None:
                laid.stream_id, laid.put_at, laid.refusal = open_one.id, now, ""
            else:
                session.add(_row(part, open_one.id, now))
        self.laid.set()
        return Place.WAITING

    async def _place(
        self, session: AsyncSession, laid: BotStreamPart, now: datetime
    ) -> Place | None:
        """Where a part stays that was laid out before; nothing when it may be moved."""
        if laid.shown_at is not None:
            return Place.SHOWN
        there = await rows.stream(session, laid.stream_id) if self.pushing else None
        # The holder may be sending it in this moment: elsewhere it would be seen twice.
        return Place.WAITING if there is not None and _is_sent_by_us(there, now) else None

    async def push(self, part: Part) -> Place:
        """Lay a part out for the holder to send by itself; nowhere when it is not known where to.

        Words that answer nothing: the question's reply is over.
        """
        now = self._clock()
        async with self._database.transaction() as session:
            laid = await rows.part(session, part.delivery_key, part.number)
            if laid is not None and (place := await self._place(session, laid, now)):
                return place
            if laid is not None and laid.refusal:
                return Place.REFUSED
            last = await rows.newest(session, part.person)
            # A name with this sign may stand for a member in a group: that is guessed for nobody.
            chat = last.chat if last is not None else ""
            chat = chat or (part.person if "@" not in part.person else "")
            if not chat:
                return Place.NOWHERE
            conversation_id = last.conversation_id if last is not None else ""
            line = Line(chat=chat)
            pushed = self._stream(part.person, conversation_id, f"push-{new_id()}", line)
            pushed.push = True
            session.add(pushed)
            await session.flush()
            if laid is None:
                session.add(_row(part, pushed.id, now))
            else:
                laid.stream_id, laid.put_at = pushed.id, now
                laid.text, laid.pictures = part.text, ""
        self.laid.set()
        return Place.WAITING

    async def replace_card(self, part: Part, message_id: str, line: Line) -> None:
        """Lay out the card that a pressed one becomes; once for each press."""
        now = self._clock()
        async with self._database.transaction() as session:
            if await rows.of_message(session, message_id) is not None:
                return
            answered = self._stream(part.person, "", message_id, line)
            answered.push = True
            session.add(answered)
            await session.flush()
            session.add(_row(part, answered.id, now))
        self.laid.set()

    async def take_address(self, person: str) -> tuple[str, str]:
        """A stream and its address for one more message, taken out of use; empty without one."""
        async with self._database.transaction() as session:
            found = await rows.with_address(session, person, self._clock() - ADDRESS_LASTS)
            if found is None:
                return "", ""
            address, found.response_url = found.response_url, ""
            return found.id, address

    async def give_back(self, stream_id: str, address: str) -> None:
        """The address was not used."""
        async with self._database.transaction() as session:
            await rows.give_back(session, stream_id, address)

    async def mark_shown(self, part: Part, stream_id: str) -> None:
        """A part went out by the stream's address."""
        now = self._clock()
        async with self._database.transaction() as session:
            laid = await rows.part(session, part.delivery_key, part.number)
            if laid is None:
                laid = _row(part, stream_id, now)
                session.add(laid)
            laid.shown_at = laid.shown_at or now

    async def answer_in(self, stream_id: str) -> tuple[str, int]:
        """The conversation of a stream and its last answer's place; 0 when it has none."""
        async with self._database.reading() as session:
            found = await rows.stream(session, stream_id)
            parts = await rows.parts(session, stream_id)
        seqs = [one.answer_seq for one in parts if one.answer_seq and one.shown_at]
        return (found.person if found is not None else "", seqs[-1] if seqs else 0)

    async def _forget_now_and_then(self, now: datetime) -> None:
        self._count += 1
        if self._count % _LOOK_EVERY == 1:
            async with self._database.transaction() as session:
                await rows.forget_before(session, now - _KEPT)


def _is_heard(stream: BotStream, now: datetime) -> bool:
    """Whether the platform will still ask for what is laid out here, or be sent it."""
    open_still = stream.closed_at is None and now - stream.opened_at < MOST
    return open_still and (bool(stream.request_id) or now - stream.polled_at < SILENT)


def _is_sent_by_us(stream: BotStream, now: datetime) -> bool:
    if stream.closed_at is not None:
        return False
    return stream.push or (bool(stream.request_id) and now - stream.opened_at < LONGEST)


async def _fits(session: AsyncSession, stream_id: str, part: Part) -> bool:
    parts = await rows.parts(session, stream_id)
    text = _BETWEEN.join((*(one.text for one in parts), part.text))
    return len(text.encode()) <= REPLY_BYTES


def _row(part: Part, stream_id: str, now: datetime) -> BotStreamPart:
    return BotStreamPart(
        stream_id=stream_id,
        delivery_key=part.delivery_key,
        part=part.number,
        text=part.text,
        pictures=" ".join(part.pictures),
        answer_seq=part.answer_seq,
        put_at=now,
        shown_at=None,
        card=part.card,
    )


def frame_of(
    stream_id: str,
    parts: Sequence[BotStreamPart],
    *,
    finish: bool,
    fresh: bool = False,
    superseded: bool = False,
) -> Frame:
    """Everything that lies in a stream."""
    pictures = [sha for one in parts for sha in one.pictures.split()] if finish else []
    return Frame(
        stream_id,
        _BETWEEN.join(one.text for one in parts),
        finish,
        fresh,
        superseded,
        tuple(dict.fromkeys(pictures))[:_PICTURES],
    )
