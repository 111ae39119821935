"""What editors type into the editor's form, as an answer's text and back.

Refuses to check the answer itself (`kb.answer_text`); only what is no date or number at all.
"""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime

from fastapi import Request

from bot.conversations.greeting import LOCAL
from bot.web.page_access import text_fields
from kb.answer_text import AnswerText
from kb.articles import AnswerKind
from kb.errors import AnswerInvalid
from store.vocabulary import Category

_FIELDS = (
    "question",
    "answer",
    "similar",
    "module",
    "category",
    "kind",
    "regions",
    "valid_from",
    "valid_until",
    "fiscal_year",
    "audience",
    "source_title",
    "section_words",
    "owner",
    "note",
    "seen",
    "confirmed",
)


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """The editor's fields as text, as they were typed."""

    question: str = ""
    answer: str = ""
    similar: str = ""
    module: str = ""
    category: str = ""
    kind: str = AnswerKind.ANSWER.value
    regions: str = ""
    valid_from: str = ""
    valid_until: str = ""
    fiscal_year: str = ""
    audience: str = ""
    source_title: str = ""
    #: None where the form has no such choice: it stays as it is.
    source_section_id: str | None = None
    section_words: str = ""
    owner: str = ""
    note: str = ""
    seen: str = "0"
    confirmed: str = ""
    adopt: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: AnswerText, seen: int) -> "AnswerForm":
        """The form that shows this text."""
        return cls(
            question=text.question,
            answer=text.answer,
            similar="\n".join(text.similar),
            module=text.module,
            category=text.category,
            kind=text.kind.value,
            regions="、".join(text.regions),
            valid_from=text.valid_from.isoformat() if text.valid_from else "",
            valid_until=text.valid_until.isoformat() if text.valid_until else "",
            fiscal_year=str(text.fiscal_year or ""),
            audience="、".join(text.audience),
            source_title=text.source_title,
            source_section_id=text.source_section_id or "",
            owner=text.owner,
            seen=str(seen),
        )

    def text(self, before: AnswerText) -> AnswerText:
        """What is typed, over what the form does not show; raises AnswerInvalid."""
        return AnswerText(
            question=" ".join(self.question.split()),
            answer=self.answer,
            similar=(*self.similar.splitlines(), *self.adopt),
            module=self.module,
            category=_category(self.category, before.category),
            kind=_kind(self.kind),
            ref=before.ref,
            regions=tuple(separated(self.regions)),
            valid_from=_date("valid_from", self.valid_from),
            valid_until=_date("valid_until", self.valid_until),
            source_title=self.source_title,
            source_section_id=_section(self.source_section_id, before.source_section_id),
            owner=self.owner,
            fiscal_year=_year(self.fiscal_year),
            audience=tuple(separated(self.audience)),
        ).checked()

    def merged(self) -> "AnswerForm":
        """The same with the ticked proposals among the similar questions."""
        lines = (*self.similar.splitlines(), *self.adopt)
        return replace(self, similar="\n".join(dict.fromkeys(lines)), adopt=())


async def answer_form(request: Request) -> AnswerForm:
    """The form of a request; raises InvalidInput for a file among the fields."""
    fields = await text_fields(request, *_FIELDS)
    async with request.form() as form:
        ticked = [one for one in form.getlist("adopt") if isinstance(one, str)]
        section = form.get("source_section_id")
    return AnswerForm(
        **fields,
        source_section_id=section if isinstance(section, str) else None,
        adopt=tuple(" ".join(one.split()) for one in ticked),
    )


def number(text: str) -> int:
    """A version number of a form; raises AnswerInvalid."""
    if not text.isascii() or not text.isdecimal() or len(text) > len("2000000000"):
        raise AnswerInvalid("seen", "number")
    return int(text)


def instant(text: str) -> datetime | None:
    """A moment typed in the region's time; None for nothing. Raises AnswerInvalid."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=LOCAL)
    except ValueError:
        raise AnswerInvalid("publish_at", "date") from None


def _category(text: str, before: str) -> str:
    """A known category, or the one that an imported table brought along."""
    if text in ("", before) or text in {category.value for category in Category}:
        return text
    raise AnswerInvalid("category", "unknown")


def _kind(text: str) -> AnswerKind:
    try:
        return AnswerKind(text or AnswerKind.ANSWER)
    except ValueError:
        raise AnswerInvalid("kind", "unknown") from None


def _year(text: str) -> int | None:
    if text and not (text.isascii() and text.isdecimal() and len(text) == len("2026")):
        raise AnswerInvalid("fiscal_year", "number")
    return int(text) if text else None


def _section(text: str | None, before: str | None) -> str | None:
    """The id of a section, or none at all."""
    if text is None:
        return before
    if text and not re.fullmatch(r"[0-9a-f]{32}", text):
        raise AnswerInvalid("source_section_id", "unknown")
    return text or None


def _date(name: str, text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise AnswerInvalid(name, "date") from None


def separated(text: str) -> list[str]:
    """Names typed one after another, by whatever mark they are kept apart."""
    for mark in "、，,;；\n":
        text = text.replace(mark, " ")
    return text.split()
