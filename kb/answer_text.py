"""What an answer says, as one value: the fields an editor fills in, checked, as JSON and back.

Refuses what could not be stored or shown; says which field with a code, never with a sentence.
"""

from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, Self

from kb.articles import AnswerKind
from kb.errors import AnswerInvalid
from kb.stored_text import storable

MAX_QUESTION = 500
MAX_ANSWER = 50_000
MAX_SIMILAR = 300
MAX_REGIONS = 100
MAX_AUDIENCE, MAX_GROUP = 50, 40
YEARS = range(1990, 2100)
_LISTS = ("similar", "regions", "audience")
_SHORT = {"module": 200, "category": 32, "ref": 64, "owner": 100, "source_title": 500}


@dataclass(frozen=True, slots=True)
class AnswerText:
    """Everything of an answer that has versions."""

    question: str
    answer: str
    similar: tuple[str, ...] = ()
    module: str = ""
    category: str = ""
    kind: AnswerKind = AnswerKind.ANSWER
    ref: str = ""
    regions: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None
    source_title: str = ""
    source_section_id: str | None = field(default=None)
    owner: str = ""
    fiscal_year: int | None = None
    audience: tuple[str, ...] = ()

    def checked(self) -> Self:
        """The same, trimmed and storable; raises AnswerInvalid for what cannot be kept."""
        question = _text(self.question)
        kept = replace(
            self,
            question=question,
            answer=_text(self.answer),
            similar=tuple(t for t in _distinct(self.similar) if t != question),
            regions=_distinct(self.regions),
            audience=_distinct(tuple(" ".join(one.split()) for one in self.audience)),
            category=_text(self.category),
            module=_text(self.module),
            ref=_text(self.ref),
            owner=_text(self.owner),
            source_title=_text(self.source_title),
        )
        _require(kept)
        return kept

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; dates as ISO 8601."""
        row = asdict(self)
        row |= {name: list(row[name]) for name in _LISTS}
        for name in ("valid_from", "valid_until"):
            row[name] = row[name].isoformat() if row[name] else None
        return row

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        dates = {
            name: date.fromisoformat(row[name]) if row[name] else None
            for name in ("valid_from", "valid_until")
        }
        lists = {name: tuple(row.get(name, ())) for name in _LISTS}
        return cls(**{**row, **dates, **lists, "kind": AnswerKind(row["kind"])})


def _require(text: AnswerText) -> None:
    _check(bool(text.question), "question", "empty")
    _check(bool(text.answer), "answer", "empty")
    _check(len(text.answer) <= MAX_ANSWER, "answer", "too_long")
    _check(len(text.similar) <= MAX_SIMILAR, "similar", "too_many")
    _check(len(text.regions) <= MAX_REGIONS, "regions", "too_many")
    for name, asked in (*(("similar", one) for one in text.similar), ("question", text.question)):
        _check(len(asked) <= MAX_QUESTION, name, "too_long")
    for name, longest in _SHORT.items():
        _check(len(getattr(text, name)) <= longest, name, "too_long")
    _check(len(text.audience) <= MAX_AUDIENCE, "audience", "too_many")
    _check(all(len(one) <= MAX_GROUP for one in text.audience), "audience", "too_long")
    _check(text.fiscal_year is None or text.fiscal_year in YEARS, "fiscal_year", "number")
    if text.valid_from is not None and text.valid_until is not None:
        _check(text.valid_from <= text.valid_until, "valid_until", "before_start")


def _text(text: str) -> str:
    return storable(text).replace("\r\n", "\n").strip()


def _distinct(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text for text in dict.fromkeys(map(_text, texts)) if text)


def _check(holds: bool, name: str, reason: str) -> None:
    if not holds:
        raise AnswerInvalid(name, reason)
