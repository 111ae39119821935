"""Lists that administrators keep in order: look, make, change, restore, remove, with a history.

Each verb is one transaction. Refuses to know what is kept: a form gives the columns, checked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from bot.accounts.service import Principal
from bot.changes import repository as rows
from bot.changes import service as changes
from bot.changes.service import Change, ChangedKind, Verb
from bot.changes.tables import KeptRow
from bot.clock import Clock
from bot.errors import InvalidInput
from store.base import new_id
from store.session import Database

RowT = TypeVar("RowT", bound=KeptRow)


class KeptForm(Protocol):
    """A row's form as it was typed; ``id`` is empty for a new one."""

    @property
    def id(self) -> str:
        """The row's."""
        ...

    @property
    def version(self) -> int:
        """The row's when the form was opened."""
        ...

    def columns(self) -> Mapping[str, Any]:
        """The row's values. Raises :class:`InvalidInput`."""
        ...


@dataclass(frozen=True, slots=True)
class Kept(Generic[RowT]):
    """What is kept: the table, its name in histories, how many rows at most.

    ``words`` is the prefix of the phrases that say why a form is refused.
    """

    table: type[RowT]
    kind: ChangedKind
    most: int
    words: str


@dataclass(frozen=True, slots=True)
class Keeper(Generic[RowT]):
    """The verbs."""

    database: Database
    clock: Clock
    kept: Kept[RowT]

    async def in_use(self) -> Sequence[RowT]:
        """All rows in their order, for whoever works with them."""
        async with self.database.glance() as session:
            return await rows.kept(session, self.kept.table)

    async def all(self, staff: Principal) -> Sequence[RowT]:
        """All rows in their order."""
        staff.require()
        return await self.in_use()

    async def history(self, staff: Principal, row_id: str) -> Sequence[Change]:
        """What was changed about a row, the newest first."""
        staff.require()
        async with self.database.reading() as session:
            return await changes.history(session, self.kept.kind, row_id)

    async def save(self, staff: Principal, form: KeptForm) -> None:
        """Make or change a row. Raises :class:`InvalidInput`."""
        staff.require()
        columns, now = form.columns(), self.clock()
        async with self.database.transaction() as session:
            if form.id:
                row = await rows.kept_row(session, self.kept.table, form.id)
                if row is None or row.version != form.version:
                    raise InvalidInput("version", f"{self.kept.words}.overtaken")
            else:
                if len(await rows.kept(session, self.kept.table)) >= self.kept.most:
                    raise InvalidInput("title", f"{self.kept.words}.many")
                row = self.kept.table(id=new_id(), version=0, created_at=now)
                session.add(row)
            _write(row, columns)
            row.version, row.updated_at = row.version + 1, now
            verb = Verb.CHANGED if form.id else Verb.ADDED
            kind = self.kept.kind
            await changes.note(session, staff, kind, row.id, verb, content=columns, now=now)

    async def restore(self, staff: Principal, row_id: str, change_id: str) -> None:
        """Make a row as it was after a change. Raises :class:`InvalidInput` when it is gone."""
        staff.require()
        kind, now = self.kept.kind, self.clock()
        async with self.database.transaction() as session:
            row = await rows.kept_row(session, self.kept.table, row_id)
            change = await rows.one(session, kind.value, change_id)
            known = change is not None and change.subject_id == row_id and change.content
            if row is None or change is None or not known:
                raise InvalidInput("version", f"{self.kept.words}.overtaken")
            _write(row, change.content)
            row.version, row.updated_at = row.version + 1, now
            await changes.note(
                session, staff, kind, row_id, Verb.RESTORED, content=change.content, now=now
            )

    async def remove(self, staff: Principal, row_id: str) -> None:
        """Remove a row; nothing when it is gone."""
        staff.require()
        kind, now = self.kept.kind, self.clock()
        async with self.database.transaction() as session:
            row = await rows.kept_row(session, self.kept.table, row_id)
            if row is None:
                return
            await session.delete(row)
            await changes.note(session, staff, kind, row_id, Verb.REMOVED, content={}, now=now)


def _write(row: KeptRow, columns: Mapping[str, Any]) -> None:
    for name, value in columns.items():
        setattr(row, name, value)
