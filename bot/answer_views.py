"""Saved views of the answers list: one's own, and those that editors share with everybody.

A view is an address with a name. Refuses to know what an address may ask for; whoever saves one
hands over the canonical form.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from bot import answer_view_repository as rows
from bot.accounts import Principal
from bot.answer_view_tables import AnswerViewRow
from bot.clock import Clock
from bot.tables import Role
from bot.workbench import EDITING_ROLES, LOOKING_ROLES
from kb.errors import AnswerInvalid
from kb.stored_text import storable
from store import audit
from store.session import Database

MAX_NAME, MAX_VIEWS = 40, 50


@dataclass(frozen=True, slots=True)
class AnswerViews:
    """The verbs on views."""

    database: Database
    clock: Clock

    async def seen(self, staff: Principal) -> Sequence[AnswerViewRow]:
        """Own and shared ones."""
        staff.require(*LOOKING_ROLES)
        async with self.database.reading() as session:
            return await rows.seen_by(session, staff.staff_id)

    async def save(self, staff: Principal, name: str, query: str, *, shared: bool) -> None:
        """Keep a view; one of the same name is replaced. Raises AnswerInvalid.

        Only editors share views with others.
        """
        staff.require(*(EDITING_ROLES if shared else LOOKING_ROLES))
        name = " ".join(storable(name).split())
        if not name or len(name) > MAX_NAME:
            raise AnswerInvalid("view", "too_long" if name else "empty")
        if not query:
            raise AnswerInvalid("view", "nothing_chosen")
        async with self.database.transaction() as session:
            known = await rows.named(session, staff.staff_id, name)
            if known is not None:
                known.query, known.shared = query, shared
            elif await rows.count(session, staff.staff_id) >= MAX_VIEWS:
                raise AnswerInvalid("view", "too_many")
            else:
                session.add(self._row(staff, name, query, shared=shared))
            await self._note(session, staff, "saved", name, shared=shared)

    async def remove(self, staff: Principal, view_id: str) -> None:
        """Forget an own view, or as a reviewer a shared one; nothing when it is gone already."""
        staff.require(*LOOKING_ROLES)
        async with self.database.transaction() as session:
            known = await rows.view(session, view_id)
            if known is None:
                return
            if known.staff_id != staff.staff_id:
                staff.require(Role.REVIEWER)
            await rows.remove(session, view_id)
            await self._note(session, staff, "removed", known.name, shared=known.shared)

    def _row(self, staff: Principal, name: str, query: str, *, shared: bool) -> AnswerViewRow:
        return AnswerViewRow(
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
            action=f"answer_view.{action}",
            subject=f"staff:{staff.staff_id}",
            detail={"name": name, "shared": shared},
            now=self.clock(),
        )
