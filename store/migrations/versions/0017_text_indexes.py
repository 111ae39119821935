"""Find messages and events of tickets by their words.

Revision: 0017
Follows: 0016

What is there already is indexed here, with the rules of this day written out: a migration means
the same for ever. Two million messages take some minutes.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_INDEXES = ("text_index_messages", "text_index_ticket_events")
_STEP = 5_000
Rows = list[tuple[int, str]]
_SPOKEN = (
    "text", "why", "plan", "cause", "solution", "impact", "measures", "prevention", "note",
    "external_number", "release",
)  # fmt: skip


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name in _INDEXES:
        if sqlite:
            op.execute(
                f"CREATE VIRTUAL TABLE {name} USING fts5"
                """(words, content='', tokenize="unicode61 remove_diacritics 0")"""
            )
        else:
            op.execute(f"CREATE TABLE {name} (id BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)")
    _index_all(sqlite, "text_index_messages", _messages)
    _index_all(sqlite, "text_index_ticket_events", _events)
    if not sqlite:
        for name in _INDEXES:
            op.execute(f"CREATE INDEX ix_{name} ON {name} USING gin (words)")


def downgrade() -> None:
    for name in _INDEXES:
        op.execute(f"DROP TABLE {name}")


def _index_all(sqlite: bool, name: str, read: Callable[[int], Rows]) -> None:
    columns = "(rowid, words)" if sqlite else "(id, words)"
    value = ":words" if sqlite else "CAST(:words AS tsvector)"
    insert = f"INSERT INTO {name} {columns} VALUES (:id, {value})"  # noqa: S608  # our own names
    after = 0
    while rows := read(after):
        after = rows[-1][0]
        values = [{"id": n, "words": _words(sqlite, said[:4_000])} for n, said in rows]
        values = [one for one in values if one["words"]]
        if values:
            op.get_bind().execute(sa.text(insert), values)


def _messages(after: int) -> Rows:
    # What the bot says is the same thousands of times over; people are looked for.
    query = sa.text(
        "SELECT id, text FROM messages WHERE id > :after AND sender <> 'bot'"
        " ORDER BY id LIMIT :step"
    )
    rows = op.get_bind().execute(query, {"after": after, "step": _STEP})
    return [(number, said) for number, said in rows]


def _events(after: int) -> Rows:
    query = sa.text(
        "SELECT e.id, e.action, e.detail, t.number, t.title, t.description, t.unit"
        " FROM ticket_events e JOIN tickets t ON t.id = e.ticket_id"
        " WHERE e.id > :after ORDER BY e.id LIMIT :step"
    ).columns(sa.column("id"), sa.column("action"), sa.column("detail", sa.JSON))
    found = []
    for row in op.get_bind().execute(query, {"after": after, "step": _STEP}):
        number, action, detail, *named = row
        lines = [str(detail[key]) for key in _SPOKEN if detail.get(key)]
        if action == "open":
            lines = [*named, *lines]
        found.append((number, "\n".join(line for line in lines if line)))
    return found


def _words(sqlite: bool, said: str) -> str:
    plain = "".join(unicodedata.normalize("NFKC", c).casefold() for c in said)
    runs = "".join(c if c.isalnum() else " " for c in plain).split()
    split = [[run[at : at + 2] for at in range(len(run) - 1)] for run in runs]
    if sqlite:
        return " 0 ".join(" ".join(pairs or [run]) for pairs, run in zip(split, runs, strict=True))
    places: defaultdict[str, list[int]] = defaultdict(list)
    at = 1
    for pairs in split:
        for pair in pairs:
            places[pair].append(at)
            at += 1
        at += 1
    return " ".join(f"'{p}':{','.join(map(str, at[:255]))}" for p, at in places.items())
