"""A built search index: answers, vectors, BM25 fields and fitted weights that belong together.

Knows how to find candidates and their signals, to write itself to a folder, and to refuse a folder
whose parts do not fit. Where the folder is and when it is replaced is `kb.index_holder`'s matter.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kb import fusion
from kb.articles import AnswerOrigin, IndexedAnswer, answer_from_json, answer_to_json
from kb.coverage import Coverage
from kb.covered import Holder, covered
from kb.distinct import Distinct
from kb.embedder import Embedder
from kb.encoder import Vectors
from kb.errors import IndexMismatch
from kb.fusion import SIGNALS, Floats, Fusion
from kb.index import DenseIndex
from kb.lexical import LexicalField, Tokenise, lexical_tokens, sound_tokens
from kb.lexicon import Lexicon
from kb.ngrams import tokens
from kb.normalise import Normaliser
from kb.related import unmarked
from kb.units import SearchText

#: Raised whenever the files of an index folder change their meaning.
FORMAT = 4
#: How many anchors are looked up, and how many answers of each search become candidates.
NEAREST_ANCHORS = 96
NEAREST_ANSWERS = 24
LEXICAL_ANSWERS = 16


@dataclass(frozen=True, slots=True)
class _Field:
    """Which texts of an answer a BM25 field looks at, and how."""

    texts: Callable[[SearchText], tuple[str, ...]]
    tokenise: Tokenise
    length_weight: float


#: In the order of `kb.fusion.SIGNALS`.
FIELDS = {
    "head": _Field(lambda text: (text.head,), lexical_tokens, 0.6),
    "body": _Field(lambda text: (text.body,), lexical_tokens, 0.75),
    "window": _Field(lambda text: text.headed_windows, lexical_tokens, 0.5),
    "sound": _Field(lambda text: (f"{text.head} {text.body}",), sound_tokens, 0.75),
}

#: Fields of one text per answer that together have all its words.
COVERING = ("head", "body")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index folder says of itself; checked before it is used."""

    format: int
    revision: str
    corpus: str
    model: str
    dimension: int
    answers: int
    units: int
    built_at: str


@dataclass(frozen=True, slots=True)
class Hits:
    """Candidates of one query by answer row, their signals, and the query's own signals."""

    answers: NDArray[np.int64]
    signals: Floats
    is_passage: NDArray[np.bool_]
    query: Floats

    def only(self, kept: NDArray[np.bool_]) -> Self:
        """The candidates where `kept` is true."""
        return replace(
            self,
            answers=self.answers[kept],
            signals=self.signals[kept],
            is_passage=self.is_passage[kept],
        )


@dataclass(frozen=True, slots=True)
class Words:
    """What is known of the words of every answer, whatever the embedder."""

    fields: Mapping[str, LexicalField]
    coverage: Coverage

    @classmethod
    def build(cls, texts: Sequence[SearchText], everyday: Mapping[str, float]) -> Self:
        """Index every text; answers keep their row numbers."""
        fields = {
            name: LexicalField.build(
                [field.texts(text) for text in texts], field.tokenise, field.length_weight
            )
            for name, field in FIELDS.items()
        }
        return cls(fields, Coverage.build([f"{text.head} {text.body}" for text in texts], everyday))


@dataclass(frozen=True, slots=True)
class Searchable:
    """The searchable parts alone, before weights are fitted for them.

    Every head and window is a unit with a vector. Anchors are what is scanned for candidates: one
    per article (the mean of its units, so that a thousand questions are no more work than a
    hundred answers), and one per unit of a passage.
    """

    embedder: Embedder
    anchors: DenseIndex
    anchor_owners: NDArray[np.int64]
    vectors: NDArray[np.float16]
    starts: NDArray[np.int64]
    is_passage: NDArray[np.bool_]
    fields: Mapping[str, LexicalField]
    coverage: Coverage

    @classmethod
    def build(cls, texts: Sequence[SearchText], embedder: Embedder, words: Words) -> Self:
        """Embed every text and index the vectors; answers keep their row numbers."""
        units = [unit for text in texts for unit in text.units]
        vectors = embedder.encode_texts(units).reshape(len(units), embedder.dimension)
        starts = np.cumsum([0, *(len(text.units) for text in texts)])
        is_passage = np.array([text.origin is AnswerOrigin.PASSAGE for text in texts], bool)
        anchors, owners = anchors_of(vectors, starts, is_passage)
        return cls(
            embedder=embedder,
            anchors=DenseIndex.build(anchors),
            anchor_owners=owners,
            vectors=vectors.astype(np.float16),
            starts=starts,
            is_passage=is_passage,
            fields=words.fields,
            coverage=words.coverage,
        )

    def signals(self, query: str) -> Hits:
        """Every plausible candidate for a normalised query, in order of answer row."""
        vector = self.embedder.encode_queries([query])[0]
        lexical = self._lexical(query)
        rows = self._rows(vector, lexical)
        known = np.stack(
            [
                *self._likeness(vector, rows),
                *(scores[rows] for scores in lexical.values()),
                self._covered(query, rows),
            ],
            axis=1,
        ).astype(np.float64)
        return Hits(
            answers=rows,
            signals=np.concatenate([known, known - known.max(axis=0, initial=0.0)], axis=1),
            is_passage=self.is_passage[rows],
            query=self._query_signals(query),
        )

    def is_gone(self, row: int) -> bool:
        """Whether the answer of this row has been withdrawn since."""
        return False

    def _units(self, row: int) -> NDArray[np.float16]:
        """The vectors of one answer."""
        return self.vectors[self.starts[row] : self.starts[row + 1]]

    def _covered(self, query: str, rows: NDArray[np.int64]) -> Floats:
        words = self.coverage.content(unmarked(query))
        return covered(words, rows, [self._holders[name] for name in COVERING])

    @property
    def _holders(self) -> Mapping[str, Holder]:
        return self.fields

    def _lexical(self, query: str) -> dict[str, Vectors]:
        return {name: field.scores(query) for name, field in self.fields.items()}

    def _rows(self, vector: Vectors, lexical: Mapping[str, Vectors]) -> NDArray[np.int64]:
        near, _likeness = self.anchors.search(vector, NEAREST_ANCHORS)
        nearest = list(dict.fromkeys(self.anchor_owners[near].tolist()))[:NEAREST_ANSWERS]
        found = [np.asarray(nearest, np.int64), *map(top_rows, lexical.values())]
        return np.unique(np.concatenate(found))

    def _likeness(self, vector: Vectors, rows: NDArray[np.int64]) -> tuple[Vectors, Vectors]:
        """Per answer the likeness of its best unit, and that of all its units together."""
        best = np.zeros(len(rows), dtype=np.float32)
        mean = np.zeros(len(rows), dtype=np.float32)
        for number, row in enumerate(rows):
            own = self._units(row).astype(np.float32)
            if len(own):
                best[number] = (own @ vector).max()
                together = own.sum(axis=0)
                mean[number] = together @ vector / max(float(np.linalg.norm(together)), 1e-9)
        return best, mean

    def _query_signals(self, query: str) -> Floats:
        # Marks would make nearly every question look familiar.
        shortness = 1.0 / max(len(tokens(query)), 1)
        return np.array([1.0, *self.coverage.unknown_shares(unmarked(query)), shortness])


def anchors_of(
    vectors: Vectors, starts: NDArray[np.int64], is_passage: NDArray[np.bool_]
) -> tuple[Vectors, NDArray[np.int64]]:
    """What is scanned for candidates, and the row that each belongs to."""
    anchors: list[Vectors] = []
    owners: list[int] = []
    for row, passage in enumerate(is_passage):
        own = vectors[starts[row] : starts[row + 1]]
        if passage:
            anchors.extend(own)
            owners.extend([row] * len(own))
        elif len(own):
            together = own.sum(axis=0)
            anchors.append(together / max(float(np.linalg.norm(together)), 1e-9))
            owners.append(row)
    shape = (len(anchors), vectors.shape[1])
    return np.asarray(anchors, dtype=np.float32).reshape(shape), np.asarray(owners, np.int64)


@dataclass(frozen=True, slots=True)
class SearchIndex:
    """Everything one search needs."""

    manifest: Manifest
    answers: tuple[IndexedAnswer, ...]
    normaliser: Normaliser
    searchable: Searchable
    fusion: Fusion

    def signals(self, query: str) -> Hits:
        """Candidates for a normalised query; none for an empty one."""
        if not query or not self.answers:
            return Hits(
                answers=np.zeros(0, np.int64),
                signals=np.zeros((0, len(SIGNALS))),
                is_passage=np.zeros(0, bool),
                query=np.zeros(len(fusion.QUERY_SIGNALS)),
            )
        return self.searchable.signals(self.normaliser.marked(query))

    @property
    def published(self) -> tuple[IndexedAnswer, ...]:
        """The answers that have not been withdrawn since the index was built."""
        gone = self.searchable.is_gone
        return tuple(answer for row, answer in enumerate(self.answers) if not gone(row))

    def score(self, hits: Hits) -> Floats:
        """The calibrated score of each candidate."""
        return fusion.scores(self.fusion.weights, hits.signals, hits.is_passage, hits.query)

    def mistaken(self, query: str, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these answers are about another word than the one that was asked for."""
        named = self.normaliser.distinct.named(query)
        found = np.zeros(len(rows), bool)
        for place, answer in enumerate(self.answers[row] for row in rows) if named else ():
            heads = "\n".join([answer.title, *answer.questions])
            found[place] = any(one.is_mistaken(heads, answer.text) for one in named)
        return found

    def unmapped_score(self, hits: Hits) -> Floats:
        """The same before this deployment's calibration, if one is in force."""
        weights = self.fusion.unmapped or self.fusion.weights
        return fusion.scores(weights, hits.signals, hits.is_passage, hits.query)

    def save(self, folder: Path) -> None:
        """Write every part; the manifest last, so that a folder without one is no index."""
        folder.mkdir(parents=True)
        parts = self.searchable
        with (folder / "answers.jsonl").open("w", encoding="utf-8") as file:
            for answer in self.answers:
                file.write(json.dumps(answer_to_json(answer), ensure_ascii=False) + "\n")
        parts.anchors.save(folder / "anchors.faiss")
        np.savez(
            folder / "units.npz",
            anchor_owners=parts.anchor_owners,
            vectors=parts.vectors,
            starts=parts.starts,
        )
        for name, field in parts.fields.items():
            field.save(folder / name)
        parts.coverage.save(folder / "coverage.json")
        _write_json(folder / "lexicon.json", asdict(replace(self.normaliser.lexicon, everyday={})))
        _write_json(folder / "fusion.json", self.fusion.to_json())
        _write_json(folder / "manifest.json", asdict(self.manifest))

    @classmethod
    def load(cls, folder: Path, embedder: Embedder, manifest: Manifest) -> Self:
        """Read a folder written by `save`; raises IndexMismatch when its parts do not fit."""
        lines = (folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()
        answers = tuple(answer_from_json(json.loads(line)) for line in lines)
        anchors = DenseIndex.load(folder / "anchors.faiss")
        with np.load(folder / "units.npz") as arrays:
            units = {name: arrays[name] for name in arrays.files}
        _expect("answers", manifest.answers, len(answers))
        _expect("units", manifest.units, len(units["vectors"]))
        _expect("anchors", len(anchors), len(units["anchor_owners"]))
        _expect("dimension of the vectors", manifest.dimension, anchors.dimension)
        _expect("dimension of the model", manifest.dimension, embedder.dimension)
        return cls(
            manifest=manifest,
            answers=answers,
            normaliser=Normaliser(_read_lexicon(folder / "lexicon.json")),
            searchable=Searchable(
                embedder=embedder,
                anchors=anchors,
                anchor_owners=units["anchor_owners"],
                vectors=units["vectors"],
                starts=units["starts"],
                is_passage=np.array([a.origin is AnswerOrigin.PASSAGE for a in answers], bool),
                fields={
                    name: LexicalField.load(folder / name, field.tokenise)
                    for name, field in FIELDS.items()
                },
                coverage=Coverage.load(folder / "coverage.json"),
            ),
            fusion=_read_fusion(folder / "fusion.json"),
        )


def read_manifest(folder: Path) -> Manifest:
    """The manifest of an index folder; raises IndexMismatch for another format."""
    content = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    _expect("format", FORMAT, content.get("format"))
    return Manifest(**content)


def _expect(what: str, expected: object, found: object) -> None:
    if expected != found:
        raise IndexMismatch(what, expected=str(expected), found=str(found))


def top_rows(scores: Vectors) -> NDArray[np.int64]:
    """Rows of the highest positive scores, at most LEXICAL_ANSWERS."""
    if len(scores) > LEXICAL_ANSWERS:
        rows = np.argpartition(-scores, LEXICAL_ANSWERS)[:LEXICAL_ANSWERS]
    else:
        rows = np.arange(len(scores))
    return rows[scores[rows] > 0.0].astype(np.int64)


def _read_lexicon(path: Path) -> Lexicon:
    content = json.loads(path.read_text(encoding="utf-8"))
    return Lexicon(
        replacements=content["replacements"],
        fillers=tuple(content["fillers"]),
        terms=tuple(content["terms"]),
        related=tuple(map(tuple, content.get("related", ()))),
        distinct=tuple(map(Distinct.from_json, content.get("distinct", ()))),
    )


def _read_fusion(path: Path) -> Fusion:
    try:
        return Fusion.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (KeyError, ValueError) as error:
        raise IndexMismatch("fusion", expected=str(SIGNALS), found=str(error)) from error


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
