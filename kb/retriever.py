"""The one search: the live path, the editors' test page and the evaluation all call it.

Straight-line code: normalise, search both ways, fuse, judge. Synchronous and thread-safe; the
caller chooses the thread. Never touches the database and never decides what the bot says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kb.applicability import named_years
from kb.articles import AnswerKind, AnswerOrigin, IndexedAnswer, Source
from kb.distinct import DOUBTED
from kb.fusion import Band, Floats, shown_scores
from kb.search_index import Hits, SearchIndex

DEFAULT_LIMIT = 10


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer that may fit.

    `score` is the probability that it answers (for a passage: it or a passage after it), `lexical`
    and `dense` say why it is here. `unmapped` is the score without this deployment's calibration,
    for judgements whose own weights were fitted on such scores.
    """

    answer_id: str
    origin: AnswerOrigin
    answer_kind: AnswerKind
    ref: str
    title: str
    text: str
    source: Source
    module: str
    category: str
    score: float
    lexical: float
    dense: float
    unmapped: float = 0.0


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Candidates in descending order of score. `query` is the form that was searched.

    `probabilities` are the candidates' own, of which the band is made with the index's cuts.
    """

    query: str
    band: Band
    candidates: tuple[Candidate, ...]
    revision: str
    probabilities: tuple[float, ...] = ()


class IndexSource(Protocol):
    """Whatever holds the index that is current."""

    def current(self) -> SearchIndex:
        """The index to search now; raises `kb.search_index.IndexMissing` before the first build."""

    def is_settled(self) -> bool:
        """Whether `current` answers at once, without reading or building anything."""


class Retriever:
    """Searches the current index."""

    def __init__(self, source: IndexSource) -> None:
        self._source = source

    def search(
        self,
        query: str,
        *,
        limit: int = DEFAULT_LIMIT,
        today: date | None = None,
        region: str | None = None,
        audience: tuple[str, ...] = (),
    ) -> SearchResult:
        """The best answers to a question, and whether they are good enough to give.

        With `today`, `region` and the groups of who asks (`audience`), answers that do not hold
        then, there and for them are left out; so are those of another fiscal year than the
        question names.
        """
        index = self._source.current()
        text = index.normaliser.query(query)
        hits = index.signals(text)
        years = named_years(query)
        valid = [
            index.answers[row].is_valid(today, region, audience, years) for row in hits.answers
        ]
        hits = hits.only(np.array(valid, bool))
        scores = index.score(hits)
        likely = np.flatnonzero(scores > DOUBTED)
        mistaken = likely[index.mistaken(text, hits.answers[likely])]
        probabilities = _doubted(index.score, hits, mistaken)
        # What is shown of a passage counts those after it as well, returned or not.
        order = np.argsort(-probabilities, kind="stable")
        ranked = probabilities[order]
        shown = shown_scores(ranked, hits.is_passage[order])
        unmapped = shown
        if index.fusion.unmapped is not None:
            plain = _doubted(index.unmapped_score, hits, mistaken)
            unmapped = shown_scores(plain[order], hits.is_passage[order])
        return SearchResult(
            query=text,
            band=index.fusion.cuts.band(ranked),
            candidates=tuple(
                _candidate(index.answers[hits.answers[place]], score, plain, hits.signals[place])
                for place, score, plain in zip(
                    order[:limit], shown[:limit].tolist(), unmapped[:limit].tolist(), strict=True
                )
            ),
            revision=index.manifest.revision,
            probabilities=tuple(map(float, ranked[:limit])),
        )


def _doubted(score: Callable[[Hits], Floats], hits: Hits, mistaken: NDArray[np.int64]) -> Floats:
    """The scores, those of mistaken answers cut down and what they took given to the others."""
    if not len(mistaken):
        return score(hits)
    kept = np.ones(len(hits.answers), bool)
    kept[mistaken] = False
    found = np.minimum(score(hits), DOUBTED)
    found[kept] = score(hits.only(kept))
    # Together they stay below 1.
    found[mistaken] *= min(1.0, max(0.0, 1.0 - found[kept].sum()) / found[mistaken].sum())
    return found


def _candidate(answer: IndexedAnswer, score: float, unmapped: float, signals: Floats) -> Candidate:
    return Candidate(
        answer_id=answer.answer_id,
        origin=answer.origin,
        answer_kind=answer.kind,
        ref=answer.ref,
        title=answer.title,
        text=answer.text,
        source=answer.source,
        module=answer.module,
        category=answer.category,
        score=score,
        lexical=float(signals[2:6].max()),
        dense=float(signals[0]),
        unmapped=unmapped,
    )
