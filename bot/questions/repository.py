"""Every query about questions that led to answers, and about declined proposals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.gaps.tables import GapQuestionRow
from bot.questions.tables import DeclinedQuestionRow, LedQuestionRow
from bot.tables import Conversation, Feedback, Message, Sender

#: The newest questions of an answer that are looked at for proposals.
NEWEST = 400


@dataclass(frozen=True, slots=True)
class Led:
    """A question that led to an answer, who asked, and whether that answer was rated useful."""

    text: str
    how: str
    user_id: str
    useful: bool
    asked_at: datetime


async def question(session: AsyncSession, conversation_id: str, seq: int) -> Message | None:
    """The user's message there, if it is one."""
    query = select(Message).where(
        Message.conversation_id == conversation_id,
        Message.seq == seq,
        Message.sender == Sender.USER.value,
    )
    return (await session.scalars(query)).one_or_none()


async def answers_after(session: AsyncSession, conversation_id: str, seq: int) -> Sequence[str]:
    """Ids of the answers that the bot gave to the message there, before the user spoke again."""
    next_of_user = (
        select(func.min(Message.seq))
        .where(
            Message.conversation_id == conversation_id,
            Message.seq > seq,
            Message.sender == Sender.USER.value,
        )
        .scalar_subquery()
    )
    query = (
        select(Message.data)
        .where(
            Message.conversation_id == conversation_id,
            Message.seq > seq,
            Message.seq < func.coalesce(next_of_user, 2_000_000_000),
            Message.sender == Sender.BOT.value,
            Message.kind == "answer",
        )
        .order_by(Message.seq)
    )
    return [str(data.get("answer_id", "")) for data in await session.scalars(query)]


async def known(session: AsyncSession, conversation_id: str, seq: int) -> LedQuestionRow | None:
    """What was noted for this message."""
    query = select(LedQuestionRow).where(
        LedQuestionRow.conversation_id == conversation_id, LedQuestionRow.seq == seq
    )
    return (await session.scalars(query)).one_or_none()


async def led_to(session: AsyncSession, answer_id: str) -> Sequence[Led]:
    """Questions that led to an answer and were not corrected afterwards, newest first.

    Corrected: the user called the answer useless, said that it did not help, or asked for a
    person because of it.
    """
    verdict = (
        select(Feedback.helpful)
        .where(
            Feedback.conversation_id == LedQuestionRow.conversation_id,
            Feedback.answer_id == LedQuestionRow.answer_id,
            Feedback.message_seq > LedQuestionRow.seq,
        )
        .order_by(Feedback.message_seq)
        .limit(1)
        .scalar_subquery()
    )
    corrected = exists().where(
        GapQuestionRow.conversation_id == LedQuestionRow.conversation_id,
        GapQuestionRow.seq == LedQuestionRow.seq,
    )
    query = (
        select(LedQuestionRow, Conversation.user_id, verdict)
        .join(Conversation, Conversation.id == LedQuestionRow.conversation_id)
        .where(LedQuestionRow.answer_id == answer_id, ~corrected)
        .order_by(LedQuestionRow.asked_at.desc(), LedQuestionRow.id.desc())
        .limit(NEWEST)
    )
    return [
        Led(row.text, row.how, user_id, bool(useful), row.asked_at)
        for row, user_id, useful in await session.execute(query)
        if useful is not False
    ]


async def declined(session: AsyncSession, article_id: str) -> set[str]:
    """Forms that editors do not want for this answer."""
    query = select(DeclinedQuestionRow.form).where(DeclinedQuestionRow.article_id == article_id)
    return set(await session.scalars(query))
