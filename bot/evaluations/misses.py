"""Why a question went wrong: what won instead, with which signals, and which words are missing.

Refuses to correct anything; editors do.
"""

from bot.evaluations.records import Miss, WorstQuery
from kb.articles import IndexedAnswer
from kb.coverage import KINDS
from kb.evaluate import Question
from kb.fusion import Band
from kb.retriever import SearchResult
from kb.search_index import SearchIndex

#: How many are explained; nobody reads more at a time.
WORST = 60
_MISSING_WORDS = 8
_ORDER = {miss: place for place, miss in enumerate(Miss)}


def miss_of(question: Question, rank: int, band: Band) -> Miss | None:
    """What went wrong; None when the question was answered, or refused, as it should be.

    An answerable question whose answer comes first and is offered went right.
    """
    if not question.answers:
        return Miss.ANSWERED_FOREIGN if band is Band.ANSWER else None
    if rank != 1 and band is Band.ANSWER:
        return Miss.ANSWERED_WRONG
    if rank == 0:
        return Miss.NOT_FOUND
    if rank > 1:
        return Miss.NOT_FIRST
    return Miss.NOT_OFFERED if band is Band.NONE else None


def order_of(miss: Miss) -> int:
    """The worst first."""
    return _ORDER[miss]


def explain(
    index: SearchIndex,
    question: Question,
    result: SearchResult,
    *,
    group: str,
    miss: Miss,
    rank: int,
    baseline_rank: int,
) -> WorstQuery:
    """One question with everything that tells why."""
    winner = result.candidates[0] if result.candidates else None
    right = next((one for one in index.published if one.answer_id in question.answers), None)
    placed = result.candidates[rank - 1] if rank else None
    compared = right or _answer(index, winner.answer_id if winner else "")
    return WorstQuery(
        group=group,
        text=question.text,
        miss=miss,
        band=result.band,
        winner=winner.title if winner else "",
        winner_id=winner.answer_id if winner else "",
        score=result.probabilities[0] if result.probabilities else 0.0,
        lexical=winner.lexical if winner else 0.0,
        dense=winner.dense if winner else 0.0,
        expected=placed.title if placed else right.title if right else "",
        rank=rank,
        expected_score=result.probabilities[rank - 1] if rank else 0.0,
        baseline_rank=baseline_rank,
        missing=missing_words(index, result.query, compared) if compared else (),
    )


def missing_words(index: SearchIndex, query: str, answer: IndexedAnswer) -> tuple[str, ...]:
    """Words of a normalised query that an answer has nowhere, in the order of the query."""
    texts = (*answer.questions, answer.title, answer.text, *answer.source.section)
    held = " ".join(index.normaliser.text(text) for text in texts)
    words = dict.fromkeys(KINDS["words"](query))
    sought = [word for word in words if word not in held and any(map(str.isalnum, word))]
    return tuple(sought[:_MISSING_WORDS])


def _answer(index: SearchIndex, answer_id: str) -> IndexedAnswer | None:
    return next((one for one in index.published if one.answer_id == answer_id), None)
