"""Pages of guides: the list, one version with its sections, changes between two, and the verbs.

Refuses to read files; imports are in ``workbench_guide_imports``.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.conversations.greeting import LOCAL
from bot.errors import GoldenGateClosed
from bot.guides.imports import SeenJob
from bot.guides.service import GuideChanges, OpenedGuide
from bot.web.page_access import FRESH, PageStaff, text_fields
from bot.web.security import AppServices
from bot.web.workbench.access import Frame, frame
from bot.web.workbench.answers import parts
from bot.web.workbench.forms import separated
from bot.web.workbench.gate import gate_closed
from kb.errors import GuideInvalid, GuideMissing
from kb.guide_difference import ParagraphChange, paragraph_changes
from kb.guide_facts import GuideFacts
from kb.guide_repository import ListedGuide
from kb.section_matching import Fate, SectionMatch
from kb.tables import ArticleRow

router = APIRouter(include_in_schema=False)

ADDRESS = "/workbench/guides"
GuideId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Number = Annotated[int, Query(ge=0, le=2_000_000_000)]
Text = Annotated[str, Query(max_length=200)]
#: Changed sections whose words are compared on one page.
COMPARED = 200
_FIELDS = (
    *("document_number", "version", "issued", "effective_from", "effective_until"),
    *("fiscal_year", "regions", "audience"),
)


@dataclass(frozen=True, slots=True)
class GuidesPage(Frame):
    """The list, and the imports that are or were under way."""

    q: str
    today: date
    guides: Sequence[ListedGuide]
    jobs: Sequence[SeenJob]
    error: str = ""


@dataclass(frozen=True, slots=True)
class GuidePage(Frame):
    """One version of a guide; ``form`` holds what was typed where a form was refused."""

    opened: OpenedGuide
    today: date
    form: Mapping[str, str]
    warnings: Sequence[Mapping[str, Any]]
    error: str
    told: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A match with what changed in it."""

    match: SectionMatch
    changes: Sequence[ParagraphChange]
    pictures_changed: bool
    answers: Sequence[ArticleRow]


@dataclass(frozen=True, slots=True)
class ChangesPage(Frame):
    """What became of every section that did not stay as it was."""

    found: GuideChanges
    shown: Sequence[Shown]
    fates: Sequence[Fate]


@router.get(ADDRESS)
async def listing(staff: PageStaff, app: AppServices, q: Text = "") -> Response:
    """Guides, the one changed last first."""
    return await guides_page(app, staff, q=q.strip())


async def guides_page(
    app: Services, staff: Principal, *, q: str = "", error: str = "", status: int = 200
) -> Response:
    """The list, also after an upload was refused."""
    page = GuidesPage(
        **parts(frame(app, staff, "guides")),
        q=q,
        today=_today(app),
        guides=await app.guides.listed(staff, q),
        jobs=await app.guide_imports.newest(staff),
        error=error,
    )
    return app.pages.page("workbench/guides.html", {"page": page}, status=status, headers=FRESH)


def _today(app: Services) -> date:
    return app.clock().astimezone(LOCAL).date()


@router.get(f"{ADDRESS}/{{guide_id}}")
async def guide(
    guide_id: GuideId,
    staff: PageStaff,
    app: AppServices,
    *,
    version: Number = 0,
    doubted: Annotated[int | None, Query(ge=0, le=1_000_000)] = None,
) -> Response:
    """One version: sections with their passages, warnings, facts, versions."""
    told = ""
    if doubted is not None:
        told = app.phrases.say("workbench.guides.done", count=doubted)
    return await guide_page(app, staff, guide_id, version, told=told)


async def guide_page(
    app: Services,
    staff: Principal,
    guide_id: str,
    number: int = 0,
    *,
    typed: Mapping[str, str] | None = None,
    error: str = "",
    told: str = "",
    status: int = 200,
) -> Response:
    """The guide's page, also after a refusal: what was typed stays."""
    opened = await app.guides.opened(staff, guide_id, number)
    page = GuidePage(
        **parts(frame(app, staff, "guides")),
        opened=opened,
        today=_today(app),
        form=typed or _form(GuideFacts.of(opened.shown)),
        warnings=opened.shown.warnings,
        error=error,
        told=told,
    )
    return app.pages.page("workbench/guide.html", {"page": page}, status=status, headers=FRESH)


@router.get(f"{ADDRESS}/{{guide_id}}/changes")
async def changes(
    guide_id: GuideId, staff: PageStaff, app: AppServices, old: Number = 0, new: Number = 0
) -> Response:
    """From one version to another, section by section."""
    found = await app.guides.changes(staff, guide_id, old=old, new=new)
    shown = await asyncio.to_thread(_shown, found)
    page = ChangesPage(
        **parts(frame(app, staff, "guides")), found=found, shown=shown, fates=list(Fate)
    )
    return app.pages.page("workbench/guide_changes.html", {"page": page}, headers=FRESH)


def _shown(found: GuideChanges) -> list[Shown]:
    different = [one for one in found.matches if one.fate is not Fate.SAME]
    return [_compared(found, one, at < COMPARED) for at, one in enumerate(different)]


def _compared(found: GuideChanges, match: SectionMatch, in_words: bool) -> Shown:
    before = match.old.paragraphs if match.old else ()
    after = tuple(text for section in match.new for text in section.paragraphs)
    pictures = [{*section.pictures} for section in match.new]
    old_pictures = {*match.old.pictures} if match.old else set()
    ids = [match.old.id] if match.old else []
    ids += [section.id for section in match.new]
    answers = {one.id: one for id_ in ids for one in found.answers.get(id_, ())}
    return Shown(
        match=match,
        changes=paragraph_changes(before, after) if in_words else (),
        pictures_changed=match.old is not None and old_pictures != set().union(*pictures),
        answers=list(answers.values()),
    )


@router.post(f"{ADDRESS}/{{guide_id}}/publish")
async def publish(
    guide_id: GuideId, request: Request, staff: PageStaff, app: AppServices
) -> Response:
    """Answer from a version from now on."""
    fields = await text_fields(request, "version", "override")
    number = _number(fields["version"], guide_id)
    try:
        doubted = await app.guides.publish(staff, guide_id, number, fields["override"])
    except GoldenGateClosed as closed:
        error = gate_closed(app, closed)
        return await guide_page(app, staff, guide_id, number, error=error, status=409)
    return RedirectResponse(f"{ADDRESS}/{guide_id}?doubted={doubted}", 303)


@router.post(f"{ADDRESS}/{{guide_id}}/withdraw")
async def withdraw(guide_id: GuideId, staff: PageStaff, app: AppServices) -> Response:
    """Answer from it no longer."""
    doubted = await app.guides.withdraw(staff, guide_id)
    return RedirectResponse(f"{ADDRESS}/{guide_id}?doubted={doubted}", 303)


@router.post(f"{ADDRESS}/{{guide_id}}/facts")
async def describe(
    guide_id: GuideId, request: Request, staff: PageStaff, app: AppServices
) -> Response:
    """Say when, where and for whom a version holds."""
    fields = await text_fields(request, "number", *_FIELDS)
    number = _number(fields.pop("number"), guide_id)

    try:
        await app.guides.describe(staff, guide_id, number, _facts(fields))
    except GuideInvalid as refused:
        error = invalid(app, refused)
        return await guide_page(app, staff, guide_id, number, typed=fields, error=error, status=422)
    return RedirectResponse(f"{ADDRESS}/{guide_id}?version={number}", 303)


@router.post(f"{ADDRESS}/{{guide_id}}/sections/{{section_id}}/draft")
async def draft(
    guide_id: GuideId, section_id: GuideId, staff: PageStaff, app: AppServices
) -> Response:
    """Begin an answer with the words of a section, and go on in the editor."""
    try:
        article_id = await app.guides.draft(staff, guide_id, section_id)
    except GuideInvalid as refused:
        return await guide_page(app, staff, guide_id, error=invalid(app, refused), status=422)
    return RedirectResponse(f"/workbench/answers/{article_id}/edit", 303)


def invalid(app: Services, refused: GuideInvalid) -> str:
    """Which field, and why."""
    say = app.phrases.say
    return say(
        "workbench.invalid.line",
        field=say(f"workbench.guides.field.{refused.field}"),
        reason=say(f"workbench.invalid.{refused.reason}"),
    )


def _form(facts: GuideFacts) -> dict[str, str]:
    return {
        "document_number": facts.document_number,
        "version": facts.version,
        "issued": facts.issued,
        "effective_from": facts.effective_from.isoformat() if facts.effective_from else "",
        "effective_until": facts.effective_until.isoformat() if facts.effective_until else "",
        "fiscal_year": str(facts.fiscal_year or ""),
        "regions": "、".join(facts.regions),
        "audience": "、".join(facts.audience),
    }


def _facts(fields: Mapping[str, str]) -> GuideFacts:
    year = fields["fiscal_year"]
    if year and not (year.isascii() and year.isdecimal() and len(year) == 4):
        raise GuideInvalid("fiscal_year", "number")
    return GuideFacts(
        document_number=fields["document_number"],
        version=fields["version"],
        issued=fields["issued"],
        effective_from=_date("effective_from", fields["effective_from"]),
        effective_until=_date("effective_until", fields["effective_until"]),
        fiscal_year=int(year) if year else None,
        regions=tuple(separated(fields["regions"])),
        audience=tuple(separated(fields["audience"])),
    )


def _date(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise GuideInvalid(name, "date") from None


def _number(text: str, guide_id: str) -> int:
    """A version's number; raises GuideMissing for what is none."""
    if not text.isascii() or not text.isdecimal() or len(text) > len("2000000000"):
        raise GuideMissing(guide_id, text[:20])
    return int(text)
