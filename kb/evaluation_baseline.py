"""Character-pair BM25 over the published answers: what every evaluation is printed beside.

Deliberately plain: lower-cased pairs of characters, k1 1.2, b 0.75, no word lists, no training.
Refuses to judge: it has no band.
"""

from kb.articles import IndexedAnswer
from kb.evaluate import DEPTH, Ranked, Ranking
from kb.lexical import LexicalField


def pair_tokens(text: str) -> list[str]:
    """Pairs of neighbouring characters without spaces; a single character is its own token."""
    bare = "".join(text.lower().split())
    return [bare[start : start + 2] for start in range(len(bare) - 1)] or [bare]


def pair_bm25(answers: tuple[IndexedAnswer, ...]) -> Ranking:
    """The best of an answer's questions counts; a passage is its headings and its text."""
    texts = [answer.questions or (_passage_text(answer),) for answer in answers]
    field = LexicalField.build(texts, pair_tokens, 0.75)

    def rank(query: str) -> Ranked:
        scores = field.scores(query)
        order = (-scores).argsort(kind="stable")[:DEPTH]
        return Ranked(
            tuple(answers[row].answer_id for row in order),
            tuple(float(scores[row]) for row in order),
        )

    return rank


def _passage_text(answer: IndexedAnswer) -> str:
    return f"{' '.join(answer.source.section)} {answer.text}"
