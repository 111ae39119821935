"""Everything that must leave the process, written in the transaction that decided it.

Workers claim rows under a lease, send, then settle. Delivery is at least once; the dedupe
key makes a repeated decision one row. Rows of one conversation leave in order: a row waits
while an earlier one of its conversation is neither sent nor failed for good.
Refuses to know what a row means: ``kind`` chooses the handler elsewhere.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    CheckConstraint,
    Index,
    Select,
    String,
    Table,
    Text,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased, mapped_column

from store.base import Base, BigInt

#: First retry after this; every further one after twice the one before.
BACKOFF_FIRST = timedelta(seconds=2)
#: Retries never wait longer than this (the cap Sentry's outbox uses).
BACKOFF_CAP = timedelta(hours=1)
#: After this many attempts a row is a dead letter: it shows in the console and can be resent.
MAX_ATTEMPTS = 12
#: An error text longer than this helps nobody and may carry the peer's page.
MAX_ERROR_CHARS = 500


class OutboxStatus(StrEnum):
    """Where a row is on its way out."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


class OutboxRow(Base):
    """One thing to send."""

    __tablename__ = "outbox_rows"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'sent', 'failed')", name="status"),
        Index(None, "status", "available_at"),
        Index(None, "conversation_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(60))
    conversation_id: Mapped[str | None] = mapped_column(String(32))
    payload: Mapped[dict[str, Any]]
    dedupe_key: Mapped[str] = mapped_column(String(200), unique=True)
    status: Mapped[str] = mapped_column(String(10), default=OutboxStatus.PENDING.value)
    attempts: Mapped[int] = mapped_column(default=0)
    available_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    claim_token: Mapped[str | None] = mapped_column(String(32))
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row in this worker's hands until the lease ends."""

    id: int
    kind: str
    conversation_id: str | None
    payload: dict[str, Any]
    dedupe_key: str
    attempts: int
    token: str


#: What runs with every message is written once: building a statement costs more than executing it.
_ROWS = cast(Table, OutboxRow.__table__)
_GIVEN = ("kind", "payload", "dedupe_key", "conversation_id", "available_at")
_ENQUEUE = {
    name: insert(_ROWS)
    .values({field: bindparam(field) for field in _GIVEN})
    .values(status=OutboxStatus.PENDING.value, attempts=0, created_at=bindparam("available_at"))
    .on_conflict_do_nothing(index_elements=["dedupe_key"])
    .returning(_ROWS.c.id)
    for name, insert in (("postgresql", postgresql_insert), ("sqlite", sqlite_insert))
}


def backoff(attempts: int) -> timedelta:
    """How long to wait after the ``attempts``-th failed attempt (1-based): doubles, capped."""
    if attempts < 1:
        raise ValueError("backoff is asked after at least one attempt")
    doubled: timedelta = BACKOFF_FIRST * (1 << min(attempts - 1, 20))
    return min(doubled, BACKOFF_CAP)


async def enqueue(
    session: AsyncSession,
    *,
    kind: str,
    payload: dict[str, Any],
    dedupe_key: str,
    available_at: datetime,
    conversation_id: str | None = None,
) -> bool:
    """Add a row to the caller's transaction; ``False`` when the dedupe key already has one."""
    values = {
        "kind": kind,
        "payload": payload,
        "dedupe_key": dedupe_key,
        "conversation_id": conversation_id,
        "available_at": available_at,
    }
    statement = _ENQUEUE[session.get_bind().dialect.name]
    return (await session.execute(statement, values)).scalar_one_or_none() is not None


async def claim(
    session: AsyncSession,
    *,
    now: datetime,
    lease: timedelta,
    token: str,
    limit: int = 20,
    only: Collection[str] = (),
    without: Collection[str] = (),
) -> Sequence[Claimed]:
    """Take up to ``limit`` due rows under a lease.

    With ``only``, rows of these kinds; never rows whose kind begins as one of ``without``.

    The attempt is counted here, before anything is sent, so that a worker which dies while
    sending still uses up its attempt.
    """
    due = _due(tuple(only), tuple(without))
    if session.get_bind().dialect.name == "postgresql":
        due = due.with_for_update(skip_locked=True)
    ids = (await session.scalars(due, {"now": now, "limit": limit})).all()
    if not ids:
        return []
    statement = (
        update(OutboxRow)
        .where(OutboxRow.id.in_(ids))
        .values(claimed_until=now + lease, claim_token=token, attempts=OutboxRow.attempts + 1)
        .returning(OutboxRow)
    )
    rows = (await session.scalars(statement)).all()
    return [_claimed(row, token) for row in sorted(rows, key=lambda row: row.id)]


async def renew(session: AsyncSession, token: str, *, until: datetime) -> None:
    """Keep the rows of one claim for longer; those settled meanwhile are left alone."""
    statement = (
        update(OutboxRow)
        .where(
            OutboxRow.status == OutboxStatus.PENDING.value,
            OutboxRow.claim_token == token,
        )
        .values(claimed_until=until)
    )
    await session.execute(statement)


async def is_due(
    session: AsyncSession,
    *,
    now: datetime,
    only: Collection[str] = (),
    without: Collection[str] = (),
) -> bool:
    """Whether `claim` would find anything: a look that holds up no writer."""
    query = _due(tuple(only), tuple(without))
    return (await session.execute(query, {"now": now, "limit": 1})).first() is not None


@lru_cache(maxsize=64)
def _due(only: tuple[str, ...], without: tuple[str, ...]) -> Select[int]:
    """Rows due at ``now``, at most ``limit``; built once for those who ask every moment."""
    now: BindParameter[datetime] = bindparam("now", type_=OutboxRow.available_at.type)
    earlier = aliased(OutboxRow)
    blocked = exists().where(
        and_(
            earlier.conversation_id == OutboxRow.conversation_id,
            earlier.id < OutboxRow.id,
            earlier.status == OutboxStatus.PENDING.value,
        )
    )
    query = select(OutboxRow.id).where(
        OutboxRow.status == OutboxStatus.PENDING.value,
        OutboxRow.available_at <= now,
        or_(OutboxRow.claimed_until.is_(None), OutboxRow.claimed_until < now),
        ~blocked,
        *([OutboxRow.kind.in_(list(only))] if only else []),
        *(~OutboxRow.kind.startswith(prefix, autoescape=True) for prefix in without),
    )
    return query.order_by(OutboxRow.id).limit(bindparam("limit"))


def _claimed(row: OutboxRow, token: str) -> Claimed:
    return Claimed(
        id=row.id,
        kind=row.kind,
        conversation_id=row.conversation_id,
        payload=row.payload,
        dedupe_key=row.dedupe_key,
        attempts=row.attempts,
        token=token,
    )


_SENT = (
    update(_ROWS)
    .where(_ROWS.c.id == bindparam("of"), _ROWS.c.claim_token == bindparam("token"))
    .values(status=OutboxStatus.SENT.value, settled_at=bindparam("now"))
    .values(claimed_until=None, claim_token=None, last_error=None)
    .returning(_ROWS.c.id)
)


async def settle_sent(session: AsyncSession, claimed: Claimed, *, now: datetime) -> bool:
    """Mark a claimed row sent; ``False`` when the lease had passed to another worker."""
    values = {"of": claimed.id, "token": claimed.token, "now": now}
    return (await session.execute(_SENT, values)).first() is not None


async def settle_retry(
    session: AsyncSession, claimed: Claimed, *, error: str, now: datetime
) -> bool:
    """Put a claimed row back with backoff, or make it a dead letter after the last attempt."""
    if claimed.attempts >= MAX_ATTEMPTS:
        return await settle_failed(session, claimed, error=error, now=now)
    return await _settle(
        session,
        claimed,
        status=OutboxStatus.PENDING.value,
        available_at=now + backoff(claimed.attempts),
        claimed_until=None,
        claim_token=None,
        last_error=error[:MAX_ERROR_CHARS],
    )


async def settle_held(
    session: AsyncSession, claimed: Claimed, *, error: str, until: datetime
) -> bool:
    """Put a claimed row back until then, with the attempt that was not made given back."""
    return await _settle(
        session,
        claimed,
        status=OutboxStatus.PENDING.value,
        attempts=max(claimed.attempts - 1, 0),
        available_at=until,
        claimed_until=None,
        claim_token=None,
        last_error=error[:MAX_ERROR_CHARS],
    )


async def settle_failed(
    session: AsyncSession, claimed: Claimed, *, error: str, now: datetime
) -> bool:
    """Make a claimed row a dead letter: retrying cannot help."""
    return await _settle(
        session,
        claimed,
        status=OutboxStatus.FAILED.value,
        settled_at=now,
        claimed_until=None,
        claim_token=None,
        last_error=error[:MAX_ERROR_CHARS],
    )


async def _settle(session: AsyncSession, claimed: Claimed, **values: Any) -> bool:
    statement = (
        update(OutboxRow)
        .where(OutboxRow.id == claimed.id, OutboxRow.claim_token == claimed.token)
        .values(**values)
        .returning(OutboxRow.id)
    )
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def hurry(session: AsyncSession, conversation_id: str, *, now: datetime) -> None:
    """Try what waits for a later moment now: the person who could not be reached is here."""
    statement = (
        update(OutboxRow)
        .where(
            OutboxRow.conversation_id == conversation_id,
            OutboxRow.status == OutboxStatus.PENDING.value,
            OutboxRow.available_at > now,
            OutboxRow.claim_token.is_(None),
        )
        .values(available_at=now)
    )
    await session.execute(statement)


async def has(session: AsyncSession, conversation_id: str, status: OutboxStatus) -> bool:
    """Whether a conversation has rows in this status."""
    query = (
        select(OutboxRow.id)
        .where(
            OutboxRow.conversation_id == conversation_id,
            OutboxRow.status == status.value,
        )
        .limit(1)
    )
    return (await session.execute(query)).first() is not None


async def dead_letters(
    session: AsyncSession, *, limit: int = 100, before: int | None = None
) -> Sequence[OutboxRow]:
    """Rows that will not be tried again, newest first; those older than row ``before`` if given."""
    query = (
        select(OutboxRow)
        .where(OutboxRow.status == OutboxStatus.FAILED.value)
        .order_by(OutboxRow.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(OutboxRow.id < before)
    return (await session.scalars(query)).all()


async def dead_letter(session: AsyncSession, row_id: int) -> OutboxRow | None:
    """The row, if it is a dead letter."""
    query = select(OutboxRow).where(
        OutboxRow.id == row_id, OutboxRow.status == OutboxStatus.FAILED.value
    )
    return (await session.scalars(query)).one_or_none()


async def resend(session: AsyncSession, row_id: int, *, now: datetime) -> bool:
    """Give a dead letter a fresh set of attempts; ``False`` when it is none."""
    statement = (
        update(OutboxRow)
        .where(OutboxRow.id == row_id, OutboxRow.status == OutboxStatus.FAILED.value)
        .values(status=OutboxStatus.PENDING.value, attempts=0, available_at=now, settled_at=None)
        .returning(OutboxRow.id)
    )
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def due_kinds(session: AsyncSession, prefix: str, *, now: datetime) -> Sequence[str]:
    """Kinds beginning with ``prefix`` that have rows to claim now."""
    query = (
        select(OutboxRow.kind)
        .distinct()
        .where(
            OutboxRow.status == OutboxStatus.PENDING.value,
            OutboxRow.available_at <= now,
            or_(OutboxRow.claimed_until.is_(None), OutboxRow.claimed_until < now),
            OutboxRow.kind.startswith(prefix, autoescape=True),
        )
    )
    return (await session.scalars(query)).all()


async def waiting(session: AsyncSession, prefix: str) -> dict[str, int]:
    """How many rows of each kind beginning with ``prefix`` are not sent yet."""
    query = (
        select(OutboxRow.kind, func.count())
        .where(
            OutboxRow.status == OutboxStatus.PENDING.value,
            OutboxRow.kind.startswith(prefix, autoescape=True),
        )
        .group_by(OutboxRow.kind)
    )
    return {kind: count for kind, count in (await session.execute(query)).all()}


async def counts(session: AsyncSession) -> dict[str, int]:
    """How many rows are in each status."""
    query = select(OutboxRow.status, func.count()).group_by(OutboxRow.status)
    return {status: count for status, count in (await session.execute(query)).all()}
