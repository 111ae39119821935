"""Templates of tickets at rest."""

from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.changes.tables import KeptRow
from store.base import Base


class TicketTemplate(KeptRow, Base):
    """What a request that comes again and again is logged with.

    Empty ``category``, ``module`` or ``severity``: as proposed. ``fields``: custom fields by key.
    """

    __tablename__ = "ticket_templates"

    name: Mapped[str] = mapped_column(String(40))
    category: Mapped[str] = mapped_column(String(10))
    module: Mapped[str] = mapped_column(String(80))
    severity: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    fields: Mapped[dict[str, Any]]
