"""The page of golden questions: what must be answered, what must not, and how the last run went."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.errors import GoldenQuestionInvalid
from bot.golden.tables import GoldenQuestionRow, GoldenRunRow
from bot.web.page_access import FRESH, PageStaff, text_fields
from bot.web.security import AppServices
from bot.web.workbench.access import Frame, frame
from kb.errors import IndexMissing
from kb.golden import GoldenQuestion, GoldenResult

router = APIRouter(include_in_schema=False)

ADDRESS = "/workbench/golden"
RowId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


@dataclass(frozen=True, slots=True)
class GoldenRow:
    """A question with what it must get and what it got last; ``passed`` is None before a run."""

    row: GoldenQuestionRow
    title: str
    result: GoldenResult | None
    passed: bool | None


@dataclass(frozen=True, slots=True)
class GoldenPage(Frame):
    """The list; failures come first. ``typed`` and ``error`` keep what a form held."""

    rows: Sequence[GoldenRow]
    runs: Sequence[GoldenRunRow]
    typed: dict[str, str]
    error: str


@router.get(ADDRESS)
async def show(
    staff: PageStaff, app: AppServices, answer: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """All golden questions."""
    return await _page(app, staff, {"text": "", "answer_id": answer, "region": ""})


async def _page(
    app: Services, staff: Principal, typed: dict[str, str], *, error: str = "", code: int = 200
) -> Response:
    base = frame(app, staff, "golden")
    framed: dict[str, Any] = {field.name: getattr(base, field.name) for field in fields(Frame)}
    found = await app.golden.overview()
    rows = [
        _row(one, found.titles.get(one.answer_id or "", ""), found.results.get(one.id))
        for one in found.questions
    ]
    rows.sort(key=lambda row: row.passed is not False)
    shown = GoldenPage(**framed, rows=rows, runs=found.runs, typed=typed, error=error)
    return app.pages.page("workbench/golden.html", {"page": shown}, status=code, headers=FRESH)


def _row(row: GoldenQuestionRow, title: str, result: GoldenResult | None) -> GoldenRow:
    expected = frozenset({row.answer_id}) if row.answer_id else frozenset[str]()
    passed = result.passes(GoldenQuestion(row.id, row.text, expected)) if result else None
    return GoldenRow(row, title, result, passed)


@router.post(ADDRESS)
async def add(staff: PageStaff, app: AppServices, request: Request) -> Response:
    """Keep one more question."""
    typed = await text_fields(request, "text", "answer_id", "region")
    try:
        await app.golden.add(
            staff, typed["text"], answer_id=typed["answer_id"], region=typed["region"]
        )
    except GoldenQuestionInvalid as invalid:
        error = app.phrases.say(f"workbench.golden.invalid.{invalid.reason}")
        return await _page(app, staff, typed, error=error, code=422)
    return RedirectResponse(ADDRESS, 303)


@router.post(f"{ADDRESS}/run")
async def run(staff: PageStaff, app: AppServices) -> Response:
    """Ask all of them now."""
    try:
        await app.golden.run(staff)
    except IndexMissing:
        error = app.phrases.say("workbench.golden.no_index")
        return await _page(app, staff, {}, error=error, code=409)
    return RedirectResponse(ADDRESS, 303)


@router.post(f"{ADDRESS}/{{question_id}}/remove")
async def remove(question_id: RowId, staff: PageStaff, app: AppServices) -> Response:
    """Forget one."""
    await app.golden.remove(staff, question_id)
    return RedirectResponse(ADDRESS, 303)
