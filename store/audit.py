"""Who did what to which thing, when: append-only rows.

Refuses to interpret them; reading is for administrators' pages and reports.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Index, String, Table, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, BigInt


class AuditEntry(Base):
    """One action by one actor on one subject."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(None, "subject", "id"),
        Index(None, "actor", "id"),
        Index(None, "action", "id"),
        Index(None, "at"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(120))
    detail: Mapped[dict[str, Any]]


#: The table itself, written once: this runs with every verb.
_ADD = insert(cast(Table, AuditEntry.__table__))


async def record(
    session: AsyncSession,
    *,
    actor: str,
    action: str,
    subject: str,
    detail: dict[str, Any],
    now: datetime,
) -> None:
    """Add one entry to the caller's transaction: it rests exactly when the action does."""
    entry = {"at": now, "actor": actor, "action": action, "subject": subject, "detail": detail}
    # What was changed before is written before; callers read it again in the same transaction.
    await session.flush()
    await session.execute(_ADD, entry)


async def entries_of(
    session: AsyncSession, subject: str, *, limit: int = 200
) -> Sequence[AuditEntry]:
    """Entries about ``subject``, oldest first."""
    query = (
        select(AuditEntry).where(AuditEntry.subject == subject).order_by(AuditEntry.id).limit(limit)
    )
    return (await session.scalars(query)).all()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the trail is narrowed to; an empty field narrows nothing. Actions are named whole."""

    actors: Collection[str] = ()
    actions: Collection[str] = ()
    subjects: Collection[str] = ()
    since: datetime | None = None
    until: datetime | None = None


async def newest(
    session: AsyncSession, wanted: Wanted, *, before: int | None = None, limit: int = 50
) -> Sequence[AuditEntry]:
    """Entries below ``before``, the newest first.

    One name after the other, each along its own index: together they could not be read in order,
    and there are millions of entries.
    """
    within = await _within(session, wanted, before)
    ids: set[int] = set()
    for one in _named(wanted):
        query = select(AuditEntry.id).where(*one, *within)
        ids.update(await session.scalars(query.order_by(AuditEntry.id.desc()).limit(limit)))
    kept = sorted(ids, reverse=True)[:limit]
    found = select(AuditEntry).where(AuditEntry.id.in_(kept)).order_by(AuditEntry.id.desc())
    return (await session.scalars(found)).all()


def _named(wanted: Wanted) -> list[list[ColumnElement[bool]]]:
    """Conditions that each lead along one index; the narrowest kind of name leads."""
    kinds = (
        (AuditEntry.subject, wanted.subjects),
        (AuditEntry.actor, wanted.actors),
        (AuditEntry.action, wanted.actions),
    )
    given = [(column, names) for column, names in kinds if names]
    if not given:
        return [[]]
    (leading, names), *others = given
    # The unary plus of SQLite, spelled for every database: these only filter what is read.
    rest = [(column + "").in_(list(more)) for column, more in others]
    return [[leading == name, *rest] for name in names]


async def _within(
    session: AsyncSession, wanted: Wanted, before: int | None
) -> list[ColumnElement[bool]]:
    """The span of time as a span of keys, which grow with it."""
    found: list[ColumnElement[bool]] = []
    if before is not None:
        found.append(AuditEntry.id < before)
    if wanted.since is not None:
        first = select(AuditEntry.id).where(AuditEntry.at >= wanted.since)
        first = first.order_by(AuditEntry.at).limit(1)
        found.append(AuditEntry.id >= ((await session.scalar(first)) or 2**62))
    if wanted.until is not None:
        last = select(AuditEntry.id).where(AuditEntry.at < wanted.until)
        last = last.order_by(AuditEntry.at.desc()).limit(1)
        found.append(AuditEntry.id <= ((await session.scalar(last)) or 0))
    return found
