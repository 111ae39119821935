"""The knowledge base as the dialogue uses it: search, look-up, suggestions.

Turns the retriever's results into the dialogue's values. Until the first index is built
every search finds nothing, so that the product serves and opens tickets meanwhile.
"""

import time
import unicodedata
from collections import deque
from collections.abc import Sequence
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from bot.conversations.greeting import LOCAL
from bot.dialogue.turn import Band, Found, Search
from kb.articles import AnswerKind, AnswerOrigin, IndexedAnswer
from kb.errors import IndexMissing
from kb.retriever import Candidate, IndexSource, Retriever
from kb.search_index import SearchIndex

#: Candidates kept for "next best" after the first three.
LIMIT = 8
SUGGESTIONS = 5
#: A search that takes the processor less than this, in seconds, need not go to a thread.
QUICK_S = 0.006
#: Searches that are remembered for it.
REMEMBERED = 8
MIN_SUGGESTION_CHARS = 2


class SearchedKnowledge:
    """Search over the workspace's current index. Synchronous; safe to call from threads."""

    def __init__(self, holder: IndexSource) -> None:
        self._holder = holder
        self._retriever = Retriever(holder)
        self._costs: deque[float] = deque(maxlen=REMEMBERED)
        self._by_id: tuple[str, dict[str, IndexedAnswer]] = ("", {})
        self._titles: tuple[str, list[tuple[str, IndexedAnswer]]] = ("", [])

    def is_quick(self) -> bool:
        """Whether a search now takes a few milliseconds at most.

        Then a thread would only make it slower, and everything else with it: both want the
        interpreter's one lock. Said of the processor time of the last searches, so that a slow
        embedder or an enormous index goes to threads.
        """
        known = self._costs
        return len(known) == known.maxlen and max(known) < QUICK_S and self._holder.is_settled()

    def is_ready(self) -> bool:
        """Whether there is an index to search."""
        return self._current() is not None

    def search(
        self, query: str, *, region: str | None, now: datetime, audience: tuple[str, ...] = ()
    ) -> Search:
        """What is known about a query, best first, as far as it holds now and for who asks."""
        began = time.thread_time()
        try:
            result = self._retriever.search(
                query, limit=LIMIT, today=_day(now), region=region, audience=audience
            )
        except IndexMissing:
            return Search(query, Band.NONE)
        self._costs.append(time.thread_time() - began)
        found = tuple(_found(candidate) for candidate in result.candidates)
        return Search(query, Band(result.band.value), found)

    def find(
        self, answer_id: str, *, region: str | None, now: datetime, audience: tuple[str, ...] = ()
    ) -> Found | None:
        """One published answer, or ``None`` when it is gone or does not hold for who asks."""
        answer = self._answers().get(answer_id)
        if answer is None or not answer.is_valid(_day(now), region, audience):
            return None
        return Found(
            answer_id=answer.answer_id,
            title=answer.title,
            score=1.0,
            collect=answer.kind is AnswerKind.COLLECT,
            category=answer.category,
            module=answer.module,
        )

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of questions by the current index's model; zeros where it knows nothing."""
        index = self._current()
        if index is None or not texts:
            return np.zeros((len(texts), 1), dtype=np.float32)
        queries = [index.normaliser.query(text) for text in texts]
        return np.asarray(index.searchable.embedder.encode_queries(queries), dtype=np.float32)

    def suggest(
        self,
        typed: str,
        *,
        region: str | None,
        now: datetime,
        audience: tuple[str, ...] = (),
    ) -> list[str]:
        """Standard questions that hold what is typed; those that begin with it come first.

        What does not hold now, or not for who types, is not suggested.
        """
        wanted = _fold(typed)
        if len(wanted) < MIN_SUGGESTION_CHARS:
            return []
        today = _day(now)
        hits = [
            (wanted != folded[: len(wanted)], answer.title)
            for folded, answer in self._questions()
            if wanted in folded and answer.is_valid(today, region, audience)
        ]
        hits.sort(key=lambda hit: (hit[0], len(hit[1])))
        return [title for _, title in hits[:SUGGESTIONS]]

    def _current(self) -> SearchIndex | None:
        try:
            return self._holder.current()
        except IndexMissing:
            return None

    def _answers(self) -> dict[str, IndexedAnswer]:
        index = self._current()
        if index is None:
            return {}
        revision, known = self._by_id
        if revision != index.manifest.revision:
            known = {answer.answer_id: answer for answer in index.published}
            self._by_id = (index.manifest.revision, known)
        return known

    def _questions(self) -> list[tuple[str, IndexedAnswer]]:
        index = self._current()
        if index is None:
            return []
        revision, known = self._titles
        if revision != index.manifest.revision:
            known = [
                (_fold(answer.title), answer)
                for answer in index.published
                if answer.origin is AnswerOrigin.ARTICLE
            ]
            self._titles = (index.manifest.revision, known)
        return known


def _day(now: datetime) -> date:
    return now.astimezone(LOCAL).date()


def _found(candidate: Candidate) -> Found:
    return Found(
        answer_id=candidate.answer_id,
        title=_title(candidate),
        score=candidate.score,
        likeness=candidate.unmapped,
        collect=candidate.answer_kind is AnswerKind.COLLECT,
        category=candidate.category,
        module=candidate.module,
    )


def _title(candidate: Candidate) -> str:
    """What a person can choose by: a bare heading such as 操作步骤 says nothing alone."""
    section = candidate.source.section
    if candidate.origin is AnswerOrigin.ARTICLE or not section:
        return candidate.title
    parent = section[-2] if len(section) > 1 else candidate.source.guide
    return f"{parent} › {section[-1]}"


def _fold(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).lower().split())
