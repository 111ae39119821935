"""Reads the questions of an evaluation: the shipped set, or a deployment's own table.

A table is tab-separated UTF-8 with a header; which columns it has decides what can be evaluated
with it (docs/howto/measure-quality.md). Refuses a table that it cannot read as a whole, with the
line; never guesses a column.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import EvaluationFileInvalid
from kb.articles import AnswerOrigin, IndexedAnswer
from kb.evaluate import Question
from nlu.evaluate import TriageCase
from nlu.training_data import Example, read_training_data
from nlu.types import Intent
from store.vocabulary import Category, Severity

MAX_ROWS = 50_000
MAX_TEXT_CHARS = 10_000
MAX_FILE_BYTES = 50 * 1024 * 1024
#: Columns that say what answers a question; one of them makes a table fit for retrieval.
_ANSWER_COLUMNS = ("ref", "answer_id", "question", "section")
_TRIAGE_COLUMNS = ("incident", "category", "severity")
_INCIDENT = {"true": True, "1": True, "false": False, "0": False}

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AskedGroup:
    """Questions of one set; `unmatched` ones name an answer that this index does not have."""

    name: str
    questions: tuple[Question, ...]
    unmatched: int


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one file, in order; `columns` are those of its header."""

    name: str
    path: Path
    columns: frozenset[str]
    rows: tuple[Row, ...]

    def has(self, *columns: str) -> bool:
        """Whether every one of these columns is there."""
        return self.columns.issuperset(columns)


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that is asked: tables, and annotated examples in Rasa's format."""

    source: str
    tables: tuple[Table, ...]
    examples: Mapping[str, tuple[Example, ...]]

    @property
    def digest(self) -> str:
        """The same for the same rows and examples, wherever they lie."""
        hashed = hashlib.sha256()
        for table in self.tables:
            for row in table.rows:
                hashed.update("\t".join(f"{key}={row[key]}" for key in sorted(row)).encode())
                hashed.update(b"\n")
        for name, examples in sorted(self.examples.items()):
            hashed.update(name.encode())
            hashed.update("\n".join(f"{one.intent} {one.text}" for one in examples).encode())
        return hashed.hexdigest()[:16]


def shipped(folder: Path) -> Material:
    """The set that comes with the product (`data/evaluation`)."""
    names = ("messages", "questions", "triage")
    tables = tuple(read_table(folder / f"{name}.tsv") for name in names)
    examples = read_training_data([folder / "nlu_test.yml"]).examples
    return Material("shipped", tables, {"nlu_test": examples})


def own(path: Path) -> Material:
    """A deployment's own table."""
    return Material(path.name, (read_table(path),), {})


def read_table(path: Path) -> Table:
    """A tab-separated table with at least a column `text`; raises EvaluationFileInvalid."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise EvaluationFileInvalid(path.name, 0, "too_large")
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise EvaluationFileInvalid(path.name, 0, "not_utf8") from None
    except OSError:
        raise EvaluationFileInvalid(path.name, 0, "unreadable") from None
    reader = csv.DictReader(
        io.StringIO(content), delimiter="\t", quoting=csv.QUOTE_NONE, restkey="", restval=""
    )
    try:
        columns = frozenset(name.strip() for name in reader.fieldnames or ())
        if "text" not in columns:
            raise EvaluationFileInvalid(path.name, 1, "no_text_column")
        rows = tuple(_rows(path, reader))
    except csv.Error:
        raise EvaluationFileInvalid(path.name, reader.line_num + 1, "unreadable") from None
    if not rows:
        raise EvaluationFileInvalid(path.name, 2, "empty")
    return Table(path.stem, path, columns, rows)


def _rows(path: Path, reader: Iterable[dict[str, str]]) -> Iterable[Row]:
    for number, row in enumerate(reader, 2):
        if number > MAX_ROWS + 1:
            raise EvaluationFileInvalid(path.name, number, "too_many")
        if row.get(""):
            raise EvaluationFileInvalid(path.name, number, "too_many_cells")
        read = {key.strip(): value.strip() for key, value in row.items() if key}
        if not read["text"]:
            raise EvaluationFileInvalid(path.name, number, "no_text")
        if len(read["text"]) > MAX_TEXT_CHARS:
            raise EvaluationFileInvalid(path.name, number, "too_long")
        yield read


def retrieval_groups(table: Table, answers: Sequence[IndexedAnswer]) -> list[AskedGroup]:
    """The searched questions of a table by split, matched to what the index holds.

    Small talk is not searched; matters that no answer could solve and that triage recognises
    (`incident` within a subject) are judged there. A question whose answer is unknown here is
    counted and left out, for it says nothing about this index.
    """
    if not any(name in table.columns for name in _ANSWER_COLUMNS):
        return []
    known = _Known(answers)
    found: dict[str, list[Question]] = {}
    unmatched: dict[str, int] = {}
    for row in table.rows:
        if not _is_searched(row):
            continue
        name = " ".join(filter(None, (table.name, row.get("split", ""))))
        questions = found.setdefault(name, [])
        named = any(row.get(column) for column in _ANSWER_COLUMNS)
        right = known.matching(row) if named else frozenset[str]()
        if named and not right:
            unmatched[name] = unmatched.get(name, 0) + 1
        else:
            questions.append(Question(row["text"], right, "none" if not right else ""))
    return [
        AskedGroup(name, tuple(questions), unmatched.get(name, 0))
        for name, questions in found.items()
        # Without one answerable question the set is about other content than this workspace's.
        if any(question.answers for question in questions)
    ]


def _is_searched(row: Row) -> bool:
    must = row.get("must", "")
    if must == "talk":
        return False
    is_incident = _INCIDENT.get(row.get("incident", "").lower(), False)
    return not (must == "none" and is_incident and not row.get("topic", "").startswith("none"))


class _Known:
    """The answers of an index by each name that a table may use."""

    def __init__(self, answers: Sequence[IndexedAnswer]) -> None:
        self._by_name: dict[tuple[str, str], set[str]] = {}
        self._sections: list[tuple[str, str]] = []
        for answer in answers:
            self._add("answer_id", answer.answer_id, answer.answer_id)
            if answer.ref:
                self._add("ref", answer.ref, answer.answer_id)
            if answer.origin is AnswerOrigin.PASSAGE:
                path = " > ".join((answer.source.guide, *answer.source.section))
                self._sections.append((path, answer.answer_id))
            else:
                self._add("question", answer.title, answer.answer_id)

    def matching(self, row: Row) -> frozenset[str]:
        """Every answer that the row names."""
        found: set[str] = set()
        for column in ("ref", "answer_id", "question"):
            for name in filter(None, row.get(column, "").split("|")):
                found |= self._by_name.get((column, name.strip()), set())
        parts = [part for part in row.get("section", "").split("||") if part]
        found |= {one for path, one in self._sections if any(part in path for part in parts)}
        return frozenset(found)

    def _add(self, column: str, name: str, answer_id: str) -> None:
        self._by_name.setdefault((column, name), set()).add(answer_id)


def intent_examples(material: Material) -> dict[str, list[Example]]:
    """Messages with their intent, by set; raises EvaluationFileInvalid for an unknown intent."""
    found: dict[str, list[Example]] = {name: list(own) for name, own in material.examples.items()}
    for table in material.tables:
        if not table.has("intent"):
            continue
        for number, row in enumerate(table.rows, 2):
            if row["intent"]:
                if row["intent"] not in set(Intent):
                    raise EvaluationFileInvalid(table.path.name, number, "unknown_intent")
                name = " ".join(filter(None, (table.name, row.get("split", ""))))
                found.setdefault(name, []).append(Example(row["text"], row["intent"]))
    return found


def triage_cases(material: Material) -> dict[str, list[TriageCase]]:
    """Messages with incident, category and severity, by set; raises EvaluationFileInvalid."""
    found: dict[str, list[TriageCase]] = {}
    for table in material.tables:
        if not table.has(*_TRIAGE_COLUMNS):
            continue
        for number, row in enumerate(table.rows, 2):
            if row["severity"]:
                name = " ".join(filter(None, (table.name, row.get("split", ""))))
                found.setdefault(name, []).append(_case(table, number, row))
    return found


def _case(table: Table, number: int, row: Row) -> TriageCase:
    try:
        return TriageCase(
            case_id=row.get("id", str(number)),
            split=row.get("split", ""),
            text=row["text"],
            incident=_INCIDENT[row["incident"].lower()],
            category=Category(row["category"]),
            severity=Severity(row["severity"]),
        )
    except (KeyError, ValueError):
        raise EvaluationFileInvalid(table.path.name, number, "unknown_label") from None
