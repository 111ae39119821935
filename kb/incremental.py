"""Answers published or withdrawn since the index was built, searchable without building it anew.

The built index stays as it is; what changed is encoded with its embedder, weighed with its
weights and laid over it. The next build takes everything in. Refuses to train.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from kb.articles import AnswerOrigin, Corpus, IndexedAnswer
from kb.covered import Holder
from kb.encoder import Vectors
from kb.lexical import LexicalField
from kb.postings import K1
from kb.search_index import (
    FIELDS,
    NEAREST_ANCHORS,
    NEAREST_ANSWERS,
    Searchable,
    SearchIndex,
    anchors_of,
    top_rows,
)
from kb.units import SearchText, search_texts

#: The weight of each token of a text.
TextWeights = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Prepared:
    """One changed answer as search needs it; encoding and weighing are done once.

    `weights` has, by field, those of each text that the field has of it.
    """

    answer: IndexedAnswer
    text: SearchText
    vectors: Vectors
    weights: Mapping[str, Sequence[TextWeights]]


class LaidField:
    """A BM25 field with a few more texts, weighed by the rarities of the field below."""

    def __init__(
        self,
        below: LexicalField,
        name: str,
        laid: Sequence[Sequence[TextWeights]],
        gone: NDArray[np.bool_],
    ) -> None:
        """`laid` has, for each answer laid over, its texts of this field (`text_weights`)."""
        self._below = below
        self._gone = gone
        self._tokenise = FIELDS[name].tokenise
        self._count = len(laid)
        self._owners: list[int] = []
        self._postings: dict[str, list[tuple[int, float]]] = {}
        for row, texts in enumerate(laid):
            for weights in texts:
                document = len(self._owners)
                self._owners.append(row)
                for token, weight in weights.items():
                    self._postings.setdefault(token, []).append((document, weight))

    def scores(self, query: str) -> NDArray[np.float32]:
        """Per answer, those below first, the share of the query's highest possible score."""
        sought = list(dict.fromkeys(self._tokenise(query)))
        highest, highest_below = self._highest(sought)
        below = self._below.scores(query)
        below = np.where(self._gone, np.float32(0.0), below)
        laid = np.zeros(self._count, dtype=np.float32)
        if highest <= 0.0:
            return np.concatenate([below, laid])
        sums = np.zeros(len(self._owners), dtype=np.float32)
        for token in sought:
            for document, weight in self._postings.get(token, ()):
                sums[document] += weight
        np.maximum.at(laid, np.asarray(self._owners, np.int64), sums / highest)
        return np.concatenate([below * np.float32(highest_below / highest), laid])

    def holds(self, token: str, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Per answer row whether it has the token; for a field of one text per answer."""
        first = len(self._gone)
        below = self._below.holds(token, rows)
        owners = [self._owners[place] for place, _ in self._postings.get(token, ())]
        return below | np.isin(rows, first + np.asarray(owners, np.int64))

    def _highest(self, sought: Sequence[str]) -> tuple[float, float]:
        """The highest score with and without the texts laid over."""
        together = below = 0.0
        for token in sought:
            known = self._below.rarity(token)
            unknown = self._below.rarity_of_unknown
            below += unknown if known is None else known
            is_laid = known or token in self._postings
            together += _rarity(self._below, token) if is_laid else unknown
        return together, below


def text_weights(below: LexicalField, name: str, text: str) -> TextWeights:
    """BM25 weights of a text laid over the field of this name."""
    counts: dict[str, int] = {}
    for token in FIELDS[name].tokenise(text):
        counts[token] = counts.get(token, 0) + 1
    # The lengths below are not kept; the count of different tokens stands for them.
    length = len(counts) / below.mean_distinct
    length_weight = FIELDS[name].length_weight
    norm = K1 * (1.0 - length_weight + length_weight * length)
    return {
        token: _rarity(below, token) * count / (count + norm) for token, count in counts.items()
    }


def _rarity(below: LexicalField, token: str) -> float:
    known = below.rarity(token)
    return below.rarity_of_news if known is None else known


@dataclass(frozen=True, slots=True)
class LaidSearchable(Searchable):
    """The searchable parts of a built index with changed answers after its own."""

    gone: NDArray[np.bool_]
    laid_anchors: Vectors
    laid_owners: NDArray[np.int64]
    laid_fields: Mapping[str, LaidField]

    @override
    def is_gone(self, row: int) -> bool:
        """Whether the answer of this row has been withdrawn or replaced since."""
        return row < len(self.gone) and bool(self.gone[row])

    @property
    @override
    def _holders(self) -> Mapping[str, Holder]:
        return self.laid_fields

    @override
    def _lexical(self, query: str) -> dict[str, Vectors]:
        return {name: field.scores(query) for name, field in self.laid_fields.items()}

    @override
    def _rows(self, vector: Vectors, lexical: Mapping[str, Vectors]) -> NDArray[np.int64]:
        near, likeness = self.anchors.search(vector, NEAREST_ANCHORS)
        owners = self.anchor_owners[near]
        kept = ~self.gone[owners]
        owners = np.concatenate([owners[kept], self.laid_owners])
        likeness = np.concatenate([likeness[kept], self.laid_anchors @ vector])
        ranked = owners[np.argsort(-likeness, kind="stable")]
        nearest = list(dict.fromkeys(ranked.tolist()))[:NEAREST_ANSWERS]
        found = [np.asarray(nearest, np.int64), *map(top_rows, lexical.values())]
        return np.unique(np.concatenate(found))


class Overlay:
    """Everything that changed since one index was built. Values only; it is never changed."""

    def __init__(
        self,
        base: SearchIndex,
        changed: Mapping[str, IndexedAnswer | None],
        known: Mapping[str, Prepared] | None = None,
        rows: Mapping[str, int] | None = None,
    ) -> None:
        """`changed` has the answer as it is now by id, None for a withdrawn one.

        `known` is what was prepared before, `rows` the rows of the base by answer.
        """
        self.base = base
        self.changed = dict(changed)
        answers = [answer for answer in changed.values() if answer is not None]
        self._prepared = _prepare(base, answers, known or {})
        self._rows = rows or {one.answer_id: row for row, one in enumerate(base.answers)}

    def with_changes(self, changed: Mapping[str, IndexedAnswer | None]) -> "Overlay":
        """The same and these; what was encoded before is not encoded again."""
        return Overlay(self.base, {**self.changed, **changed}, self._prepared, self._rows)

    @cached_property
    def index(self) -> SearchIndex:
        """The index to search: the built one, and the changes over it."""
        if not self.changed:
            return self.base
        laid = list(self._prepared.values())
        gone = np.zeros(len(self.base.answers), bool)
        gone[[self._rows[one] for one in self.changed if one in self._rows]] = True
        searchable = _laid_over(self.base, gone, laid)
        revision = f"{self.base.manifest.revision}+{abs(hash(tuple(self.changed.items()))):x}"
        manifest = replace(
            self.base.manifest,
            revision=revision,
            answers=int((~searchable.gone).sum()) + len(laid),
            units=len(searchable.vectors),
        )
        answers = (*self.base.answers, *(one.answer for one in laid))
        return replace(self.base, manifest=manifest, answers=answers, searchable=searchable)


def differences(index: SearchIndex, corpus: Corpus) -> dict[str, IndexedAnswer | None]:
    """What would have to be laid over the index for it to hold exactly this."""
    known = {answer.answer_id: answer for answer in index.published}
    now = {answer.answer_id: answer for answer in corpus.answers}
    changed: dict[str, IndexedAnswer | None] = {key: None for key in known if key not in now}
    return changed | {key: one for key, one in now.items() if known.get(key) != one}


def _prepare(
    base: SearchIndex, answers: Sequence[IndexedAnswer], known: Mapping[str, Prepared]
) -> dict[str, Prepared]:
    fresh = [a for a in answers if a.answer_id not in known or known[a.answer_id].answer != a]
    texts = search_texts(Corpus(tuple(fresh)), base.normaliser)
    units = [unit for text in texts for unit in text.units]
    embedder = base.searchable.embedder
    vectors = embedder.encode_texts(units).reshape(len(units), embedder.dimension)
    ends = np.cumsum([len(text.units) for text in texts])[:-1]
    parts = np.split(vectors, ends) if texts else []
    made = {
        answer.answer_id: Prepared(answer, text, part, _weighed(base, text))
        for answer, text, part in zip(fresh, texts, parts, strict=True)
    }
    return {a.answer_id: made.get(a.answer_id) or known[a.answer_id] for a in answers}


def _weighed(base: SearchIndex, text: SearchText) -> Mapping[str, Sequence[TextWeights]]:
    return {
        name: [text_weights(field, name, own) for own in FIELDS[name].texts(text)]
        for name, field in base.searchable.fields.items()
    }


def _laid_over(
    base: SearchIndex, gone: NDArray[np.bool_], laid: Sequence[Prepared]
) -> LaidSearchable:
    below = base.searchable
    texts = [one.text for one in laid]
    nothing = np.zeros((0, below.embedder.dimension), np.float32)
    vectors = np.concatenate([nothing, *(one.vectors for one in laid)])
    starts = np.cumsum([0, *(len(one.vectors) for one in laid)])
    is_passage = np.array([text.origin is AnswerOrigin.PASSAGE for text in texts], bool)
    anchors, owners = anchors_of(vectors, starts, is_passage)
    kept = {field.name: getattr(below, field.name) for field in fields(Searchable)}
    kept |= {
        "vectors": np.concatenate([below.vectors, vectors.astype(np.float16)]),
        "starts": np.concatenate([below.starts, below.starts[-1] + starts[1:]]),
        "is_passage": np.concatenate([below.is_passage, is_passage]),
        "coverage": below.coverage.extended([f"{text.head} {text.body}" for text in texts]),
    }
    return LaidSearchable(
        **kept,
        gone=gone,
        laid_anchors=anchors,
        laid_owners=owners + len(base.answers),
        laid_fields={
            name: LaidField(field, name, [one.weights[name] for one in laid], gone)
            for name, field in below.fields.items()
        },
    )
