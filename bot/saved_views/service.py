"""Saved views of a list: one's own, and those that are shared with everybody who may look.

A view is an address with a name; what it shows depends on who looks. Refuses to know what an
address may ask for; whoever saves one hands over the canonical form.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from bot.accounts.service import Principal
from bot.clock import Clock
from bot.errors import InvalidInput
from bot.saved_views import repository as rows
from bot.saved_views.tables import SavedViewRow
from bot.tables import Role
from kb.stored_text import storable
from store import audit
from store.session import Database

MAX_NAME, MAX_VIEWS = 40, 50


class ViewedList(StrEnum):
    """The lists that have views."""

    ANSWERS = "answers"
    SEARCH = "search"


@dataclass(frozen=True, slots=True)
class ViewRoles:
    """Who looks at a list, who shares views of it, and who clears up those of others."""

    looking: Sequence[Role]
    sharing: Sequence[Role]
    clearing: Sequence[Role]


@dataclass(frozen=True, slots=True)
class SavedViews:
    """The verbs on views of one list."""

    database: Database
    clock: Clock
    place: ViewedList
    roles: ViewRoles

    async def seen(self, staff: Principal) -> Sequence[SavedViewRow]:
        """Own and shared ones."""
        staff.require(*self.roles.looking)
        async with self.database.reading() as session:
            return await rows.seen_by(session, self.place, staff.staff_id)

    async def save(self, staff: Principal, name: str, query: str, *, shared: bool) -> None:
        """Keep a view; one of the same name is replaced.

        Raises :class:`InvalidInput` for ``view``: empty, too_long, nothing_chosen, too_many.
        """
        staff.require(*(self.roles.sharing if shared else self.roles.looking))
        name = " ".join(storable(name).split())
        if not name or len(name) > MAX_NAME:
            raise InvalidInput("view", "too_long" if name else "empty")
        if not query:
            raise InvalidInput("view", "nothing_chosen")
        async with self.database.transaction() as session:
            known = await rows.named(session, self.place, staff.staff_id, name)
            if known is not None:
                known.query, known.shared = query, shared
            elif await rows.count(session, self.place, staff.staff_id) >= MAX_VIEWS:
                raise InvalidInput("view", "too_many")
            else:
                session.add(self._row(staff, name, query, shared=shared))
            await self._note(session, staff, "saved", name, shared=shared)

    async def remove(self, staff: Principal, view_id: str) -> None:
        """Forget an own view, or, where the role allows, a shared one; nothing when it is gone."""
        staff.require(*self.roles.looking)
        async with self.database.transaction() as session:
            known = await rows.view(session, self.place, view_id)
            if known is None:
                return
            if known.staff_id != staff.staff_id:
                staff.require(*self.roles.clearing)
            await rows.remove(session, view_id)
            await self._note(session, staff, "removed", known.name, shared=known.shared)

    def _row(self, staff: Principal, name: str, query: str, *, shared: bool) -> SavedViewRow:
        return SavedViewRow(
            place=self.place.value,
            staff_id=staff.staff_id,
            staff_name=staff.name,
            name=name,
            query=query,
            shared=shared,
            created_at=self.clock(),
        )

    async def _note(
        self, session: AsyncSession, staff: Principal, action: str, name: str, *, shared: bool
    ) -> None:
        await audit.record(
            session,
            actor=f"staff:{staff.staff_id}",
            action=f"saved_view.{action}",
            subject=f"staff:{staff.staff_id}",
            detail={"place": self.place.value, "name": name, "shared": shared},
            now=self.clock(),
        )
