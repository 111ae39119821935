"""The table of files that a platform holds for us, so that each is uploaded once."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base


class ChannelMedia(Base):
    """A picture by its content hash, and what the platform calls it until then."""

    __tablename__ = "channel_media"

    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    media_id: Mapped[str] = mapped_column(String(300))
    until: Mapped[datetime]
