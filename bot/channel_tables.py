"""The table of channels whose sending an administrator has stopped."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base


class ChannelPause(Base):
    """What is said in this channel waits; deleting the row lets it go out."""

    __tablename__ = "channel_pauses"

    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    paused_by: Mapped[str] = mapped_column(String(100))
    paused_at: Mapped[datetime]
