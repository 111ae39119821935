"""Undelivered rows for people: what could not be sent, to whom, and sending it again.

Each account sees what is in its scope. Refuses to show what the other side answered: that may be
a page with somebody's data, so only the class of the error leaves this module.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.accounts.service import Principal
from bot.errors import DeadLetterNotFound
from bot.tables import Role
from store import audit, outbox
from store.outbox import OutboxRow
from store.session import Database

#: Who may look, and who may send again; administrators may do both.
LOOK_ROLES = (Role.OPERATIONS, Role.MANAGER)
RESEND_ROLES = (Role.OPERATIONS,)
#: Rows of one page, and of one "send all again".
PAGE = 100
#: The class given to errors for which trying again could not help.
PERMANENT = "PermanentError"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One thing that was not delivered.

    ``recipient`` and ``unit`` are empty for what goes to staff, and when the person is gone;
    ``channel`` is empty for what goes to staff.
    """

    id: int
    kind: str
    channel: str
    recipient: str
    unit: str
    region: str
    number: str
    attempts: int
    error: str
    created_at: datetime
    failed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Listed:
    """One page, newest first. ``older`` is the row after which the next page begins."""

    letters: Sequence[DeadLetter]
    total: int
    older: int | None


async def listed(database: Database, staff: Principal, *, before: int | None = None) -> Listed:
    """Rows that will not be tried again by themselves. ``total`` counts all scopes."""
    staff.require(*LOOK_ROLES)
    async with database.reading() as session:
        rows = await outbox.dead_letters(session, limit=PAGE + 1, before=before)
        letters = await _described(session, rows[:PAGE])
        counts = await outbox.counts(session)
    older = rows[PAGE - 1].id if len(rows) > PAGE else None
    total = counts.get(outbox.OutboxStatus.FAILED.value, 0)
    return Listed([one for one in letters if _visible(staff, one)], total, older)


async def resend(database: Database, staff: Principal, row_id: int, *, now: datetime) -> None:
    """Give one row a fresh set of attempts.

    Raises :class:`NotPermitted`, and :class:`DeadLetterNotFound` when it is none (any more).
    """
    staff.require(*RESEND_ROLES)
    async with database.transaction() as session:
        row = await outbox.dead_letter(session, row_id)
        letters = await _described(session, [row] if row is not None else [])
        if not letters or not _visible(staff, letters[0]):
            raise DeadLetterNotFound(row_id)
        if not await _resend(session, staff, letters[0], now):
            raise DeadLetterNotFound(row_id)


async def resend_all(database: Database, staff: Principal, *, now: datetime) -> int:
    """Give every row of the newest page a fresh set of attempts; how many there were."""
    staff.require(*RESEND_ROLES)
    async with database.transaction() as session:
        rows = await outbox.dead_letters(session, limit=PAGE)
        letters = [one for one in await _described(session, rows) if _visible(staff, one)]
        # Oldest first, as they were meant to arrive.
        return sum([await _resend(session, staff, one, now) for one in reversed(letters)])


async def _resend(
    session: AsyncSession, staff: Principal, letter: DeadLetter, now: datetime
) -> bool:
    if not await outbox.resend(session, letter.id, now=now):
        return False
    await audit.record(
        session,
        actor=f"staff:{staff.staff_id}",
        action="outbox.resent",
        subject=f"outbox:{letter.id}",
        detail={"kind": letter.kind, "attempts": letter.attempts, "error": letter.error},
        now=now,
    )
    return True


def _visible(staff: Principal, letter: DeadLetter) -> bool:
    return staff.covers(region=letter.region or None, module=None)


async def _described(session: AsyncSession, rows: Sequence[OutboxRow]) -> list[DeadLetter]:
    ids = [row.conversation_id for row in rows if row.conversation_id]
    talks = await repository.conversations_by_id(session, ids)
    users = await repository.users_by_id(session, [talk.user_id for talk in talks.values()])
    found = []
    for row in rows:
        talk = talks.get(row.conversation_id or "")
        user = users.get(talk.user_id) if talk is not None else None
        to_user = row.kind == "deliver"
        found.append(
            DeadLetter(
                id=row.id,
                kind=row.kind,
                channel=talk.channel if talk is not None and to_user else "",
                recipient=(user.name or "") if user is not None and to_user else "",
                unit=(user.unit or "") if user is not None else "",
                region=str(row.payload.get("region") or (user.region if user else "") or ""),
                number=str(row.payload.get("number") or ""),
                attempts=row.attempts,
                error=error_class(row.last_error),
                created_at=row.created_at,
                failed_at=row.settled_at,
            )
        )
    return found


def error_class(error: str | None) -> str:
    """The class at the head of ``Class: text``; without one the refusal was for good."""
    head, colon, _ = (error or "").partition(":")
    return head if colon and head.isidentifier() else PERMANENT
