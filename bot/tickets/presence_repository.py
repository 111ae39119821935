"""Queries about conversations whose engineer may be gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.tables import Conversation, Message, Owner, Sender


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A conversation whose last word is the user's, and to whom it was said."""

    conversation_id: str
    ticket_id: str
    staff_id: str
    last_seq: int


async def unanswered(
    session: AsyncSession, before: datetime, *, limit: int = 100
) -> Sequence[Unanswered]:
    """Conversations in an engineer's hands where the user has waited since ``before``."""
    query = (
        select(
            Conversation.id, Conversation.ticket_id, Conversation.staff_id, Conversation.last_seq
        )
        .join(
            Message,
            and_(Message.conversation_id == Conversation.id, Message.seq == Conversation.last_seq),
        )
        .where(
            Conversation.owner == Owner.ENGINEER.value,
            Message.sender == Sender.USER.value,
            Message.created_at <= before,
        )
        .order_by(Message.created_at)
        .limit(limit)
    )
    return [
        Unanswered(conversation_id, ticket_id, staff_id, last_seq)
        for conversation_id, ticket_id, staff_id, last_seq in await session.execute(query)
        if ticket_id is not None and staff_id is not None
    ]
