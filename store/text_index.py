"""Finds the rows whose text contains given words, in Chinese too, on SQLite and PostgreSQL.

Words are looked for as pairs of neighbouring characters: Chinese is written without spaces, two
characters are the usual length of a word, and the trigram indexes of both databases find nothing
shorter than three. A row is indexed in the transaction that writes it. Why pairs, and what it
costs, is in ``docs/adr/0020-search.md``. Refuses to know whose texts they are, and to rank: the
newest comes first.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncSession

from store.base import Base

#: Every table of an index begins so, those that SQLite makes for itself too.
PREFIX = "text_index_"
#: Of a longer text only the beginning can be found.
INDEXED_CHARS = 4_000
MAX_QUERY_CHARS, MAX_RUNS = 100, 8
_SHORTEST = 2


class Refusal(StrEnum):
    """Why a query cannot be looked for."""

    EMPTY = "empty"
    SHORT = "short"
    LONG = "long"
    MANY = "many"


@dataclass(frozen=True, slots=True)
class Words:
    """What is looked for: all of these, each as it stands, anywhere in one text."""

    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as it is compared, and where each of its characters stands in the original."""

    text: str
    places: tuple[int, ...]


def fold(original: str) -> Folded:
    """Wide and narrow, capital and small letters are the same."""
    folded, places = [], []
    for place, character in enumerate(original):
        for one in unicodedata.normalize("NFKC", character).casefold():
            folded.append(one)
            places.append(place)
    return Folded("".join(folded), tuple(places))


def parse(query: str) -> Words | Refusal:
    """The words of a query. Single characters narrow nothing beside longer words."""
    if len(query) > MAX_QUERY_CHARS:
        return Refusal.LONG
    runs = list(dict.fromkeys(_runs(fold(query).text)))
    if not runs:
        return Refusal.EMPTY
    runs = [run for run in runs if len(run) >= _SHORTEST]
    if not runs:
        return Refusal.SHORT
    return Words(tuple(runs)) if len(runs) <= MAX_RUNS else Refusal.MANY


def _runs(folded: str) -> Iterator[str]:
    """Letters and digits that stand together."""
    return iter("".join(c if c.isalnum() else " " for c in folded).split())


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


def excerpt(original: str, words: Words, *, around: int = 40) -> list[tuple[str, bool]]:
    """The text around the first word found, in pieces, each with whether it is a word found."""
    folded = fold(original)
    marks = sorted(_marks(folded, words))
    if not marks:
        return []
    start = max(0, marks[0][0] - around)
    end = min(len(original), max(marks[0][1], start + 3 * around))
    pieces: list[tuple[str, bool]] = [("…", False)] if start else []
    at = start
    for first, last in marks:
        if first >= end or last <= at:
            continue
        pieces += [(original[at : max(at, first)], False), (original[max(at, first) : last], True)]
        at = last
    pieces.append((original[at:end] + ("…" if end < len(original) else ""), False))
    return [piece for piece in pieces if piece[0]]


def _marks(folded: Folded, words: Words) -> Iterator[tuple[int, int]]:
    for run in words.runs:
        at = folded.text.find(run)
        while at >= 0:
            yield folded.places[at], folded.places[at + len(run) - 1] + 1
            at = folded.text.find(run, at + len(run))


class TextIndex:
    """The index of one table's texts, by the number that is the row's key."""

    def __init__(self, name: str) -> None:
        self.name = f"{PREFIX}{name}"
        self._newest = {
            "sqlite": text(
                f"SELECT rowid FROM {self.name} WHERE {self.name} MATCH :words"  # noqa: S608
                " AND rowid < :before ORDER BY rowid DESC LIMIT :most"
            ),
            "postgresql": text(
                f"SELECT id FROM {self.name} WHERE words @@ CAST(:words AS tsquery)"  # noqa: S608
                " AND id < :before ORDER BY id DESC LIMIT :most"
            ),
        }
        self._insert = {
            "sqlite": text(f"INSERT INTO {self.name} (rowid, words) VALUES (:id, :words)"),  # noqa: S608
            "postgresql": text(
                f"INSERT INTO {self.name} (id, words) VALUES (:id, CAST(:words AS tsvector))"  # noqa: S608
            ),
        }

    def follow(self, table: type[Base], text_of: Callable[[Any], str] | None = None) -> None:
        """Be made and dropped with the table; index every row that is flushed, by ``text_of``.

        Writers that go past the mapped class call :meth:`add` themselves.
        """
        event.listen(table.__table__, "after_create", self._create)
        event.listen(table.__table__, "before_drop", self._drop)
        if text_of is None:
            return

        def index(_mapper: object, connection: Connection, row: Any) -> None:
            if words := self._words(connection.dialect.name, text_of(row)):
                insert = self._insert[connection.dialect.name]
                connection.execute(insert, {"id": row.id, "words": words})

        event.listen(table, "after_insert", index)

    def _create(self, _table: object, connection: Connection, **_kw: object) -> None:
        for statement in self.definition(connection.dialect.name):
            connection.execute(text(statement))

    def _drop(self, _table: object, connection: Connection, **_kw: object) -> None:
        connection.execute(text(f"DROP TABLE IF EXISTS {self.name}"))

    def definition(self, dialect: str) -> tuple[str, ...]:
        """The statements that make the index. SQLite's keeps no second copy of the words."""
        if dialect == "sqlite":
            return (
                f"CREATE VIRTUAL TABLE {self.name} USING fts5"
                """(words, content='', tokenize="unicode61 remove_diacritics 0")""",
            )
        return (
            f"CREATE TABLE {self.name} (id BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)",
            f"CREATE INDEX ix_{self.name} ON {self.name} USING gin (words)",
        )

    async def add(self, session: AsyncSession, row_id: int, original: str) -> None:
        """Index one row in the caller's transaction."""
        await self.add_many(session, [(row_id, original)])

    async def add_many(self, session: AsyncSession, rows: Iterable[tuple[int, str]]) -> None:
        """Index rows that have not been indexed yet."""
        dialect = session.get_bind().dialect.name
        read = ((row_id, self._words(dialect, original)) for row_id, original in rows)
        values = [{"id": row_id, "words": words} for row_id, words in read if words]
        if values:
            await session.execute(self._insert[dialect], values)

    @staticmethod
    def _words(dialect: str, original: str) -> str:
        runs = list(_runs(fold(original[:INDEXED_CHARS]).text))
        return _for_sqlite(runs) if dialect == "sqlite" else _for_postgresql(runs)

    async def newest(
        self, session: AsyncSession, words: Words, *, before: int | None, most: int
    ) -> Sequence[int]:
        """Keys of the rows that contain all words and are below ``before``, the highest first."""
        dialect = session.get_bind().dialect.name
        asked = {
            "words": (_match if dialect == "sqlite" else _tsquery)(words),
            "before": 2**62 if before is None else before,
            "most": most,
        }
        found = await session.execute(self._newest[dialect], asked)
        return [row_id for (row_id,) in found]


def _for_sqlite(runs: Sequence[str]) -> str:
    """Pairs as words; between two runs something that no query asks for."""
    return " 0 ".join(" ".join(_pairs(run) or [run]) for run in runs)


def _match(words: Words) -> str:
    return " AND ".join(f'"{" ".join(_pairs(run))}"' for run in words.runs)


def _for_postgresql(runs: Sequence[str]) -> str:
    """Pairs with their positions; between two runs one is left out."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    at = 1
    for run in runs:
        for pair in _pairs(run):
            places[pair].append(at)
            at += 1
        at += 1
    # PostgreSQL keeps 255 positions of a word and says nothing about the others.
    return " ".join(f"'{pair}':{','.join(map(str, at[:255]))}" for pair, at in places.items())


def _tsquery(words: Words) -> str:
    quoted = ([f"'{pair}'" for pair in _pairs(run)] for run in words.runs)
    return " & ".join(f"({' <-> '.join(pairs)})" for pairs in quoted)
