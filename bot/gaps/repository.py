"""Every query about gaps, and about the turns and replies that they are made from."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import distinct, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.gaps.tables import GapMarkRow, GapQuestionRow, GapReason, GapRow, GapStatus
from bot.tables import Conversation, Feedback, Message, Sender, Turn, User
from handoff.tables import Ticket
from kb.tables import ArticleRow

#: What looks through turns, each with a mark of its own.
GAPS, LED, UNCHOSEN = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Counted:
    """A gap with its figures."""

    gap: GapRow
    article_status: str
    size: int
    units: int
    recent: int
    before: int


async def mark(session: AsyncSession, reader: int = GAPS) -> GapMarkRow:
    """How far turns have been looked through, held until the transaction ends."""
    found = await session.get(GapMarkRow, reader, with_for_update=True)
    if found is None:
        found = GapMarkRow(id=reader, last_turn_id=0)
        session.add(found)
        await session.flush()
    return found


async def turns_after(
    session: AsyncSession, turn_id: int, *, limit: int
) -> Sequence[tuple[Turn, User]]:
    """Turns in order with the person who asked."""
    query = (
        select(Turn, User)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .join(User, User.id == Conversation.user_id)
        .where(Turn.id > turn_id)
        .order_by(Turn.id)
        .limit(limit)
    )
    return [(turn, user) for turn, user in await session.execute(query)]


async def turns_until(
    session: AsyncSession, conversation_id: str, seq: int, *, limit: int = 12
) -> Sequence[Turn]:
    """The last turns of a conversation up to ``seq``, newest first."""
    query = (
        select(Turn)
        .where(Turn.conversation_id == conversation_id, Turn.seq <= seq)
        .order_by(Turn.seq.desc())
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def turns_of(
    session: AsyncSession, conversation_ids: Collection[str], *, after: int
) -> Sequence[Turn]:
    """Turns of these conversations after a turn, in order."""
    query = (
        select(Turn)
        .where(Turn.conversation_id.in_(conversation_ids), Turn.id > after)
        .order_by(Turn.id)
    )
    return (await session.scalars(query)).all()


async def verdicts_of(
    session: AsyncSession, conversation_ids: Collection[str]
) -> Sequence[Feedback]:
    """Ratings of answers in these conversations."""
    query = select(Feedback).where(Feedback.conversation_id.in_(conversation_ids))
    return (await session.scalars(query)).all()


async def message_text(session: AsyncSession, conversation_id: str, seq: int) -> str:
    """What was said there; empty when it is gone."""
    query = select(Message.text).where(
        Message.conversation_id == conversation_id, Message.seq == seq
    )
    return (await session.scalar(query)) or ""


async def question_at(
    session: AsyncSession, conversation_id: str, seq: int
) -> GapQuestionRow | None:
    """The question that was noted for this message, if any."""
    query = select(GapQuestionRow).where(
        GapQuestionRow.conversation_id == conversation_id, GapQuestionRow.seq == seq
    )
    return (await session.scalars(query)).one_or_none()


async def ungrouped(session: AsyncSession, *, limit: int) -> Sequence[GapQuestionRow]:
    """Questions that belong to no gap yet, oldest first."""
    query = (
        select(GapQuestionRow)
        .where(GapQuestionRow.gap_id.is_(None))
        .order_by(GapQuestionRow.asked_at, GapQuestionRow.id)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def latest_gaps(session: AsyncSession, *, limit: int) -> Sequence[GapRow]:
    """Gaps of any status, the latest asked first: what was dismissed takes in more of its kind."""
    query = select(GapRow).order_by(GapRow.last_asked_at.desc()).limit(limit)
    return (await session.scalars(query)).all()


async def gap(session: AsyncSession, gap_id: str, *, lock: bool = False) -> GapRow | None:
    """One gap."""
    query = select(GapRow).where(GapRow.id == gap_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(query)).one_or_none()


async def questions_of(
    session: AsyncSession, gap_id: str, *, limit: int = 200
) -> Sequence[GapQuestionRow]:
    """Questions of a gap, the newest first."""
    query = (
        select(GapQuestionRow)
        .where(GapQuestionRow.gap_id == gap_id)
        .order_by(GapQuestionRow.asked_at.desc(), GapQuestionRow.id)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def counted(
    session: AsyncSession,
    *,
    statuses: Sequence[GapStatus],
    recent_from: datetime,
    before_from: datetime,
    least: int,
    limit: int = 200,
) -> Sequence[Counted]:
    """Gaps with size, units, and questions of two periods; the largest first."""
    size = func.count(GapQuestionRow.id)
    recent = func.count().filter(GapQuestionRow.asked_at >= recent_from)
    before = func.count().filter(
        GapQuestionRow.asked_at >= before_from, GapQuestionRow.asked_at < recent_from
    )
    units = func.count(distinct(func.nullif(GapQuestionRow.unit, "")))
    query = (
        select(GapRow, ArticleRow.status, size, units, recent, before)
        .join(GapQuestionRow, GapQuestionRow.gap_id == GapRow.id)
        .outerjoin(ArticleRow, ArticleRow.id == GapRow.article_id)
        .where(GapRow.status.in_([status.value for status in statuses]))
        .group_by(GapRow.id, ArticleRow.status)
        .having(size >= least)
        .order_by(recent.desc(), size.desc(), GapRow.last_asked_at.desc())
        .limit(limit)
    )
    return [Counted(row[0], row[1] or "", *row[2:]) for row in await session.execute(query)]


async def surges(
    session: AsyncSession, gap_ids: Sequence[str], *, since: datetime, units: int
) -> frozenset[str]:
    """Those gaps that so many different units have asked about since then."""
    query = (
        select(GapQuestionRow.gap_id)
        .where(
            GapQuestionRow.gap_id.in_(gap_ids),
            GapQuestionRow.asked_at >= since,
            GapQuestionRow.unit != "",
        )
        .group_by(GapQuestionRow.gap_id)
        .having(func.count(distinct(GapQuestionRow.unit)) >= units)
    )
    return frozenset(found for found in (await session.scalars(query)).all() if found)


async def tickets_of(session: AsyncSession, conversation_ids: Sequence[str]) -> Sequence[Ticket]:
    """Tickets of these conversations, the newest first."""
    query = (
        select(Ticket)
        .where(Ticket.conversation_id.in_(conversation_ids))
        .order_by(Ticket.opened_at.desc())
    )
    return (await session.scalars(query)).all()


async def engineers_words(
    session: AsyncSession, conversation_id: str, *, after: int, limit: int = 20
) -> Sequence[str]:
    """What engineers told the user after a message, in order."""
    query = (
        select(Message.text)
        .where(
            Message.conversation_id == conversation_id,
            Message.seq > after,
            Message.sender == Sender.ENGINEER.value,
            Message.kind == "text",
        )
        .order_by(Message.seq)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def put_into_gap(
    session: AsyncSession, question_id: str, gap_id: str, *, asked_at: datetime
) -> None:
    """Let a question belong to a gap, unless somebody has put it into one meanwhile."""
    await session.execute(
        update(GapQuestionRow)
        .where(GapQuestionRow.id == question_id, GapQuestionRow.gap_id.is_(None))
        .values(gap_id=gap_id)
    )
    await session.execute(
        update(GapRow)
        .where(GapRow.id == gap_id, GapRow.last_asked_at < asked_at)
        .values(last_asked_at=asked_at)
    )


async def reasons_of(session: AsyncSession, gap_id: str) -> dict[GapReason, int]:
    """How often for each reason."""
    query = (
        select(GapQuestionRow.reason, func.count())
        .where(GapQuestionRow.gap_id == gap_id)
        .group_by(GapQuestionRow.reason)
    )
    return {GapReason(reason): count for reason, count in await session.execute(query)}
