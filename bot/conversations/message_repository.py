"""What runs for every message: recording it, taking it up, and showing it to streams.

Statements are written once, as constants, and read columns instead of rows: building either anew
costs more than executing it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast

from sqlalchemy import BindParameter, CursorResult, Table, and_, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.tables import MEDIA_KIND, MESSAGE_WORDS, Audience, Conversation, Message, Sender, User
from handoff.repository import has_open_ticket

#: How many messages a stream reads at once.
PAGE = 500

_ID: BindParameter[str] = bindparam("conversation_id")
_AFTER: BindParameter[int] = bindparam("after")
_PENDING = (
    select(
        Conversation.id,
        Conversation.channel,
        Conversation.user_id,
        User.region,
        User.audience,
        Conversation.owner,
        Conversation.owner_version,
        Conversation.state,
        Message.seq,
        Message.text,
        Message.data,
        has_open_ticket(User.id.expression),
        Message.created_at,
    )
    .join(User, User.id == Conversation.user_id)
    .join(
        Message,
        and_(
            Message.conversation_id == Conversation.id,
            Message.seq > Conversation.handled_seq,
            Message.sender == Sender.USER.value,
            # What has no words was answered when it was recorded.
            Message.kind != MEDIA_KIND,
        ),
    )
    .where(Conversation.id == _ID, Conversation.pending_seq.is_not(None))
    .order_by(Message.seq)
    .limit(1)
)
_PLACE = (
    select(
        Conversation.channel,
        Conversation.owner,
        Conversation.last_seq,
        Conversation.handled_seq,
        Conversation.pending_seq,
    )
    .where(Conversation.id == _ID)
    .with_for_update()
)
#: The tables themselves: mapped classes would take the long way of bulk statements.
_MESSAGES = cast(Table, Message.__table__)
_CONVERSATIONS = cast(Table, Conversation.__table__)
_INSERT_MESSAGE = insert(_MESSAGES).returning(_MESSAGES.c.id)
_MOVE = (
    update(_CONVERSATIONS)
    .where(_CONVERSATIONS.c.id == bindparam("of"))
    .values(
        last_seq=bindparam("last"),
        pending_seq=bindparam("pending"),
        handled_seq=bindparam("handled"),
        updated_at=bindparam("now"),
    )
)
_RECEIVED = (
    update(_CONVERSATIONS)
    .where(
        _CONVERSATIONS.c.id == bindparam("of"),
        _CONVERSATIONS.c.user_received_seq < bindparam("received"),
        _CONVERSATIONS.c.last_seq >= bindparam("received"),
    )
    .values(user_received_seq=bindparam("received"))
)
_READ = (
    update(_CONVERSATIONS)
    .where(
        _CONVERSATIONS.c.id == bindparam("of"),
        _CONVERSATIONS.c.user_read_seq < bindparam("read"),
        _CONVERSATIONS.c.last_seq >= bindparam("read"),
    )
    .values(user_read_seq=bindparam("read"))
)
_SHOWN = (
    Conversation.owner,
    Conversation.pending_seq,
    Conversation.user_received_seq,
    Conversation.user_read_seq,
    Conversation.last_seq,
    Message.seq,
    Message.sender,
    Message.kind,
    Message.text,
    Message.data,
    Message.client_msg_id,
    Message.created_at,
)
_NEWS_FOR_STAFF = (
    select(*_SHOWN)
    .outerjoin(Message, and_(Message.conversation_id == Conversation.id, Message.seq > _AFTER))
    .where(Conversation.id == _ID)
    .order_by(Message.seq)
    .limit(PAGE)
)
_NEWS_FOR_USERS = (
    select(*_SHOWN)
    .outerjoin(
        Message,
        and_(
            Message.conversation_id == Conversation.id,
            Message.seq > _AFTER,
            Message.audience == Audience.ALL.value,
        ),
    )
    .where(Conversation.id == _ID)
    .order_by(Message.seq)
    .limit(PAGE)
)


@dataclass(frozen=True, slots=True)
class Pending:
    """A message to handle, and where and by whom it was said; columns instead of rows: it is read
    for every message.
    """

    conversation_id: str
    channel: str
    user_id: str
    region: str | None
    audience: str | None
    owner: str
    owner_version: int
    state: dict[str, Any]
    seq: int
    text: str
    data: dict[str, Any]
    has_open_ticket: bool
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """How far a conversation has come, and who has the word in it."""

    channel: str
    owner: str
    last_seq: int
    handled_seq: int
    pending_seq: int | None


class Shown(Protocol):
    """What a stream shows of a message."""

    @property
    def seq(self) -> int:
        """Its place."""
        ...

    @property
    def sender(self) -> str:
        """Who said it."""
        ...

    @property
    def kind(self) -> str:
        """What it is."""
        ...

    @property
    def text(self) -> str:
        """Its words."""
        ...

    @property
    def data(self) -> dict[str, Any]:
        """What cards are made of."""
        ...

    @property
    def client_msg_id(self) -> str | None:
        """The sender's own name for it."""
        ...

    @property
    def created_at(self) -> datetime:
        """When it was recorded."""
        ...


@dataclass(frozen=True, slots=True)
class News:
    """What a stream has to show: messages after the last one shown, and the state now."""

    owner: str
    thinking: bool
    messages: Sequence[Shown]
    #: How far the user's side has received and shown them.
    received: int = 0
    read: int = 0
    #: The highest ``seq`` of all, whoever may see it.
    last: int = 0


async def place_to_record(session: AsyncSession, conversation_id: str) -> Place | None:
    """Where the next message of a conversation goes, held until the transaction ends."""
    found = await session.execute(_PLACE, {"conversation_id": conversation_id})
    row = found.one_or_none()
    return Place(*row) if row is not None else None


async def write_user_message(
    session: AsyncSession, values: Mapping[str, Any], *, pending: int | None, handled: int
) -> None:
    """Add a user's message to the conversation whose place is held."""
    row_id = (await session.execute(_INSERT_MESSAGE, dict(values))).scalar_one()
    await MESSAGE_WORDS.add(session, row_id, values["text"])
    moved = {
        "of": values["conversation_id"],
        "last": values["seq"],
        "pending": pending,
        "handled": handled,
        "now": values["created_at"],
    }
    await session.execute(_MOVE, moved)


async def pending(session: AsyncSession, conversation_id: str) -> Pending | None:
    """A conversation and its next message to handle, if there is one."""
    found = await session.execute(_PENDING, {"conversation_id": conversation_id})
    row = found.one_or_none()
    return Pending(*row) if row is not None else None


async def news(
    session: AsyncSession, conversation_id: str, *, after: int, staff: bool
) -> News | None:
    """At most `PAGE` messages with ``seq > after``, in order; ``None`` without a conversation."""
    query = _NEWS_FOR_STAFF if staff else _NEWS_FOR_USERS
    found = await session.execute(query, {"conversation_id": conversation_id, "after": after})
    rows = found.all()
    if not rows:
        return None
    messages: list[Any] = [row for row in rows if row.seq is not None]
    now = rows[0]
    thinking = now.pending_seq is not None
    come = (now.user_received_seq, now.user_read_seq)
    return News(now.owner, thinking, messages, *come, last=now.last_seq)


async def acknowledge(
    session: AsyncSession, conversation_id: str, *, received: int, read: int
) -> bool:
    """Move on how far the user's side has come, never back and never beyond what was said.

    Returns whether anything moved.
    """
    values = {"of": conversation_id, "received": max(received, read), "read": read}
    moved = [
        await session.execute(_RECEIVED, values),
        await session.execute(_READ, values),
    ]
    return any(cast(CursorResult[Any], one).rowcount for one in moved)
