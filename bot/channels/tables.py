"""Tables of channels: whose sending is stopped, what was set up at a page, who was refused."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base


class ChannelPause(Base):
    """What is said in this channel waits; deleting the row lets it go out."""

    __tablename__ = "channel_pauses"

    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    paused_by: Mapped[str] = mapped_column(String(100))
    paused_at: Mapped[datetime]


class ChannelAccount(Base):
    """What a page keeps of a channel; it goes before what the environment says.

    ``secrets`` are sealed by field; ``former`` are those before the last change, with which
    callbacks and proofs are still taken until ``former_until``.
    """

    __tablename__ = "channel_accounts"

    channel: Mapped[str] = mapped_column(String(60), primary_key=True)
    config: Mapped[dict[str, Any]]
    secrets: Mapped[dict[str, Any]]
    former: Mapped[dict[str, Any]]
    former_until: Mapped[datetime | None]
    version: Mapped[int]
    updated_by: Mapped[str] = mapped_column(String(100))
    updated_at: Mapped[datetime]


class BotLink(Base):
    """How a bot's long connection does, for every process to see.

    ``account`` names whose connection this is told of, without its secret: what was refused or
    taken over holds for that account only. ``bad_frames`` were refused in the last connection.
    """

    __tablename__ = "bot_links"

    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    account: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(20))
    since: Mapped[datetime]
    retry_at: Mapped[datetime | None]
    code: Mapped[int] = mapped_column(default=0)
    refusals: Mapped[int] = mapped_column(default=0)
    last_in: Mapped[datetime | None]
    last_out: Mapped[datetime | None]
    bad_frames: Mapped[int] = mapped_column(default=0)


class WidgetRefusal(Base):
    """How often proofs of a host page were refused in one hour."""

    __tablename__ = "widget_refusals"

    widget: Mapped[str] = mapped_column(String(40), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int]
