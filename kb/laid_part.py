"""A few answers that came since the index was built, encoded, weighed and counted once.

Parts are values: a change makes a new small part and leaves the others as they are, so that the
work of publishing one answer does not grow with those published before it. Refuses to search.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kb.articles import AnswerOrigin, Corpus, IndexedAnswer
from kb.coverage import Counts, counted
from kb.encoder import Vectors
from kb.lexical import LexicalField
from kb.postings import K1
from kb.search_index import FIELDS, SearchIndex, anchors_of
from kb.units import SearchText, search_texts

#: Answers in a part that is still added to: it is made anew each time, the others never.
PART_ANSWERS = 32
#: Answers of one publication in a part: a change to one of them makes its part anew.
LARGEST_PART = 256

#: The weight of each token of a text.
TextWeights = Mapping[str, float]
Rows = NDArray[np.int64]
_NONE = (np.zeros(0, np.int64), np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True)
class Prepared:
    """One changed answer as search needs it; encoding and weighing are done once.

    `weights` has, by field, those of each text that the field has of it.
    """

    answer: IndexedAnswer
    text: SearchText
    vectors: Vectors
    weights: Mapping[str, Sequence[TextWeights]]


class LaidTexts:
    """The texts that one field has of a part's answers: which tokens, with what weights."""

    def __init__(self, laid: Sequence[Sequence[TextWeights]]) -> None:
        """`laid` has the texts of each answer."""
        texts_of = np.asarray([len(texts) for texts in laid], np.int64)
        self._owners = np.repeat(np.arange(len(laid)), texts_of)
        self._filled = texts_of > 0
        self._starts = (np.cumsum(texts_of) - texts_of)[self._filled]
        self._postings: dict[str, list[tuple[int, float]]] = {}
        self._arrays: dict[str, tuple[Rows, NDArray[np.float32]]] = {}
        documents = (weights for texts in laid for weights in texts)
        for document, weights in enumerate(documents):
            for token, weight in weights.items():
                self._postings.setdefault(token, []).append((document, weight))

    def __len__(self) -> int:
        return len(self._filled)

    def __contains__(self, token: str) -> bool:
        return token in self._postings

    def best(self, sought: Iterable[str]) -> NDArray[np.float32]:
        """Per answer the highest sum of weights that one of its texts reaches."""
        sums = np.zeros(len(self._owners), dtype=np.float32)
        for token in sought:
            documents, weights = self._of(token)
            sums[documents] += weights
        best = np.zeros(len(self), dtype=np.float32)
        if len(self._starts):
            best[self._filled] = np.maximum.reduceat(sums, self._starts)
        return best

    def holds(self, token: str, places: Rows) -> NDArray[np.bool_]:
        """Per place of an answer whether it has the token."""
        having = np.zeros(len(self), bool)
        having[self._owners[self._of(token)[0]]] = True
        return having[places]

    def _of(self, token: str) -> tuple[Rows, NDArray[np.float32]]:
        found = self._arrays.get(token)
        if found is not None:
            return found
        pairs = self._postings.get(token)
        if pairs is None:  # not kept: whatever people ask would pile up here
            return _NONE
        documents, weights = zip(*pairs, strict=True)
        made = np.asarray(documents, np.int64), np.asarray(weights, np.float32)
        self._arrays[token] = made
        return made


@dataclass(frozen=True, slots=True)
class Part:
    """Some answers laid over an index. `starts` delimits each one's rows of `vectors`."""

    prepared: tuple[Prepared, ...]
    fields: Mapping[str, LaidTexts]
    vectors: NDArray[np.float16]
    starts: Rows
    anchors: Vectors
    owners: Rows
    is_passage: NDArray[np.bool_]
    counts: Counts

    def __len__(self) -> int:
        return len(self.prepared)

    @classmethod
    def build(cls, base: SearchIndex, prepared: Sequence[Prepared]) -> Self:
        """Of prepared answers, one or more."""
        texts = [one.text for one in prepared]
        vectors = np.concatenate([one.vectors for one in prepared])
        starts = np.cumsum([0, *(len(one.vectors) for one in prepared)])
        is_passage = np.array([text.origin is AnswerOrigin.PASSAGE for text in texts], bool)
        anchors, owners = anchors_of(vectors, starts, is_passage)
        return cls(
            prepared=tuple(prepared),
            fields={
                name: LaidTexts([one.weights[name] for one in prepared])
                for name in base.searchable.fields
            },
            vectors=vectors.astype(np.float16),
            starts=starts,
            anchors=anchors,
            owners=owners,
            is_passage=is_passage,
            counts=counted([f"{text.head} {text.body}" for text in texts]),
        )


def prepare(base: SearchIndex, answers: Sequence[IndexedAnswer]) -> list[Prepared]:
    """Encode and weigh answers with the embedder and the rarities of the index."""
    texts = search_texts(Corpus(tuple(answers)), base.normaliser)
    units = [unit for text in texts for unit in text.units]
    embedder = base.searchable.embedder
    vectors = embedder.encode_texts(units).reshape(len(units), embedder.dimension)
    ends = np.cumsum([len(text.units) for text in texts])[:-1]
    parts = np.split(vectors, ends) if texts else []
    return [
        Prepared(answer, text, part, _weighed(base, text))
        for answer, text, part in zip(answers, texts, parts, strict=True)
    ]


def text_weights(below: LexicalField, name: str, text: str) -> TextWeights:
    """BM25 weights of a text laid over the field of this name."""
    counts: dict[str, int] = {}
    for token in FIELDS[name].tokenise(text):
        counts[token] = counts.get(token, 0) + 1
    # The lengths below are not kept; the count of different tokens stands for them.
    length = len(counts) / below.mean_distinct
    length_weight = FIELDS[name].length_weight
    norm = K1 * (1.0 - length_weight + length_weight * length)
    return {token: rarity(below, token) * count / (count + norm) for token, count in counts.items()}


def rarity(below: LexicalField, token: str) -> float:
    """The weight of a token that is laid over a field."""
    known = below.rarity(token)
    return below.rarity_of_news if known is None else known


def _weighed(base: SearchIndex, text: SearchText) -> Mapping[str, Sequence[TextWeights]]:
    return {
        name: [text_weights(field, name, own) for own in FIELDS[name].texts(text)]
        for name, field in base.searchable.fields.items()
    }
