"""Golden questions: what an index must answer, and must not; and what a change makes of it.

Asks through the same `Retriever.search` as the live path, on any index, live or candidate. Refuses
to decide whether a change may go live; it says what became better and what worse.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from kb.fusion import Band
from kb.retriever import IndexSource, Retriever
from kb.search_index import SearchIndex


@dataclass(frozen=True, slots=True)
class GoldenQuestion:
    """A question with every answer that would do; without any it must not be answered directly."""

    id: str
    text: str
    expected: frozenset[str]
    region: str | None = None


@dataclass(frozen=True, slots=True)
class GoldenResult:
    """What an index makes of a question. ``rank`` counts from 1; 0 when no right answer came."""

    question_id: str
    rank: int
    band: Band
    top: str
    score: float

    def passes(self, question: GoldenQuestion) -> bool:
        """The right answer first, or, where none is right, none given directly."""
        return self.rank == 1 if question.expected else self.band is not Band.ANSWER


@dataclass(frozen=True, slots=True)
class GoldenSummary:
    """Counts over one run; shares of nothing are 1, since nothing is wrong."""

    answerable: int
    first: int
    among_three: int
    unanswerable: int
    refused: int

    @property
    def hit1(self) -> float:
        """Share of answerable questions whose right answer came first."""
        return self.first / self.answerable if self.answerable else 1.0

    @property
    def hit3(self) -> float:
        """Share of answerable questions whose right answer was among the first three."""
        return self.among_three / self.answerable if self.answerable else 1.0

    @property
    def refusal(self) -> float:
        """Share of unanswerable questions that got no direct answer."""
        return self.refused / self.unanswerable if self.unanswerable else 1.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs over the same questions; ids of those that pass now and did not, and the reverse."""

    before: GoldenSummary
    after: GoldenSummary
    improved: tuple[str, ...]
    broken: tuple[str, ...]

    def worst_drop(self) -> float:
        """The largest loss among hit@1, hit@3 and refusal; 0 when nothing got worse."""
        drops = (
            self.before.hit1 - self.after.hit1,
            self.before.hit3 - self.after.hit3,
            self.before.refusal - self.after.refusal,
        )
        return max(0.0, *drops)


class OneIndex:
    """Always the same index: a candidate that nobody else searches."""

    def __init__(self, index: SearchIndex) -> None:
        self._index = index

    def current(self) -> SearchIndex:
        """That index."""
        return self._index

    def is_settled(self) -> bool:
        """It has nothing to follow."""
        return True


def ask(
    source: IndexSource, questions: Sequence[GoldenQuestion], *, today: date
) -> dict[str, GoldenResult]:
    """Every question's result by its id."""
    retriever = Retriever(source)
    found = {}
    for question in questions:
        result = retriever.search(question.text, today=today, region=question.region)
        ids = [candidate.answer_id for candidate in result.candidates]
        ranks = [place for place, one in enumerate(ids, 1) if one in question.expected]
        found[question.id] = GoldenResult(
            question_id=question.id,
            rank=min(ranks, default=0),
            band=result.band,
            top=result.candidates[0].title if result.candidates else "",
            score=result.candidates[0].score if result.candidates else 0.0,
        )
    return found


def summary(
    questions: Sequence[GoldenQuestion], results: Mapping[str, GoldenResult]
) -> GoldenSummary:
    """The counts of one run."""
    answerable = [results[one.id] for one in questions if one.expected]
    others = [results[one.id] for one in questions if not one.expected]
    return GoldenSummary(
        answerable=len(answerable),
        first=sum(one.rank == 1 for one in answerable),
        among_three=sum(1 <= one.rank <= 3 for one in answerable),
        unanswerable=len(others),
        refused=sum(one.band is not Band.ANSWER for one in others),
    )


def compare(
    questions: Sequence[GoldenQuestion],
    before: Mapping[str, GoldenResult],
    after: Mapping[str, GoldenResult],
) -> Comparison:
    """What became better and what worse; raises KeyError for a question without a result."""
    passed = {one.id: (before[one.id].passes(one), after[one.id].passes(one)) for one in questions}
    return Comparison(
        before=summary(questions, before),
        after=summary(questions, after),
        improved=tuple(key for key, (was, now) in passed.items() if now and not was),
        broken=tuple(key for key, (was, now) in passed.items() if was and not now),
    )
