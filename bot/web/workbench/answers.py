"""Pages of answers: the list, one answer with its versions, differences, the review queue.

Refuses to change anything; the editor is in ``workbench_editor``, the verbs in
``workbench_answer_verbs``.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.cards import answer_data
from bot.conversations.greeting import LOCAL
from bot.saved_views.tables import SavedViewRow
from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices
from bot.web.workbench.access import Frame, frame
from bot.workbench.service import REVIEWING_ROLES, Choices, Listed, Whole
from bot.workbench.staleness import Doubt
from bot.workbench.ticket_drafts import Origin
from kb.answer_difference import Piece, difference
from kb.answer_markup import answer_blocks, attachments, plain_text
from kb.answer_repository import Wanted
from kb.answer_text import AnswerText
from kb.answer_workflow import AnswerState, AnswerVerb, verbs_of
from kb.articles import AnswerContent, AnswerOrigin, Source
from kb.errors import AnswerMissing

router = APIRouter(include_in_schema=False)

ADDRESS = "/workbench/answers"
PAGE, LONGEST = 50, 200
AnswerId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Number = Annotated[int, Query(ge=0, le=2_000_000_000)]
Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class ListPage(Frame):
    """A page of the list; ``next`` is the address of the following one."""

    rows: Sequence[Listed]
    doubted: set[str]
    wanted: Wanted
    states: Sequence[AnswerState]
    choices: Choices
    next: str
    first: str
    views: Sequence[SavedViewRow] = ()
    error: str = ""
    view_name: str = ""

    @property
    def query(self) -> str:
        """What the list is narrowed by, as its address says it."""
        return address_of("answers", replace(self.wanted, after=None), "").partition("?")[2]

    @property
    def sheet(self) -> str:
        """The address of these answers as a workbook."""
        return "/workbench/answer-sheets/answers.xlsx" + (f"?{self.query}" if self.query else "")


@dataclass(frozen=True, slots=True)
class AnswerPage(Frame):
    """One answer; ``card`` is what users would see of the newest version."""

    whole: Whole
    card: dict[str, Any]
    verbs: frozenset[str]
    may_approve: bool
    locked_by: str
    index_missing: bool
    doubts: Sequence[Doubt]
    origin: Origin | None
    error: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class DifferencePage(Frame):
    """What changed from one version to another, field by field."""

    whole: Whole
    old: int
    new: int
    fields: Sequence[tuple[str, Sequence[Piece]]]


@router.get(ADDRESS)
async def listing(
    request: Request, staff: PageStaff, app: AppServices, after: Text = ""
) -> Response:
    """The list; every view of it is an address that can be kept."""
    asked = asked_for(request)
    wanted = replace(wanted_answers(asked, today(app)), after=_key(after))
    return await answers_page(app, staff, wanted)


async def answers_page(
    app: Services, staff: Principal, wanted: Wanted, *, error: str = "", name: str = ""
) -> Response:
    """The list, also after a view could not be saved."""
    listed = await _list_page(app, staff, replace(wanted, limit=PAGE + 1), "answers")
    views = await app.answer_views.seen(staff)
    page = replace(listed, views=views, error=error, view_name=name)
    status = 422 if error else 200
    return app.pages.page("workbench/answers.html", {"page": page}, status=status, headers=FRESH)


@router.get("/workbench/review")
async def review(staff: PageStaff, app: AppServices, after: Text = "") -> Response:
    """What waits for a reviewer, the longest waiting first."""
    wanted = Wanted("in_review", after=_key(after), oldest_first=True, limit=PAGE + 1)
    page = await _list_page(app, staff, wanted, "review")
    return app.pages.page("workbench/review.html", {"page": page}, headers=FRESH)


def today(app: Services) -> date:
    """The day where the offices are."""
    return app.clock().astimezone(LOCAL).date()


def asked_for(request: Request) -> dict[str, str]:
    """The fields of an address, none of them endless."""
    return {name: value[:LONGEST] for name, value in request.query_params.items()}


def wanted_answers(asked: Mapping[str, str], day: date) -> Wanted:
    """What the fields of an address ask for; senseless ones ask for nothing."""
    state, year = asked.get("state", ""), asked.get("year", "")
    is_year = year.isascii() and year.isdecimal() and len(year) == len("2026")
    return Wanted(
        state=state if state in {s.value for s in AnswerState} else "",
        module=asked.get("module", ""),
        owner=asked.get("owner", ""),
        text=asked.get("q", "").strip(),
        oldest_first=asked.get("sort") == "oldest",
        stale=asked.get("stale") == "1",
        fiscal_year=int(year) if is_year else 0,
        audience=asked.get("audience", ""),
        expired_on=day if asked.get("expired") == "1" else None,
    )


async def _list_page(app: Services, staff: Principal, wanted: Wanted, at: str) -> ListPage:
    rows = await app.workbench.answers(staff, wanted)
    following = ""
    if len(rows) > PAGE:
        last = rows[PAGE - 1]
        following = address_of(at, wanted, f"{last.updated_at.isoformat()}_{last.article.id}")
    return ListPage(
        **parts(frame(app, staff, at)),
        rows=rows[:PAGE],
        doubted=await app.staleness.doubted(staff, [one.article.id for one in rows[:PAGE]]),
        wanted=wanted,
        states=list(AnswerState),
        choices=await app.workbench.choices(staff),
        next=following,
        first=address_of(at, wanted, "") if wanted.after else "",
    )


def address_of(at: str, wanted: Wanted, after: str) -> str:
    """The address that asks for exactly this."""
    shown = {"state": wanted.state, "module": wanted.module, "owner": wanted.owner}
    shown |= {"q": wanted.text, "sort": "oldest" if wanted.oldest_first else "", "after": after}
    shown |= {"stale": "1" if wanted.stale else "", "audience": wanted.audience}
    shown |= {"year": str(wanted.fiscal_year or ""), "expired": "1" if wanted.expired_on else ""}
    given = {} if at == "review" else {name: value for name, value in shown.items() if value}
    if at == "review" and after:
        given = {"after": after}
    return f"/workbench/{at}" + (f"?{urlencode(given)}" if given else "")


def _key(after: str) -> tuple[datetime, str] | None:
    """The last row's key; a broken one asks for the first page."""
    at, _, article_id = after.partition("_")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (moment, article_id) if moment.tzinfo is not None and article_id else None


@router.get(f"{ADDRESS}/{{article_id}}")
async def answer(
    article_id: AnswerId, staff: PageStaff, app: AppServices, not_indexed: Number = 0
) -> Response:
    """One answer: the card, where it stands, what can be done, versions and comments."""
    return await answer_page(app, staff, article_id, index_missing=bool(not_indexed))


async def answer_page(
    app: Services,
    staff: Principal,
    article_id: str,
    *,
    error: str = "",
    note: str = "",
    status: int = 200,
    index_missing: bool = False,
) -> Response:
    """The answer's page, also after a refusal: what was typed stays."""
    whole = await app.workbench.answer(staff, article_id)
    work, now = whole.listed.work, app.clock()
    held = work is not None and work.locked_until is not None and work.locked_until > now
    page = AnswerPage(
        **parts(frame(app, staff, "answers")),
        whole=whole,
        card=card(whole.text, article_id),
        verbs=frozenset(verb.value for verb in verbs_of(whole.listed.state)),
        may_approve=AnswerVerb.APPROVE in verbs_of(whole.listed.state)
        and staff.may(*REVIEWING_ROLES),
        locked_by=work.locked_by if work is not None and held else "",
        index_missing=index_missing,
        doubts=await app.staleness.doubts(staff, article_id),
        origin=await app.ticket_drafts.origin(staff, article_id),
        error=error,
        note=note,
    )
    return app.pages.page("workbench/answer.html", {"page": page}, status=status, headers=FRESH)


@router.get(f"{ADDRESS}/{{article_id}}/versions")
async def versions(
    article_id: AnswerId, staff: PageStaff, app: AppServices, old: Number = 0, new: Number = 0
) -> Response:
    """The difference of two versions; without numbers, of what users see and the newest."""
    whole = await app.workbench.answer(staff, article_id)
    texts = {row.number: AnswerText.from_json(row.content) for row in whole.versions}
    live = whole.listed.work.live if whole.listed.work else None
    new = new or whole.head
    old = old or (live if live is not None and live != new else max(new - 1, 0))
    if (new and new not in texts) or (old and old not in texts):
        raise AnswerMissing(article_id, new)
    page = DifferencePage(
        **parts(frame(app, staff, "answers")),
        whole=whole,
        old=old,
        new=new,
        fields=_changed(texts.get(old), texts.get(new)),
    )
    return app.pages.page("workbench/versions.html", {"page": page}, headers=FRESH)


def _changed(old: AnswerText | None, new: AnswerText | None) -> list[tuple[str, Sequence[Piece]]]:
    before, after = _shown(old), _shown(new)
    return [
        (name, difference(before.get(name, ""), after.get(name, "")))
        for name in dict.fromkeys([*before, *after])
        if before.get(name, "") != after.get(name, "")
    ]


def _shown(text: AnswerText | None) -> dict[str, str]:
    if text is None:
        return {}
    return {
        name: "\n".join(value) if isinstance(value, list) else str(value or "")
        for name, value in text.to_json().items()
    }


def card(text: AnswerText, article_id: str = "") -> dict[str, Any]:
    """The answer as users see it."""
    content = AnswerContent(
        answer_id=article_id,
        origin=AnswerOrigin.ARTICLE,
        kind=text.kind,
        title=text.question,
        text=plain_text(text.answer),
        blocks=answer_blocks(text.answer),
        images=(),
        source=Source(guide=text.source_title),
        ref=text.ref,
        module=text.module,
        category=text.category,
        attachments=attachments(text.answer),
    )
    return answer_data(content)


def parts(outer: Frame) -> dict[str, Any]:
    """The frame's fields, to build a page of."""
    return {field.name: getattr(outer, field.name) for field in dataclasses.fields(outer)}
