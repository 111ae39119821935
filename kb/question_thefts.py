"""What new questions of answers take from other answers, before anybody keeps them.

Two ways: the question itself is answered by another answer now, or a question of another answer
would be answered by the changed one afterwards. Asks the live index and a candidate that nobody
else searches, for one answer or for a whole table of them. Refuses to decide; editors see what
would change.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from kb.articles import AnswerOrigin, IndexedAnswer
from kb.errors import IndexMissing
from kb.fresh_index import FreshIndex
from kb.fusion import Band
from kb.golden import OneIndex
from kb.retriever import Candidate, Retriever, SearchResult
from kb.search_index import SearchIndex

#: The answers nearest to each new question, of all those of one answer together, and the
#: questions of each that are asked again.
NEAREST, NEIGHBOURS, ASKED_OF_EACH = 3, 8, 12
#: New questions that are asked for one answer, and for a table.
MOST_FRESH, MOST_OF_TABLE = 40, 1_000


@dataclass(frozen=True, slots=True)
class Fresh:
    """An answer as it would be, with those of its questions that are new."""

    answer: IndexedAnswer
    questions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Theft:
    """A question that another answer is given for now.

    `before` is the score of that answer now, `after` that of `taker`, the answer being changed,
    once it is published. `is_own` when the question is one of the other answer's, not a new one.
    """

    question: str
    answer_id: str
    title: str
    before: float
    after: float
    is_own: bool
    taker: str


@dataclass(frozen=True, slots=True)
class Thefts:
    """What was found, and how many new questions were not asked because there were too many."""

    found: Sequence[Theft] = ()
    unasked: int = 0


def thefts(index: FreshIndex, answer: IndexedAnswer, fresh: Sequence[str]) -> list[Theft]:
    """What the fresh questions of `answer`, which holds them already, would take from others."""
    return list(thefts_of(index, [Fresh(answer, fresh)], most=MOST_FRESH).found)


def thefts_of(index: FreshIndex, changed: Sequence[Fresh], *, most: int = MOST_OF_TABLE) -> Thefts:
    """The same for many answers that change together; of equal questions the first counts."""
    holders: dict[str, str] = {}
    for one in changed:
        for question in one.questions:
            if question:
                holders.setdefault(question, one.answer.answer_id)
    if not holders:
        return Thefts()
    asked = dict(list(holders.items())[:most])
    try:
        live = index.current()
        candidate = index.candidate({one.answer.answer_id: one.answer for one in changed})
    except IndexMissing:
        return Thefts()
    found = _Comparison(live, candidate, frozenset(one.answer.answer_id for one in changed))
    return Thefts(found.thefts(asked, most=most), len(holders) - len(asked))


class _Comparison:
    """Questions asked of what is live and of what would be."""

    def __init__(self, live: SearchIndex, candidate: SearchIndex, changing: frozenset[str]) -> None:
        self._live = live
        self._now, self._then = Retriever(OneIndex(live)), Retriever(OneIndex(candidate))
        self._changing = changing

    def thefts(self, asked: dict[str, str], *, most: int) -> list[Theft]:
        """Of the asked questions by the answer that would hold them, and of their neighbours'."""
        found: dict[str, Theft] = {}
        near: dict[str, dict[str, None]] = {}
        for question, taker in asked.items():
            result = self._now.search(question)
            beside = near.setdefault(taker, {})
            beside |= dict.fromkeys(_neighbours(result, taker))
            theft = self._of_fresh(result, question, taker)
            if theft is not None:
                found[question] = theft
        neighbours = frozenset(one for beside in near.values() for one in list(beside)[:NEIGHBOURS])
        own = (pair for pair in _own_questions(self._live, neighbours) if pair[0] not in found)
        for question, owner in islice(own, max(most, NEIGHBOURS * ASKED_OF_EACH)):
            theft = self._of_owner(question, owner)
            if theft is not None:
                found[question] = theft
        return list(found.values())

    def _of_fresh(self, result: SearchResult, question: str, taker: str) -> Theft | None:
        """Whether a new question is, or in its table would be, answered by another answer."""
        top = _given(result)
        is_other = top is not None and top.answer_id != taker
        if not is_other and len(self._changing) == 1:
            return None
        after = self._then.search(question)
        winner = top if is_other else _given(after)
        if winner is None or winner.answer_id == taker:
            return None
        if not is_other and winner.answer_id not in self._changing:
            return None
        return Theft(
            question,
            winner.answer_id,
            winner.title,
            winner.score,
            _score(after, taker),
            is_own=False,
            taker=taker,
        )

    def _of_owner(self, question: str, owner: IndexedAnswer) -> Theft | None:
        """Whether a question of another answer would lead to a changed one instead."""
        after = _given(self._then.search(question, limit=1))
        if after is None or after.answer_id not in self._changing - {owner.answer_id}:
            return None
        before = _given(self._now.search(question, limit=1))
        if before is None or before.answer_id != owner.answer_id:
            return None  # It did not lead there before either.
        return Theft(
            question,
            owner.answer_id,
            owner.title,
            before.score,
            after.score,
            is_own=True,
            taker=after.answer_id,
        )


def _neighbours(result: SearchResult, answer_id: str) -> list[str]:
    return [
        one.answer_id
        for one in result.candidates[:NEAREST]
        if one.origin is AnswerOrigin.ARTICLE and one.answer_id != answer_id
    ]


def _own_questions(
    live: SearchIndex, neighbours: frozenset[str]
) -> Iterator[tuple[str, IndexedAnswer]]:
    for owner in live.published:
        if owner.answer_id in neighbours:
            yield from ((question, owner) for question in owner.questions[:ASKED_OF_EACH])


def _given(result: SearchResult) -> Candidate | None:
    """The answer that a user would be given at once."""
    return result.candidates[0] if result.candidates and result.band is Band.ANSWER else None


def _score(result: SearchResult, answer_id: str) -> float:
    return next((one.score for one in result.candidates if one.answer_id == answer_id), 0.0)
