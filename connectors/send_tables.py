"""The table of what was sent to whom and when: the platforms' limits hold across restarts."""

from datetime import datetime

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, BigInt


class ChannelSend(Base):
    """One part of one delivery, written before it is sent.

    ``arrived``: the platform has taken it; what has not is sent again, as the same part.
    ``slot``: tells it from every other send to this person in these hours, and stays when it is
    sent again, so that a platform can know a repetition without taking two for one.
    """

    __tablename__ = "channel_sends"
    __table_args__ = (
        UniqueConstraint("channel", "delivery_key", "part"),
        Index(None, "channel", "person", "sent_at"),
        Index(None, "sent_at"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    channel: Mapped[str] = mapped_column(String(40))
    person: Mapped[str] = mapped_column(String(200))
    delivery_key: Mapped[str] = mapped_column(String(200))
    part: Mapped[int]
    arrived: Mapped[bool] = mapped_column(default=False)
    slot: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime]
