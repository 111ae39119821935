"""What is published becomes searchable: at once, at its date, and after anything was missed.

Refuses to decide what may be published (`kb.answer_editing`, and the gate at its date).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from kb import answer_editing
from kb.answer_editing import Done, Step
from kb.answer_versions import Author
from kb.articles import IndexedAnswer
from kb.fresh_index import FreshIndex
from kb.service import indexed_article, load_corpus
from store.session import Database

log = structlog.get_logger("bot.publishing")

#: How often dates are looked at; a date is met at most this late.
DUE_S = 5.0


@dataclass(frozen=True, slots=True)
class Objection:
    """Why something may not go live by itself: for people, from whom, and for the audit trail."""

    note: str
    by: str
    detail: Mapping[str, Any]


class DueGate(Protocol):
    """Asked once more when the date has come, for much may have changed since it was set."""

    async def objection(self, article_ids: Sequence[str]) -> Objection | None:
        """What speaks against these going live together."""


class Herald(Protocol):
    """Told what became of answers at their date, in the transaction that does it."""

    async def went_live(self, session: AsyncSession, done: Sequence[Done], now: datetime) -> None:
        """These are published now."""

    async def held_back(self, session: AsyncSession, done: Done, why: str, now: datetime) -> None:
        """This one is not, and waits for its reviewer again."""


class Publishing:
    """Keeps the search index at what the database says. Without a gate every date is kept."""

    def __init__(
        self,
        database: Database,
        index: FreshIndex,
        clock: Clock,
        gate: DueGate | None = None,
        herald: Herald | None = None,
    ) -> None:
        self._database = database
        self._index = index
        self._clock = clock
        self._gate = gate
        self._herald = herald

    @property
    def index(self) -> FreshIndex:
        """What is searched now."""
        return self._index

    async def refresh(self, article_ids: Sequence[str]) -> bool:
        """Make these answers searchable as they are now; False while there is no index at all."""
        changed: dict[str, IndexedAnswer | None] = {}
        async with self._database.reading() as session:
            for article_id in article_ids:
                changed[article_id] = await indexed_article(session, article_id)
        return await asyncio.to_thread(self._index.apply, changed)

    async def reconcile(self) -> int:
        """Bring everything published into the search, guides too; how many answers that were."""
        async with self._database.reading() as session:
            corpus = await load_corpus(session)
        return await asyncio.to_thread(self._index.reconcile, corpus)

    async def publish_due(self) -> int:
        """Publish what is due now and may be; how many answers that were.

        All together if nothing speaks against it. Else each by itself, the next one measured by
        what the last has changed.
        """
        async with self._database.reading() as session:
            steps = await answer_editing.due(session, now=self._clock())
        if not steps:
            return 0
        if len(steps) == 1 or await self._objection(steps) is not None:
            return sum([await self._publish_or_hold(step) for step in steps])
        return await self._publish(steps)

    async def _publish_or_hold(self, step: Step) -> int:
        objection = await self._objection([step])
        if objection is None:
            return await self._publish([step])
        held = replace(step, who=Author(step.who.id, objection.by), note=objection.note)
        async with self._database.transaction() as session:
            done = await answer_editing.hold_back(session, held, dict(objection.detail))
            if done is not None and self._herald is not None:
                await self._herald.held_back(session, done, objection.note, step.now)
        log.warning("held_back_at_its_date", article=step.article_id)
        return 0

    async def _objection(self, steps: Sequence[Step]) -> Objection | None:
        if self._gate is None:
            return None
        return await self._gate.objection([step.article_id for step in steps])

    async def _publish(self, steps: Sequence[Step]) -> int:
        async with self._database.transaction() as session:
            done = await answer_editing.publish_due(session, steps)
            if done and self._herald is not None:
                await self._herald.went_live(session, done, self._clock())
        if done:
            await self.refresh([one.article_id for one in done])
            log.info("published_by_date", answers=len(done))
        return len(done)

    async def run(self) -> None:
        """Catch up with what was missed while nothing ran, then keep dates, until cancelled."""
        await self.reconcile()
        while True:
            await self.publish_due()
            await asyncio.sleep(DUE_S)
