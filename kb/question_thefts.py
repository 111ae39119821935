"""What new questions of an answer take from other answers, before anybody keeps them.

Two ways: the question itself is answered by another answer now, or a question of another answer
would be answered by this one afterwards. Asks the live index and a candidate that nobody else
searches. Refuses to decide; editors see what would change.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kb.articles import AnswerOrigin, IndexedAnswer
from kb.errors import IndexMissing
from kb.fresh_index import FreshIndex
from kb.fusion import Band
from kb.golden import OneIndex
from kb.retriever import Candidate, Retriever, SearchResult
from kb.search_index import SearchIndex

#: The answers nearest to each new question, of all of them together, and the questions of each
#: that are asked again.
NEAREST, NEIGHBOURS, ASKED_OF_EACH = 3, 8, 12
#: A candidate index is made and asked for so many new questions; more are an import.
MOST_FRESH = 40


@dataclass(frozen=True, slots=True)
class Theft:
    """A question that another answer is given for now.

    `before` is the score of that answer now, `after` that of the answer being edited once it is
    published. `is_own` when the question is one of the other answer's, not a new one.
    """

    question: str
    answer_id: str
    title: str
    before: float
    after: float
    is_own: bool


def thefts(index: FreshIndex, answer: IndexedAnswer, fresh: Sequence[str]) -> list[Theft]:
    """What the fresh questions of `answer`, which holds them already, would take from others."""
    asked = [one for one in dict.fromkeys(fresh) if one][:MOST_FRESH]
    if not asked:
        return []
    try:
        live = index.current()
        candidate = index.candidate({answer.answer_id: answer})
    except IndexMissing:
        return []
    return _thefts(live, candidate, answer.answer_id, asked)


def _thefts(
    live: SearchIndex, candidate: SearchIndex, answer_id: str, asked: Sequence[str]
) -> list[Theft]:
    now, then = Retriever(OneIndex(live)), Retriever(OneIndex(candidate))
    found: dict[str, Theft] = {}
    near: dict[str, None] = {}
    for question in asked:
        result = now.search(question)
        near |= dict.fromkeys(_neighbours(result, answer_id))
        top = _given(result)
        if top is not None and top.answer_id != answer_id:
            after = _score(then.search(question), answer_id)
            found[question] = Theft(
                question, top.answer_id, top.title, top.score, after, is_own=False
            )
    neighbours = frozenset(list(near)[:NEIGHBOURS])
    for question, owner in _own_questions(live, neighbours):
        theft = None if question in found else _taken(now, then, question, owner, answer_id)
        if theft is not None:
            found[question] = theft
    return list(found.values())


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


def _taken(
    now: Retriever, then: Retriever, question: str, owner: IndexedAnswer, answer_id: str
) -> Theft | None:
    """Whether a question of another answer would lead to this one instead."""
    after = _given(then.search(question, limit=1))
    if after is None or after.answer_id != answer_id:
        return None
    before = _given(now.search(question, limit=1))
    if before is None or before.answer_id != owner.answer_id:
        return None  # It did not lead there before either.
    return Theft(question, owner.answer_id, owner.title, before.score, after.score, is_own=True)


def _given(result: SearchResult) -> Candidate | None:
    """The answer that a user would be given at once."""
    return result.candidates[0] if result.candidates and result.band is Band.ANSWER else None


def _score(result: SearchResult, answer_id: str) -> float:
    return next((one.score for one in result.candidates if one.answer_id == answer_id), 0.0)
