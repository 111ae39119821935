"""What routing knows of an engineer besides the account: one row, written by their console."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from handoff.routing import Presence
from store.base import Base

_WORDS = ", ".join(f"'{presence.value}'" for presence in Presence)


class RoutingProfile(Base):
    """Presence as it was chosen and proven, and how much the engineer is given at most.

    ``capacity`` is null for the setting's value. What is to be believed of the rest is said by
    ``handoff.presence``.
    """

    __tablename__ = "routing_profiles"
    __table_args__ = (
        CheckConstraint(f"presence IN ({_WORDS})", name="presence"),
        CheckConstraint("capacity IS NULL OR capacity BETWEEN 0 AND 100", name="capacity"),
    )

    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    presence: Mapped[str] = mapped_column(String(10))
    presence_until: Mapped[datetime | None]
    beat_at: Mapped[datetime | None]
    active_at: Mapped[datetime | None]
    capacity: Mapped[int | None]
