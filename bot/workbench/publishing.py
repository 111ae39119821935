"""What is published becomes searchable: at once, at its date, and after anything was missed.

Refuses to decide what may be published (`kb.answer_editing`).
"""

import asyncio
from collections.abc import Sequence

import structlog

from bot.clock import Clock
from kb import answer_editing
from kb.articles import IndexedAnswer
from kb.fresh_index import FreshIndex
from kb.service import indexed_article, load_corpus
from store.session import Database

log = structlog.get_logger("bot.publishing")

#: How often dates are looked at; a date is met at most this late.
DUE_S = 5.0


class Publishing:
    """Keeps the search index at what the database says."""

    def __init__(self, database: Database, index: FreshIndex, clock: Clock) -> None:
        self._database = database
        self._index = index
        self._clock = clock

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
        """Publish what is due now; how many answers that were."""
        async with self._database.transaction() as session:
            done = await answer_editing.publish_due(session, now=self._clock())
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
