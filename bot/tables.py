"""Tables of conversations, the people in them, and staff accounts."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, BigInt
from store.text_index import TextIndex

#: A user's message that carries no words of its own; the bot does not think about it.
MEDIA_KIND = "media"


class Owner(StrEnum):
    """Who speaks to the user. Exactly one at any time."""

    BOT = "bot"
    QUEUE = "queue"
    ENGINEER = "engineer"


class Sender(StrEnum):
    """Whose words a message carries."""

    USER = "user"
    BOT = "bot"
    ENGINEER = "engineer"
    SYSTEM = "system"


class Audience(StrEnum):
    """Who may see a message: everybody in the conversation, or staff only."""

    ALL = "all"
    STAFF = "staff"


class Role(StrEnum):
    """What a member of staff may do."""

    ENGINEER = "engineer"
    SECOND_LINE = "second_line"
    OPERATIONS = "operations"
    EDITOR = "editor"
    REVIEWER = "reviewer"
    MANAGER = "manager"
    ADMIN = "admin"


class User(Base):
    """A budget-unit user as a channel introduced them."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("channel", "external_user"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    channel: Mapped[str] = mapped_column(String(40))
    external_user: Mapped[str] = mapped_column(String(200))
    verified: Mapped[bool] = mapped_column(default=False)
    name: Mapped[str | None] = mapped_column(String(80))
    unit: Mapped[str | None] = mapped_column(String(120))
    region: Mapped[str | None] = mapped_column(String(80))
    audience: Mapped[str | None] = mapped_column(String(200))
    phone: Mapped[str | None] = mapped_column(String(40))
    device: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime]


class Staff(Base):
    """A staff account. ``regions`` and ``modules`` limit its scope; empty means all."""

    __tablename__ = "staff"
    __table_args__ = (
        CheckConstraint(
            "role IN ('engineer', 'second_line', 'operations', 'editor', 'reviewer', "
            "'manager', 'admin')",
            name="role",
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    username: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    post: Mapped[str] = mapped_column(String(80), default="")
    role: Mapped[str] = mapped_column(String(20))
    password_hash: Mapped[str] = mapped_column(String(200))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    regions: Mapped[list[Any]]
    modules: Mapped[list[Any]]
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class StaffSession(Base):
    """A logged-in browser or program. Only the hash of its token rests here."""

    __tablename__ = "staff_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    csrf_token: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Conversation(Base):
    """One user's conversation in one channel.

    ``last_seq`` is the newest message; ``handled_seq`` the newest user message the bot has
    acted on. A user message beyond it is work to do, also after a crash. ``owner_version``
    counts changes of owner: words thought under an older one are never sent.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        CheckConstraint("owner IN ('bot', 'queue', 'engineer')", name="owner"),
        CheckConstraint("handled_seq <= last_seq", name="handled"),
        CheckConstraint("(owner = 'engineer') = (staff_id IS NOT NULL)", name="speaker"),
        Index(None, "owner", "updated_at"),
        Index("ix_conversations_pending", "pending_seq"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    channel: Mapped[str] = mapped_column(String(40))
    #: The widget key of the host page that it began on.
    widget: Mapped[str] = mapped_column(String(40), default="", server_default="")
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    token_hash: Mapped[str | None] = mapped_column(String(64))
    owner: Mapped[str] = mapped_column(String(10), default=Owner.BOT.value)
    owner_version: Mapped[int] = mapped_column(default=0)
    staff_id: Mapped[str | None] = mapped_column(ForeignKey("staff.id"), index=True)
    ticket_id: Mapped[str | None] = mapped_column(String(32))
    last_seq: Mapped[int] = mapped_column(default=0)
    handled_seq: Mapped[int] = mapped_column(default=0)
    pending_seq: Mapped[int | None]
    staff_read_seq: Mapped[int] = mapped_column(default=0)
    user_received_seq: Mapped[int] = mapped_column(default=0, server_default="0")
    user_read_seq: Mapped[int] = mapped_column(default=0, server_default="0")
    state: Mapped[dict[str, Any]]
    queued_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Message(Base):
    """One message, ordered by ``seq`` within its conversation. Never changed, never deleted."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        CheckConstraint("sender IN ('user', 'bot', 'engineer', 'system')", name="sender"),
        CheckConstraint("audience IN ('all', 'staff')", name="audience"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    seq: Mapped[int]
    sender: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(30))
    audience: Mapped[str] = mapped_column(String(10), default=Audience.ALL.value)
    text: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]]
    staff_id: Mapped[str | None] = mapped_column(ForeignKey("staff.id"))
    client_msg_id: Mapped[str | None] = mapped_column(String(100))
    created_at: Mapped[datetime]


#: Finds messages by what people said. The bot's words are the knowledge base's and the catalogue's:
#: each is said thousands of times, and would hide the person who used the same word.
MESSAGE_WORDS = TextIndex("messages")
MESSAGE_WORDS.follow(
    Message, lambda message: "" if message.sender == Sender.BOT.value else message.text
)


class Turn(Base):
    """What the bot understood, searched, found and decided for one user message."""

    __tablename__ = "turns"
    __table_args__ = (UniqueConstraint("conversation_id", "seq"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    seq: Mapped[int]
    understanding: Mapped[dict[str, Any]]
    search: Mapped[list[Any]]
    decision: Mapped[dict[str, Any]]
    elapsed_ms: Mapped[int]
    at: Mapped[datetime]


class Feedback(Base):
    """有用 or 没用 on one answer; the user's last word on it counts."""

    __tablename__ = "feedback"
    __table_args__ = (UniqueConstraint("conversation_id", "message_seq"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    message_seq: Mapped[int]
    answer_id: Mapped[str] = mapped_column(String(40))
    helpful: Mapped[bool]
    at: Mapped[datetime]


class Rating(Base):
    """The user's verdict on a finished conversation: 1 to 5 stars."""

    __tablename__ = "ratings"
    __table_args__ = (
        UniqueConstraint("conversation_id", "ticket_number"),
        CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    ticket_number: Mapped[str] = mapped_column(String(20), default="")
    stars: Mapped[int]
    comment: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]
