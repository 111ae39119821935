"""Every query about conversations and the people in them.

What runs for every message is written once, as a constant: building a statement anew costs more
than executing it.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BindParameter, and_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.tables import (
    MEDIA_KIND,
    Audience,
    Conversation,
    Feedback,
    Message,
    Owner,
    Rating,
    Role,
    Sender,
    Staff,
    StaffSession,
    Turn,
    User,
)

#: How many messages are read at once.
PAGE = 500

_ID: BindParameter[str] = bindparam("conversation_id")
_AFTER: BindParameter[int] = bindparam("after")
_CONVERSATION = select(Conversation).where(Conversation.id == _ID)
_LOCKED = _CONVERSATION.with_for_update().execution_options(populate_existing=True)
_NEXT_USER_MESSAGE = (
    select(Message)
    .where(
        Message.conversation_id == _ID,
        Message.seq > _AFTER,
        Message.sender == Sender.USER.value,
        Message.kind != MEDIA_KIND,
    )
    .order_by(Message.seq)
    .limit(1)
)
_STAFF_MESSAGES = (
    select(Message)
    .where(Message.conversation_id == _ID, Message.seq > _AFTER)
    .order_by(Message.seq)
    .limit(bindparam("limit"))
)
_TURNS = select(Turn).where(Turn.conversation_id == _ID, Turn.seq > _AFTER).order_by(Turn.seq)
_STAFF_SESSION = (
    select(StaffSession, Staff)
    .join(Staff, Staff.id == StaffSession.staff_id)
    .where(
        StaffSession.token_hash == bindparam("token_hash"),
        StaffSession.expires_at > bindparam("now"),
        Staff.active.is_(True),
    )
)
_USER_MESSAGES = _STAFF_MESSAGES.where(Message.audience == Audience.ALL.value)


async def conversation(session: AsyncSession, conversation_id: str) -> Conversation | None:
    """One conversation, as it is."""
    found = await session.scalars(_CONVERSATION, {"conversation_id": conversation_id})
    return found.one_or_none()


async def lock_conversation(session: AsyncSession, conversation_id: str) -> Conversation | None:
    """One conversation, held until the transaction ends: nobody else can add to it meanwhile.

    On SQLite the write transaction itself is the lock.
    """
    found = await session.scalars(_LOCKED, {"conversation_id": conversation_id})
    return found.one_or_none()


async def pending_conversations(session: AsyncSession, *, limit: int = 500) -> Sequence[str]:
    """Conversations with a user message that the bot has not acted on, longest waiting first."""
    query = (
        select(Conversation.id)
        .where(Conversation.pending_seq.is_not(None))
        .order_by(Conversation.updated_at)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def next_user_message(
    session: AsyncSession, conversation_id: str, *, after: int
) -> Message | None:
    """The first user message after ``after``."""
    values = {"conversation_id": conversation_id, "after": after}
    return (await session.scalars(_NEXT_USER_MESSAGE, values)).one_or_none()


async def unanswered_by_bot(session: AsyncSession, conversation_id: str) -> int | None:
    """The place of the user's newest message in words, unless the bot has dealt with it."""
    query = (
        select(Message.seq, Turn.id)
        .outerjoin(
            Turn, and_(Turn.conversation_id == Message.conversation_id, Turn.seq == Message.seq)
        )
        .where(
            Message.conversation_id == conversation_id,
            Message.sender == Sender.USER.value,
            Message.kind != MEDIA_KIND,
        )
        .order_by(Message.seq.desc())
        .limit(1)
    )
    newest = (await session.execute(query)).one_or_none()
    return newest.seq if newest is not None and newest.id is None else None


async def messages_after(
    session: AsyncSession, conversation_id: str, *, after: int, staff: bool, limit: int = PAGE
) -> Sequence[Message]:
    """Messages with ``seq > after`` in order; staff also see notes and drafts."""
    query = _STAFF_MESSAGES if staff else _USER_MESSAGES
    values = {"conversation_id": conversation_id, "after": after, "limit": limit}
    return (await session.scalars(query, values)).all()


async def message_at(session: AsyncSession, conversation_id: str, seq: int) -> Message | None:
    """The message with this sequence number."""
    query = select(Message).where(Message.conversation_id == conversation_id, Message.seq == seq)
    return (await session.scalars(query)).one_or_none()


async def turns_of(
    session: AsyncSession, conversation_id: str, *, after: int = 0
) -> Sequence[Turn]:
    """What the bot did about messages with ``seq > after``, in order."""
    values = {"conversation_id": conversation_id, "after": after}
    return (await session.scalars(_TURNS, values)).all()


async def feedback_on(
    session: AsyncSession, conversation_id: str, message_seq: int
) -> Feedback | None:
    """The user's verdict on one answer."""
    query = select(Feedback).where(
        Feedback.conversation_id == conversation_id, Feedback.message_seq == message_seq
    )
    return (await session.scalars(query)).one_or_none()


async def rating_of(
    session: AsyncSession, conversation_id: str, ticket_number: str
) -> Rating | None:
    """The stars given to this ticket of the conversation."""
    query = select(Rating).where(
        Rating.conversation_id == conversation_id, Rating.ticket_number == ticket_number
    )
    return (await session.scalars(query)).one_or_none()


async def user_by_external(session: AsyncSession, channel: str, external_user: str) -> User | None:
    """The person whom a channel calls ``external_user``."""
    query = select(User).where(User.channel == channel, User.external_user == external_user)
    return (await session.scalars(query)).one_or_none()


async def open_conversation_of(
    session: AsyncSession, channel: str, user_id: str
) -> Conversation | None:
    """The person's newest conversation in a channel that has only one thread per person."""
    query = (
        select(Conversation)
        .where(Conversation.channel == channel, Conversation.user_id == user_id)
        .order_by(Conversation.id.desc())
        .limit(1)
    )
    return (await session.scalars(query)).one_or_none()


async def queued(session: AsyncSession) -> Sequence[Conversation]:
    """Conversations that wait for an engineer, longest waiting first."""
    query = (
        select(Conversation)
        .where(Conversation.owner == Owner.QUEUE.value)
        .order_by(Conversation.queued_at, Conversation.id)
    )
    return (await session.scalars(query)).all()


async def conversations_by_id(session: AsyncSession, ids: Sequence[str]) -> dict[str, Conversation]:
    """These conversations, by id."""
    if not ids:
        return {}
    query = select(Conversation).where(Conversation.id.in_(ids))
    return {row.id: row for row in (await session.scalars(query)).all()}


async def unread_of(session: AsyncSession, staff_id: str) -> int:
    """Messages that an engineer has not seen in the conversations where they speak."""
    query = select(func.sum(Conversation.last_seq - Conversation.staff_read_seq)).where(
        Conversation.staff_id == staff_id
    )
    return int((await session.execute(query)).scalar_one() or 0)


async def users_by_id(session: AsyncSession, ids: Sequence[str]) -> dict[str, User]:
    """These users, by id."""
    if not ids:
        return {}
    query = select(User).where(User.id.in_(ids))
    return {row.id: row for row in (await session.scalars(query)).all()}


async def staff_by_username(session: AsyncSession, username: str) -> Staff | None:
    """The account with this name."""
    return (await session.scalars(select(Staff).where(Staff.username == username))).one_or_none()


async def staff_by_id(session: AsyncSession, staff_id: str) -> Staff | None:
    """The account with this id."""
    return await session.get(Staff, staff_id)


async def staff_held(session: AsyncSession, staff_id: str) -> Staff | None:
    """The account with this id, held until the transaction ends."""
    query = select(Staff).where(Staff.id == staff_id).with_for_update()
    return (await session.scalars(query)).one_or_none()


async def active_admins(session: AsyncSession) -> Sequence[Staff]:
    """Administrators who may log in, held until the transaction ends, in one order."""
    query = (
        select(Staff)
        .where(Staff.role == Role.ADMIN.value, Staff.active.is_(True))
        .order_by(Staff.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(query)).all()


async def all_staff(session: AsyncSession) -> Sequence[Staff]:
    """Every account, by name."""
    return (await session.scalars(select(Staff).order_by(Staff.username))).all()


async def staff_session(
    session: AsyncSession, token_hash: str, *, now: datetime
) -> tuple[StaffSession, Staff] | None:
    """A session that has not ended, with its active account."""
    values = {"token_hash": token_hash, "now": now}
    row = (await session.execute(_STAFF_SESSION, values)).one_or_none()
    return (row[0], row[1]) if row else None


async def sessions_of(session: AsyncSession, staff_id: str) -> Sequence[StaffSession]:
    """Every session of an account."""
    query = select(StaffSession).where(StaffSession.staff_id == staff_id)
    return (await session.scalars(query)).all()


async def changed_conversations(
    session: AsyncSession, *, after_message_id: int, limit: int = 1_000
) -> Sequence[tuple[int, str, int]]:
    """Ids, conversations and places of what any process wrote after ``after_message_id``."""
    query = (
        select(Message.id, Message.conversation_id, Message.seq)
        .where(Message.id > after_message_id)
        .order_by(Message.id)
        .limit(limit)
    )
    return [(row.id, row.conversation_id, row.seq) for row in await session.execute(query)]


async def newest_message_id(session: AsyncSession) -> int:
    """The highest message id; 0 when there is none."""
    return (await session.scalar(select(func.max(Message.id)))) or 0


async def last_shown(session: AsyncSession, conversation_id: str) -> Message | None:
    """The newest message that the user was shown."""
    query = (
        select(Message)
        .where(
            Message.conversation_id == conversation_id,
            Message.sender != Sender.USER.value,
            Message.audience == Audience.ALL.value,
        )
        .order_by(Message.seq.desc())
        .limit(1)
    )
    return (await session.scalars(query)).one_or_none()


async def last_rating_request(session: AsyncSession, conversation_id: str) -> Message | None:
    """The newest request for stars, which names the ticket that they are for."""
    query = (
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.kind == "rating_request")
        .order_by(Message.seq.desc())
        .limit(1)
    )
    return (await session.scalars(query)).one_or_none()
