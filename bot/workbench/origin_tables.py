"""Where a draft came from, when an engineer made it of a solved ticket."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base


class AnswerOriginRow(Base):
    """The ticket that an answer was drafted from. One ticket gives one draft."""

    __tablename__ = "answer_origins"

    article_id: Mapped[str] = mapped_column(
        ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True
    )
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"), unique=True)
    staff_id: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime]
