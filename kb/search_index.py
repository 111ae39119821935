"""A built search index: answers, vectors, BM25 fields and fitted weights that belong together.

Knows how to find candidates and their signals, to write itself to a folder, and to refuse a folder
whose parts do not fit. Where the folder is and when it is replaced is `kb.index_holder`'s matter.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kb import fusion
from kb.articles import AnswerOrigin, IndexedAnswer, answer_from_json, answer_to_json
from kb.embedder import Embedder
from kb.encoder import Vectors
from kb.errors import IndexMismatch
from kb.fusion import SIGNALS, Floats, Fusion
from kb.index import DenseIndex
from kb.lexical import LexicalField, lexical_tokens
from kb.lexicon import Lexicon
from kb.ngrams import tokens
from kb.normalise import Normaliser
from kb.units import SearchText

#: Raised whenever the files of an index folder change their meaning.
FORMAT = 1
#: How many of the nearest texts, and of the best answers of each field, become candidates.
NEAREST_TEXTS = 160
NEAREST_ANSWERS = 24
LEXICAL_ANSWERS = 16


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
class Searchable:
    """The searchable parts alone, before weights are fitted for them."""

    embedder: Embedder
    units: DenseIndex
    owners: NDArray[np.int64]
    is_passage: NDArray[np.bool_]
    head: LexicalField
    body: LexicalField

    @classmethod
    def build(cls, texts: Sequence[SearchText], embedder: Embedder) -> Self:
        """Embed and index every text; answers keep their row numbers."""
        units = [
            (row, unit) for row, text in enumerate(texts) for unit in text.heads + text.windows
        ]
        vectors = embedder.encode_texts([unit for _row, unit in units])
        return cls(
            embedder=embedder,
            units=DenseIndex.build(vectors.reshape(len(units), embedder.dimension)),
            owners=np.fromiter((row for row, _unit in units), np.int64, len(units)),
            is_passage=np.array([text.origin is AnswerOrigin.PASSAGE for text in texts], bool),
            head=LexicalField.build([text.head for text in texts]),
            body=LexicalField.build([text.body for text in texts]),
        )

    def signals(self, query: str) -> Hits:
        """Every plausible candidate for a normalised query, in order of answer row."""
        words = list(dict.fromkeys(lexical_tokens(query)))
        vector = self.embedder.encode_queries([query])[0]
        head, body = self.head.scores(words), self.body.scores(words)
        near, _likeness = self.units.search(vector, NEAREST_TEXTS)
        nearest = list(dict.fromkeys(self.owners[near].tolist()))[:NEAREST_ANSWERS]
        rows = np.unique(np.concatenate([np.asarray(nearest, np.int64), _top(head), _top(body)]))
        return Hits(
            answers=rows,
            signals=self._signals(vector, rows, head[rows], body[rows]),
            is_passage=self.is_passage[rows],
            query=self._query_signals(query, words),
        )

    def _signals(
        self, vector: Vectors, rows: NDArray[np.int64], head: Vectors, body: Vectors
    ) -> Floats:
        best, mean = self._likeness(vector, rows)
        lexical = np.maximum(head, body)
        columns = (
            best,
            mean,
            head,
            body,
            best - best.max(initial=0.0),
            lexical - lexical.max(initial=0.0),
        )
        return np.stack(columns, axis=1).astype(np.float64).reshape(len(rows), len(SIGNALS))

    def _likeness(self, vector: Vectors, rows: NDArray[np.int64]) -> tuple[Vectors, Vectors]:
        """Per answer the likeness of its best text, and the mean of its three best."""
        starts = np.searchsorted(self.owners, rows)
        ends = np.searchsorted(self.owners, rows, side="right")
        spans = [np.arange(start, end) for start, end in zip(starts, ends, strict=True)]
        every = self.units.likeness(vector, np.concatenate(spans) if spans else [])
        best = np.zeros(len(rows), dtype=np.float32)
        mean = np.zeros(len(rows), dtype=np.float32)
        place = 0
        for number, span in enumerate(spans):
            own = np.sort(every[place : place + len(span)])[::-1]
            place += len(span)
            if len(own):
                best[number], mean[number] = own[0], own[:3].mean()
        return best, mean

    def _query_signals(self, query: str, words: Sequence[str]) -> Floats:
        unknown = 1.0 - max(self.head.known_share(words), self.body.known_share(words))
        return np.array([1.0, unknown, 1.0 / max(len(tokens(query)), 1)])


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
        return self.searchable.signals(query)

    def score(self, hits: Hits) -> Floats:
        """The calibrated score of each candidate."""
        return fusion.scores(self.fusion.weights, hits.signals, hits.is_passage, hits.query)

    def save(self, folder: Path) -> None:
        """Write every part; the manifest last, so that a folder without one is no index."""
        folder.mkdir(parents=True)
        parts = self.searchable
        with (folder / "answers.jsonl").open("w", encoding="utf-8") as file:
            for answer in self.answers:
                file.write(json.dumps(answer_to_json(answer), ensure_ascii=False) + "\n")
        np.save(folder / "owners.npy", parts.owners)
        parts.units.save(folder / "units.faiss")
        parts.head.save(folder / "head")
        parts.body.save(folder / "body")
        _write_json(folder / "lexicon.json", asdict(self.normaliser.lexicon))
        _write_json(folder / "fusion.json", self.fusion.to_json())
        _write_json(folder / "manifest.json", asdict(self.manifest))

    @classmethod
    def load(cls, folder: Path, embedder: Embedder, manifest: Manifest) -> Self:
        """Read a folder written by `save`; raises IndexMismatch when its parts do not fit."""
        lines = (folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()
        answers = tuple(answer_from_json(json.loads(line)) for line in lines)
        units = DenseIndex.load(folder / "units.faiss")
        owners = np.load(folder / "owners.npy")
        _expect("answers", manifest.answers, len(answers))
        _expect("units", manifest.units, len(units))
        _expect("owners", manifest.units, len(owners))
        _expect("dimension of the vectors", manifest.dimension, units.dimension)
        _expect("dimension of the model", manifest.dimension, embedder.dimension)
        return cls(
            manifest=manifest,
            answers=answers,
            normaliser=Normaliser(_read_lexicon(folder / "lexicon.json")),
            searchable=Searchable(
                embedder=embedder,
                units=units,
                owners=owners,
                is_passage=np.array([a.origin is AnswerOrigin.PASSAGE for a in answers], bool),
                head=LexicalField.load(folder / "head", len(answers)),
                body=LexicalField.load(folder / "body", len(answers)),
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


def _top(scores: Vectors) -> NDArray[np.int64]:
    """Rows of the highest positive scores, at most LEXICAL_ANSWERS."""
    if len(scores) > LEXICAL_ANSWERS:
        rows = np.argpartition(-scores, LEXICAL_ANSWERS)[:LEXICAL_ANSWERS]
    else:
        rows = np.arange(len(scores))
    return rows[scores[rows] > 0.0].astype(np.int64)


def _read_lexicon(path: Path) -> Lexicon:
    content = json.loads(path.read_text(encoding="utf-8"))
    return Lexicon(content["replacements"], tuple(content["fillers"]), tuple(content["terms"]))


def _read_fusion(path: Path) -> Fusion:
    try:
        return Fusion.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (KeyError, ValueError) as error:
        raise IndexMismatch("fusion", expected=str(SIGNALS), found=str(error)) from error


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
