"""What users think of answers and of how a matter was dealt with; a later verdict replaces it.

The caller holds the conversation.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.dialogue.decision import RecordFeedback, RecordRating
from bot.tables import Conversation, Feedback, Rating


async def record_verdict(
    session: AsyncSession,
    conversation: Conversation,
    part: RecordFeedback | RecordRating,
    now: datetime,
) -> None:
    """Note one verdict; what it cannot be about is passed over."""
    match part:
        case RecordFeedback(seq=seq, helpful=helpful):
            await _feedback(session, conversation, seq, now, helpful=helpful)
        case RecordRating():
            await _rating(session, conversation, part, now)


async def _feedback(
    session: AsyncSession, conversation: Conversation, seq: int, now: datetime, *, helpful: bool
) -> None:
    message = await repository.message_at(session, conversation.id, seq)
    if message is None or message.kind != "answer":
        return
    known = await repository.feedback_on(session, conversation.id, seq)
    if known is not None:
        known.helpful, known.at = helpful, now
        return
    session.add(
        Feedback(
            conversation_id=conversation.id,
            message_seq=seq,
            answer_id=str(message.data.get("answer_id", "")),
            helpful=helpful,
            at=now,
        )
    )


async def _rating(
    session: AsyncSession, conversation: Conversation, given: RecordRating, now: datetime
) -> None:
    if not 1 <= given.stars <= 5:
        return
    requested = await repository.last_rating_request(session, conversation.id)
    number = str(requested.data.get("number", "")) if requested else ""
    known = await repository.rating_of(session, conversation.id, number)
    if known is not None:
        known.stars, known.comment, known.at = given.stars, given.comment, now
        return
    session.add(
        Rating(
            conversation_id=conversation.id,
            ticket_number=number,
            stars=given.stars,
            comment=given.comment,
            at=now,
        )
    )
