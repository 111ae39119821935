"""Custom fields of tickets: which there are, and what administrators do with them.

A field's key never changes and is never given out twice: what tickets hold under it stays
readable, so a field is switched off instead of removed. Refuses to mark tickets
(``handoff.marking``).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.accounts.service import Principal
from bot.changes import service as changes
from bot.changes.service import Change, ChangedKind, Verb
from bot.clock import Clock
from bot.errors import InvalidInput
from handoff import mark_repository as rows
from handoff.mark_tables import TicketField
from handoff.marks import CustomField, FieldKind
from store.session import Database
from store.vocabulary import Category

MAX_LABEL, MAX_CHOICES, MAX_CHOICE, MAX_FIELDS = 40, 50, 60, 60
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_BETWEEN = re.compile(r"[\r\n,;，；、]+")


@dataclass(frozen=True, slots=True)
class FieldForm:
    """A field's form as it was typed. ``version`` 0: a new one."""

    key: str = ""
    label: str = ""
    kind: str = FieldKind.LINE.value
    choices: str = ""
    categories: Sequence[str] = ()
    position: str = "0"
    active: bool = True
    version: int = 0

    @classmethod
    def of(cls, field: TicketField) -> "FieldForm":
        """The form that shows this field."""
        return cls(
            key=field.key,
            label=field.label,
            kind=field.kind,
            choices="\n".join(field.choices),
            categories=tuple(field.categories),
            position=str(field.position),
            active=field.active,
            version=field.version,
        )

    def columns(self) -> dict[str, Any]:
        """The row's values. Raises :class:`InvalidInput`."""
        label = " ".join(self.label.split())
        if not label or len(label) > MAX_LABEL or not label.isprintable():
            raise InvalidInput("label", "ticket_fields.error.label")
        if self.kind not in set(FieldKind):
            raise InvalidInput("kind", "ticket_fields.error.kind")
        if not set(self.categories) <= {one.value for one in Category}:
            raise InvalidInput("categories", "ticket_fields.error.categories")
        if not re.fullmatch(r"[0-9]{1,4}", self.position):
            raise InvalidInput("position", "ticket_fields.error.position")
        return {
            "label": label,
            "kind": self.kind,
            "choices": self._choices(),
            "categories": list(self.categories),
            "position": int(self.position),
            "active": self.active,
        }

    def _choices(self) -> list[str]:
        parts = (part.strip() for part in _BETWEEN.split(self.choices))
        found = list(dict.fromkeys(part for part in parts if part))
        fitting = all(len(one) <= MAX_CHOICE and one.isprintable() for one in found)
        if (self.kind == FieldKind.CHOICE and not 1 <= len(found) <= MAX_CHOICES) or not fitting:
            raise InvalidInput("choices", "ticket_fields.error.choices")
        return found if self.kind == FieldKind.CHOICE else []


@dataclass(frozen=True, slots=True)
class TicketFields:
    """The verbs on custom fields."""

    database: Database
    clock: Clock

    async def in_use(self) -> Sequence[CustomField]:
        """Fields that can be filled in."""
        async with self.database.glance() as session:
            return await rows.fields(session)

    async def tags_in_use(self) -> Sequence[tuple[str, int]]:
        """Tags with the number of tickets that have them."""
        async with self.database.glance() as session:
            return await rows.tags_in_use(session)

    async def all(self, staff: Principal) -> Sequence[TicketField]:
        """All fields, those in use first."""
        staff.require()
        async with self.database.reading() as session:
            return await rows.definitions(session)

    async def history(self, staff: Principal, key: str) -> Sequence[Change]:
        """What was changed about a field, the newest first."""
        staff.require()
        async with self.database.reading() as session:
            return await changes.history(session, ChangedKind.TICKET_FIELD, key)

    async def save(self, staff: Principal, form: FieldForm) -> None:
        """Make or change a field.

        Raises :class:`InvalidInput`, also for a key that is taken or a form that was overtaken.
        """
        staff.require()
        if not _KEY.fullmatch(form.key):
            raise InvalidInput("key", "ticket_fields.error.key")
        columns, now = form.columns(), self.clock()
        async with self.database.transaction() as session:
            known = await rows.definition(session, form.key)
            if form.version != (known.version if known is not None else 0):
                reason = "taken" if form.version == 0 else "overtaken"
                raise InvalidInput("key", f"ticket_fields.error.{reason}")
            if known is None:
                if len(await rows.definitions(session)) >= MAX_FIELDS:
                    raise InvalidInput("key", "ticket_fields.error.many")
                known = TicketField(key=form.key, version=0, created_at=now)
                session.add(known)
            elif known.kind != form.kind:
                # What tickets hold was checked as what it was.
                raise InvalidInput("kind", "ticket_fields.error.kind")
            _write(known, columns)
            known.version, known.updated_at = known.version + 1, now
            verb = Verb.ADDED if known.version == 1 else Verb.CHANGED
            await changes.note(
                session,
                staff,
                ChangedKind.TICKET_FIELD,
                form.key,
                verb,
                content=columns,
                now=now,
            )


def _write(field: TicketField, columns: Mapping[str, Any]) -> None:
    for name, value in columns.items():
        setattr(field, name, value)
