"""Questions with known answers for calibrating a deployment: asked, or held out of its own index.

A held-out question is asked of an index that was trained without it, as a user's is; some entries
are left out whole, so that "nothing answers this" is known too. Refuses to ask the live index a
question that it holds word for word.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np

from kb.articles import Corpus
from kb.calibration import SHARES
from kb.calibration import Asked as Sort
from kb.calibration_map import Asked, margins_of
from kb.evaluate import Question
from kb.fusion import scores
from kb.golden import OneIndex
from kb.retriever import Retriever
from kb.search_index import Searchable, SearchIndex, Words
from kb.settings import KnowledgeSettings
from kb.train import HeldOut, HeldOutQuestion, held_out_embedder, hold_out
from kb.units import search_texts

#: More candidates than a search ever has: all of them are needed to know what is left for "none".
_ALL = 10_000
#: Holding out goes on until so many questions are answerable, or so many rounds are done.
ENOUGH_ANSWERABLE, MOST_ROUNDS = 200, 6


def ask_index(
    index: SearchIndex, questions: Sequence[Question], *, today: date
) -> tuple[list[Asked], int]:
    """Questions asked of an index by the live search, and how many it holds word for word."""
    retriever = Retriever(OneIndex(index))
    held = {
        index.normaliser.query(question)
        for answer in index.published
        for question in answer.questions
    }
    asked, known = [], 0
    for question in questions:
        if index.normaliser.query(question.text) in held:
            known += 1
            continue
        found = retriever.search(question.text, limit=_ALL, today=today)
        ids = [candidate.answer_id for candidate in found.candidates]
        right = np.array([one in question.answers for one in ids], bool)
        asked.append(Asked(margins_of(found.probabilities), right, bool(question.answers)))
    return asked, known


def ask_held_out(
    index: SearchIndex, negatives: Sequence[str], settings: KnowledgeSettings
) -> list[Asked]:
    """Questions held out of what this index holds; none when it has too few articles.

    Others than training fitted the weights on; a small table is held out of several times. Each
    sort counts for its share (`kb.calibration.SHARES`) however many of it there are.
    """
    texts = search_texts(Corpus(index.published), index.normaliser)
    seen = index.normaliser
    foreign = [seen.marked(seen.query(text)) for text in negatives]
    asked: list[Asked] = []
    for number in range(1, MOST_ROUNDS + 1):
        held = hold_out(texts, foreign, settings.seed + number)
        if held is None:
            return []
        asked += _ask_round(index, held, settings)
        if sum(one.answerable for one in asked) >= ENOUGH_ANSWERABLE:
            break
    return asked


def _ask_round(index: SearchIndex, held: HeldOut, settings: KnowledgeSettings) -> list[Asked]:
    words = Words.build(held.texts, index.searchable.coverage.everyday)
    searchable = Searchable.build(held.texts, held_out_embedder(held.texts, settings), words)
    counts = {sort: sum(one.asked is sort for one in held.questions) for sort in Sort}
    total = len(held.questions)
    holders: dict[str, set[int]] = {}
    for row, text in enumerate(held.texts):
        for head in text.heads:
            holders.setdefault(head, set()).add(row)
    return [
        _asked(
            index,
            searchable,
            one,
            rows=holders.get(one.text, set()) | ({one.gold} if one.gold is not None else set()),
            weight=total * SHARES[one.asked] / counts[one.asked],
        )
        for one in held.questions
    ]


def _asked(
    index: SearchIndex,
    searchable: Searchable,
    question: HeldOutQuestion,
    *,
    rows: set[int],
    weight: float,
) -> Asked:
    """`rows` answer it: its own entry, and any other that has the same question."""
    hits = searchable.signals(question.text)
    # A passage may well answer what was asked of an entry; nobody has said so.
    hits = hits.only(~hits.is_passage)
    found = scores(index.fusion.weights, hits.signals, hits.is_passage, hits.query)
    right = np.isin(hits.answers, list(rows))
    return Asked(margins_of(found.tolist()), right, bool(rows), weight)
