"""The search texts of a corpus: what each answer is found by, in the form that search works on.

Every answer has a head (its questions, or the headings that lead to it) and a body (its words).
Refuses to rank: it only prepares.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kb.articles import AnswerOrigin, Corpus, IndexedAnswer
from kb.normalise import Normaliser

#: A body is embedded in windows of whole sentences about this long: a question is answered by a
#: sentence or two, and one vector of a long passage resembles nothing in particular.
WINDOW_CHARS = 120
BODY_CHARS = 4_000

_SENTENCE = re.compile(r"[^。！？!?；;\n]+[。！？!?；;\n]?")


@dataclass(frozen=True, slots=True)
class SearchText:
    """One answer as search sees it: `heads` one text per question, `windows` parts of the body."""

    heads: tuple[str, ...]
    title: str
    body: str
    windows: tuple[str, ...]
    origin: AnswerOrigin

    @property
    def head(self) -> str:
        """All heads as one text."""
        return " ".join(self.heads)

    @property
    def headed_windows(self) -> tuple[str, ...]:
        """Each window after the title, without which it often says not what it is about."""
        return tuple(f"{self.title} {window}" for window in self.windows)

    @property
    def units(self) -> tuple[str, ...]:
        """What is embedded: the heads and, for passages, the windows."""
        return self.heads if self.origin is AnswerOrigin.ARTICLE else self.heads + self.windows


def search_texts(corpus: Corpus, normaliser: Normaliser) -> list[SearchText]:
    """One search text per answer of the corpus, in its order."""
    return [_search_text(answer, normaliser) for answer in corpus.answers]


def _search_text(answer: IndexedAnswer, normaliser: Normaliser) -> SearchText:
    body = answer.text[:BODY_CHARS]
    if answer.origin is AnswerOrigin.ARTICLE:
        heads = [normaliser.query(question) for question in answer.questions]
    else:
        path = " ".join(answer.source.section) or answer.title
        heads = [normaliser.text(f"{answer.source.guide} {path}")]
    texts = filter(None, map(normaliser.text, sentence_windows(body)))
    windows = tuple(map(normaliser.marked, texts))
    return SearchText(
        heads=tuple(normaliser.marked(head) for head in dict.fromkeys(heads) if head),
        title=normaliser.marked(normaliser.text(answer.title)),
        body=" ".join(windows),
        windows=windows,
        origin=answer.origin,
    )


def sentence_windows(text: str, size: int = WINDOW_CHARS) -> Sequence[str]:
    """Consecutive runs of whole sentences of at most about `size` characters."""
    windows: list[str] = []
    for sentence in _SENTENCE.findall(text):
        if windows and len(windows[-1]) + len(sentence) <= size:
            windows[-1] += sentence
        else:
            windows.append(sentence)
    return windows
