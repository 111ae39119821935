"""Tables of replies that a platform comes to fetch: who asked, and what was laid out for them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, BigInt


class BotStream(Base):
    """One question's reply. ``message_id`` is the platform's id of the question.

    ``response_url``: an address that takes one message after the stream; empty once used.
    ``welcome``: opened by somebody who came in, and read by nobody but the callback itself.
    ``request_id``: what a reply over the long connection refers to; empty where it is fetched.
    ``chat``: where the platform takes words that answer nothing. ``push``: holds such words.
    """

    __tablename__ = "bot_streams"
    __table_args__ = (Index(None, "person", "opened_at"), Index(None, "opened_at"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    message_id: Mapped[str] = mapped_column(String(64), unique=True)
    person: Mapped[str] = mapped_column(String(200))
    conversation_id: Mapped[str] = mapped_column(String(32))
    response_url: Mapped[str] = mapped_column(Text, default="")
    welcome: Mapped[bool] = mapped_column(default=False)
    request_id: Mapped[str] = mapped_column(String(200), default="")
    chat: Mapped[str] = mapped_column(String(200), default="")
    push: Mapped[bool] = mapped_column(default=False)
    opened_at: Mapped[datetime]
    polled_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class BotStreamPart(Base):
    """One part of a delivery in a stream. ``shown_at``: handed to the platform.

    ``answer_seq`` is the place of an answer in its conversation, which a verdict refers to.
    ``card`` is a card (JSON) instead of words. ``refusal``: why the platform took it never.
    """

    __tablename__ = "bot_stream_parts"
    __table_args__ = (UniqueConstraint("delivery_key", "part"), Index(None, "stream_id"))

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    stream_id: Mapped[str] = mapped_column(ForeignKey("bot_streams.id", ondelete="CASCADE"))
    delivery_key: Mapped[str] = mapped_column(String(200))
    part: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    pictures: Mapped[str] = mapped_column(Text, default="")
    answer_seq: Mapped[int] = mapped_column(default=0)
    put_at: Mapped[datetime]
    shown_at: Mapped[datetime | None]
    refusal: Mapped[str] = mapped_column(String(60), default="")
    card: Mapped[str] = mapped_column(Text, default="")
