"""What an answer is, wherever it comes from: a curated article or a passage of a guide.

Plain values shared by the service, the index and the retriever. They hold no queries and no rules
about who may see what.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from kb.applicability import is_for
from kb.sections import Block, Image, Step

#: Fields that were added later.
_LATER = frozenset({"fiscal_year", "audience"})


class AnswerOrigin(StrEnum):
    """Where an answer comes from."""

    ARTICLE = "article"
    PASSAGE = "passage"


class AnswerKind(StrEnum):
    """What the bot may do with it: say it, or only collect details and open a ticket."""

    ANSWER = "answer"
    COLLECT = "collect"


@dataclass(frozen=True, slots=True)
class Source:
    """Where an answer stands; `section` are the headings from the top without the guide's title."""

    guide: str
    section: tuple[str, ...] = ()
    version: str | None = None
    issued: str | None = None
    page: int | None = None
    file: str = ""

    @property
    def section_path(self) -> str:
        """The headings joined as people write a menu path."""
        return " > ".join(self.section)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with an answer, under the name that people know it by."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class AnswerContent:
    """Everything an answer card shows. `text` is the whole answer; `blocks` the same, in parts."""

    answer_id: str
    origin: AnswerOrigin
    kind: AnswerKind
    title: str
    text: str
    blocks: tuple[Block, ...]
    images: tuple[Image, ...]
    source: Source
    ref: str
    module: str
    category: str
    valid_from: date | None = None
    valid_until: date | None = None
    attachments: tuple[Attachment, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """The numbered steps among the blocks, in order."""
        return tuple(block for block in self.blocks if isinstance(block, Step))


@dataclass(frozen=True, slots=True)
class IndexedAnswer:
    """An answer as the index keeps it; articles are found by their questions, passages by text."""

    answer_id: str
    origin: AnswerOrigin
    kind: AnswerKind
    title: str
    text: str
    source: Source
    questions: tuple[str, ...] = ()
    ref: str = ""
    module: str = ""
    category: str = ""
    regions: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None
    fiscal_year: int | None = None
    audience: tuple[str, ...] = ()

    def is_valid(
        self,
        today: date | None,
        region: str | None,
        audience: tuple[str, ...] = (),
        years: frozenset[int] = frozenset(),
    ) -> bool:
        """Whether it may be shown on that day, to a user of that region (None: not asked).

        `audience` are the groups of who asks, `years` the fiscal years that the question names;
        empty: not known.
        """
        if today is not None:
            if self.valid_from is not None and today < self.valid_from:
                return False
            if self.valid_until is not None and today > self.valid_until:
                return False
        if years and self.fiscal_year is not None and self.fiscal_year not in years:
            return False
        here = region is None or not self.regions or region in self.regions
        return here and is_for(self.audience, audience)


@dataclass(frozen=True, slots=True)
class Corpus:
    """All that is published, in a stable order."""

    answers: tuple[IndexedAnswer, ...] = field(default=())

    @property
    def articles(self) -> Iterator[IndexedAnswer]:
        """The curated answers."""
        return (answer for answer in self.answers if answer.origin is AnswerOrigin.ARTICLE)

    @property
    def passages(self) -> Iterator[IndexedAnswer]:
        """The passages of guides."""
        return (answer for answer in self.answers if answer.origin is AnswerOrigin.PASSAGE)

    @property
    def revision(self) -> str:
        """SHA-256 over every word that search or an answer could show."""
        digest = hashlib.sha256()
        for answer in self.answers:
            digest.update(json.dumps(answer_to_json(answer), ensure_ascii=False).encode())
            digest.update(b"\n")
        return digest.hexdigest()


def answer_to_json(answer: IndexedAnswer) -> dict[str, Any]:
    """Plain JSON; dates as ISO 8601."""
    row = asdict(answer)
    for name in ("valid_from", "valid_until"):
        row[name] = row[name].isoformat() if row[name] else None
    # Left out where nothing is said, so that indexes from before still say the same.
    return {name: value for name, value in row.items() if value or name not in _LATER}


def answer_from_json(row: dict[str, Any]) -> IndexedAnswer:
    """The inverse of `answer_to_json`."""
    source = Source(**{**row["source"], "section": tuple(row["source"]["section"])})
    return IndexedAnswer(
        **{
            **row,
            "source": source,
            "origin": AnswerOrigin(row["origin"]),
            "kind": AnswerKind(row["kind"]),
            "questions": tuple(row["questions"]),
            "regions": tuple(row["regions"]),
            "audience": tuple(row.get("audience", ())),
            "valid_from": _date(row["valid_from"]),
            "valid_until": _date(row["valid_until"]),
        }
    )


def _date(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None
