"""What an editor says about a version of a guide: number, dates, for whom; checked and audited.

Outside its dates and regions a guide is not answered from. Refuses to change what a guide says.
"""

import re
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any, Self

from sqlalchemy.ext.asyncio import AsyncSession

from kb import guide_repository as rows
from kb.answer_versions import Author
from kb.errors import GuideInvalid, GuideMissing
from kb.stored_text import storable
from kb.tables import GuideVersionRow
from store import audit

_ISSUED = re.compile(r"(?:19|20)\d\d(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?")
_YEARS = range(1990, 2100)
_MOST = 100


@dataclass(frozen=True, slots=True)
class GuideFacts:
    """`issued` is ISO 8601, as exact as it is known; no `regions` means everywhere."""

    document_number: str = ""
    version: str = ""
    issued: str = ""
    effective_from: date | None = None
    effective_until: date | None = None
    fiscal_year: int | None = None
    regions: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()

    def checked(self) -> Self:
        """The same, trimmed and storable; raises GuideInvalid for what cannot be kept."""
        kept = replace(
            self,
            document_number=_text("document_number", self.document_number, 100),
            version=_text("version", self.version, 200),
            issued=_text("issued", self.issued, 10),
            regions=_names("regions", self.regions),
            audience=_names("audience", self.audience),
        )
        _check(not kept.issued or bool(_ISSUED.fullmatch(kept.issued)), "issued", "date")
        _check(kept.fiscal_year is None or kept.fiscal_year in _YEARS, "fiscal_year", "number")
        if kept.effective_from is not None and kept.effective_until is not None:
            in_order = kept.effective_from <= kept.effective_until
            _check(in_order, "effective_until", "before_start")
        return kept

    @classmethod
    def of(cls, version: GuideVersionRow) -> Self:
        """Those of a stored version."""
        return cls(
            document_number=version.document_number,
            version=version.version or "",
            issued=version.issued or "",
            effective_from=version.effective_from,
            effective_until=version.effective_until,
            fiscal_year=version.fiscal_year,
            regions=tuple(version.regions),
            audience=tuple(version.audience),
        )


async def set_facts(
    session: AsyncSession, version_id: str, facts: GuideFacts, who: Author, *, now: datetime
) -> bool:
    """Keep them; whether anything is different now. Raises GuideMissing and GuideInvalid."""
    version = await rows.version(session, version_id)
    if version is None:
        raise GuideMissing(version_id)
    before, after = GuideFacts.of(version), facts.checked()
    changed = {
        one.name: _plain(getattr(after, one.name))
        for one in fields(GuideFacts)
        if getattr(before, one.name) != getattr(after, one.name)
    }
    if not changed:
        return False
    for name in changed:
        value = getattr(after, name)
        empty = value == "" and name in ("version", "issued")
        setattr(
            version, name, None if empty else list(value) if isinstance(value, tuple) else value
        )
    await audit.record(
        session,
        actor=f"staff:{who.id}",
        action="guide.described",
        subject=f"guide:{version.guide_id}",
        detail={"version": version.number, "changed": changed},
        now=now,
    )
    return True


def _stored(name: str, value: Any) -> Any:
    if name in ("version", "issued"):
        return value or None
    return list(value) if isinstance(value, tuple) else value


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _text(name: str, text: str, longest: int) -> str:
    kept = " ".join(storable(text).split())
    _check(len(kept) <= longest, name, "too_long")
    return kept


def _names(name: str, texts: tuple[str, ...]) -> tuple[str, ...]:
    kept = tuple(dict.fromkeys(one for text in texts if (one := _text(name, text, _MOST))))
    _check(len(kept) <= _MOST, name, "too_many")
    return kept


def _check(holds: bool, name: str, reason: str) -> None:
    if not holds:
        raise GuideInvalid(name, reason)
