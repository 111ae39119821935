"""Answers published or withdrawn since the index was built, searchable without building it anew.

The built index stays as it is; what changed is laid over it in parts (`kb.laid_part`). The next
build takes everything in. Refuses to train.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import zip_longest
from typing import Self

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from kb.articles import Corpus, IndexedAnswer
from kb.covered import Holder
from kb.encoder import Vectors
from kb.laid_part import (
    LARGEST_PART,
    PART_ANSWERS,
    LaidTexts,
    Part,
    Prepared,
    Rows,
    prepare,
    rarity,
)
from kb.lexical import LexicalField
from kb.search_index import (
    FIELDS,
    NEAREST_ANCHORS,
    NEAREST_ANSWERS,
    Searchable,
    SearchIndex,
    top_rows,
)


class LaidField:
    """A BM25 field with a few more texts, weighed by the rarities of the field below."""

    def __init__(
        self,
        below: LexicalField,
        name: str,
        parts: Sequence[LaidTexts],
        gone: NDArray[np.bool_],
    ) -> None:
        """`gone` has every answer, those below first."""
        self._below = below
        self._gone = gone
        self._tokenise = FIELDS[name].tokenise
        self._parts = parts
        self._firsts = np.cumsum([len(gone) - sum(map(len, parts)), *map(len, parts)])

    def scores(self, query: str) -> NDArray[np.float32]:
        """Per answer, those below first, the share of the query's highest possible score."""
        sought = list(dict.fromkeys(self._tokenise(query)))
        highest, highest_below = self._highest(sought)
        if highest <= 0.0:
            return np.zeros(len(self._gone), np.float32)
        below = self._below.scores(query) * np.float32(highest_below / highest)
        laid = [part.best(sought) / np.float32(highest) for part in self._parts]
        return np.where(self._gone, np.float32(0.0), np.concatenate([below, *laid]))

    def holds(self, token: str, rows: Rows) -> NDArray[np.bool_]:
        """Per answer row whether it has the token; for a field of one text per answer.

        The rows ascend.
        """
        held = self._below.holds(token, rows)
        for first, part in zip(self._firsts, self._parts, strict=False):
            start, end = np.searchsorted(rows, [first, first + len(part)])
            if start < end:
                held[start:end] = part.holds(token, rows[start:end] - first)
        return held

    def _highest(self, sought: Sequence[str]) -> tuple[float, float]:
        """The highest score with and without the texts laid over."""
        together = below = 0.0
        for token in sought:
            known = self._below.rarity(token)
            unknown = self._below.rarity_of_unknown
            below += unknown if known is None else known
            is_laid = known or any(token in part for part in self._parts)
            together += rarity(self._below, token) if is_laid else unknown
        return together, below


@dataclass(frozen=True, slots=True)
class LaidSearchable(Searchable):
    """The searchable parts of a built index with changed answers after its own.

    `vectors` and `starts` are those of the index below; `gone` and `is_passage` have every row.
    """

    gone: NDArray[np.bool_]
    laid_vectors: NDArray[np.float16]
    laid_starts: Rows
    laid_anchors: Vectors
    laid_owners: Rows
    laid_fields: Mapping[str, LaidField]

    @override
    def is_gone(self, row: int) -> bool:
        """Whether the answer of this row has been withdrawn or replaced since."""
        return bool(self.gone[row])

    @override
    def _units(self, row: int) -> NDArray[np.float16]:
        place = row - (len(self.starts) - 1)
        if place < 0:
            return self.vectors[self.starts[row] : self.starts[row + 1]]
        return self.laid_vectors[self.laid_starts[place] : self.laid_starts[place + 1]]

    @property
    @override
    def _holders(self) -> Mapping[str, Holder]:
        return self.laid_fields

    @override
    def _lexical(self, query: str) -> dict[str, Vectors]:
        return {name: field.scores(query) for name, field in self.laid_fields.items()}

    @override
    def _rows(self, vector: Vectors, lexical: Mapping[str, Vectors]) -> Rows:
        near, likeness = self.anchors.search(vector, NEAREST_ANCHORS)
        owners = np.concatenate([self.anchor_owners[near], self.laid_owners])
        likeness = np.concatenate([likeness, self.laid_anchors @ vector])
        kept = ~self.gone[owners]
        ranked = owners[kept][np.argsort(-likeness[kept], kind="stable")]
        nearest = list(dict.fromkeys(ranked.tolist()))[:NEAREST_ANSWERS]
        found = [np.asarray(nearest, np.int64), *map(top_rows, lexical.values())]
        return np.unique(np.concatenate(found))


@dataclass(frozen=True)
class Overlay:
    """Everything that changed since one index was built. Values only; it is never changed.

    `changed` has the answer as it is now by id, None for a withdrawn one; `gone` are the rows of
    the index whose answer has been withdrawn or replaced, `base_rows` where each answer stands in
    it. The rows of the parts come after those of the index, and all of them count.
    """

    base: SearchIndex
    base_rows: Mapping[str, int]
    changed: Mapping[str, IndexedAnswer | None]
    parts: tuple[Part, ...]
    gone: frozenset[int]

    @classmethod
    def over(cls, base: SearchIndex) -> Self:
        """Nothing over an index."""
        rows = {one.answer_id: row for row, one in enumerate(base.answers)}
        return cls(base, rows, {}, (), frozenset())

    def with_changes(self, changed: Mapping[str, IndexedAnswer | None]) -> Self:
        """The same and these; only what differs from before is encoded."""
        news = {
            key: one
            for key, one in changed.items()
            if key not in self.changed or self.changed[key] != one
        }
        if not news:
            return self
        found = (self.base_rows.get(key) for key in news)
        fresh = prepare(self.base, [one for one in news.values() if one is not None])
        return replace(
            self,
            changed={**self.changed, **news},
            parts=self._parts(news, fresh),
            gone=self.gone.union(row for row in found if row is not None),
        )

    def _parts(self, left: Container[str], fresh: list[Prepared]) -> tuple[Part, ...]:
        """The parts without answers that are left out, and with fresh ones at their end."""
        groups = [
            [one for one in part.prepared if one.answer.answer_id not in left]
            for part in self.parts
        ]
        if groups and len(groups[-1]) + len(fresh) <= PART_ANSWERS:
            groups[-1] += fresh
        else:
            groups += [
                fresh[start : start + LARGEST_PART] for start in range(0, len(fresh), LARGEST_PART)
            ]
        parts = zip_longest(groups, self.parts)
        return tuple(self._part(group, part) for group, part in parts if group)

    def _part(self, group: Sequence[Prepared], before: Part | None) -> Part:
        if before is None or list(map(id, before.prepared)) != list(map(id, group)):
            return Part.build(self.base, group)
        return before

    @cached_property
    def index(self) -> SearchIndex:
        """The index to search: the built one, and the changes over it."""
        if not self.changed:
            return self.base
        laid = [one for part in self.parts for one in part.prepared]
        searchable = self._searchable()
        revision = f"{self.base.manifest.revision}+{abs(hash(tuple(self.changed.items()))):x}"
        manifest = replace(
            self.base.manifest,
            revision=revision,
            answers=int((~searchable.gone).sum()),
            units=len(searchable.vectors) + len(searchable.laid_vectors),
        )
        answers = (*self.base.answers, *(one.answer for one in laid))
        return replace(self.base, manifest=manifest, answers=answers, searchable=searchable)

    def _searchable(self) -> LaidSearchable:
        below, parts = self.base.searchable, self.parts
        gone = np.zeros(len(self.base.answers) + sum(map(len, parts)), bool)
        gone[list(self.gone)] = True
        nothing = np.zeros((0, below.embedder.dimension), np.float16)
        firsts = np.cumsum([len(self.base.answers), *map(len, parts)])
        units = np.cumsum([0, *(len(part.vectors) for part in parts)])
        placed = list(zip(firsts, units, parts, strict=False))
        kept = {field.name: getattr(below, field.name) for field in fields(Searchable)}
        kept |= {
            "is_passage": np.concatenate([below.is_passage, *(part.is_passage for part in parts)]),
            "coverage": below.coverage.extended([(len(p), p.counts) for p in parts]),
        }
        return LaidSearchable(
            **kept,
            gone=gone,
            laid_vectors=np.concatenate([nothing, *(part.vectors for part in parts)]),
            laid_starts=np.concatenate(
                [[0], *(unit + part.starts[1:] for _, unit, part in placed)]
            ).astype(np.int64),
            laid_anchors=np.concatenate(
                [nothing.astype(np.float32), *(part.anchors for part in parts)]
            ),
            laid_owners=np.concatenate(
                [np.zeros(0, np.int64), *(first + part.owners for first, _, part in placed)]
            ),
            laid_fields={
                name: LaidField(field, name, [part.fields[name] for part in parts], gone)
                for name, field in below.fields.items()
            },
        )


def differences(index: SearchIndex, corpus: Corpus) -> dict[str, IndexedAnswer | None]:
    """What would have to be laid over the index for it to hold exactly this."""
    known = {answer.answer_id: answer for answer in index.published}
    now = {answer.answer_id: answer for answer in corpus.answers}
    changed: dict[str, IndexedAnswer | None] = {key: None for key in known if key not in now}
    return changed | {key: one for key, one in now.items() if known.get(key) != one}
