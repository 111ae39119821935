"""What administrators changed: kept whole after each change, told as differences, restorable.

Written in the transaction of the change itself. Refuses to know what is kept: the keepers give
plain values, and read them back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.accounts.service import Principal
from bot.changes import repository as rows
from bot.changes.tables import ChangeRow
from store import audit
from store.base import new_id


class ChangedKind(StrEnum):
    """What has a history. The values are the audit trail's names too."""

    TICKET_RULE = "ticket_rule"
    NOTIFICATION_RULE = "notification_rule"
    TICKET_FIELD = "ticket_field"
    CANNED_PHRASE = "canned_phrase"
    TICKET_TEMPLATE = "ticket_template"


class Verb(StrEnum):
    """What was done. The values are phrase keys."""

    ADDED = "added"
    CHANGED = "changed"
    SWITCHED_ON = "switched_on"
    SWITCHED_OFF = "switched_off"
    MOVED = "moved"
    RESTORED = "restored"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One value before and after; ``None`` where there was none."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """One change, with what differs from the one before it."""

    id: str
    verb: str
    at: datetime
    by: str
    differences: Sequence[Difference]
    restorable: bool


async def note(
    session: AsyncSession,
    staff: Principal,
    kind: ChangedKind,
    subject_id: str,
    verb: Verb,
    *,
    content: Mapping[str, Any],
    now: datetime,
) -> None:
    """Keep a change and its audit entry. ``content`` is the whole after it."""
    session.add(
        ChangeRow(
            id=new_id(),
            kind=kind.value,
            subject_id=subject_id,
            action=verb.value,
            at=now,
            staff_id=staff.staff_id,
            staff_name=staff.name,
            content=dict(content),
        )
    )
    await session.flush()
    await audit.record(
        session,
        actor=f"staff:{staff.staff_id}",
        action=f"{kind.value}.{verb.value}",
        subject=f"{kind.value}:{subject_id}",
        detail={},
        now=now,
    )


async def history(session: AsyncSession, kind: ChangedKind, subject_id: str) -> Sequence[Change]:
    """Everything that was changed about one thing, the newest first."""
    found = await rows.of(session, kind.value, subject_id)
    changes: list[Change] = []
    before: Mapping[str, Any] = {}
    for number, row in enumerate(found, 1):
        differing = differences(before, row.content) if row.content else ()
        last = number == len(found)
        by = row.staff_name
        restorable = bool(row.content) and not last
        changes.append(Change(row.id, row.action, row.at, by, differing, restorable))
        before = row.content
    return changes[::-1]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Sequence[Difference]:
    """What differs, in the order of the names after; nothing and empty are the same."""
    names = [*after, *(name for name in before if name not in after)]
    return [
        Difference(name, before.get(name), after.get(name))
        for name in names
        if (before.get(name) or None) != (after.get(name) or None)
    ]
