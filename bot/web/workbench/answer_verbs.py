"""What is done to an answer from its page: each verb is a form, each refusal the page again."""

from collections.abc import Awaitable

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.errors import GoldenGateClosed
from bot.web.page_access import PageStaff, text_fields
from bot.web.security import AppServices
from bot.web.workbench.answers import ADDRESS, AnswerId, answer_page
from bot.web.workbench.editor import invalid
from bot.web.workbench.forms import instant, number
from bot.web.workbench.gate import gate_closed
from bot.workbench.service import FARTHEST, REVIEWING_ROLES, VERBS, author
from kb.errors import (
    AnswerChanged,
    AnswerInvalid,
    AnswerLocked,
    AnswerMissing,
    AnswerOwnReview,
    AnswerVerbRefused,
)

router = APIRouter(include_in_schema=False)


@router.post(f"{ADDRESS}/{{article_id}}/approve")
async def approve(
    article_id: AnswerId, request: Request, staff: PageStaff, app: AppServices
) -> Response:
    """Publish now, or at the moment that was typed."""
    fields = await text_fields(request, "seen", "publish_at", "override")

    async def work() -> None:
        staff.require(*REVIEWING_ROLES)
        await app.golden.pass_gate(author(staff), article_id, fields["override"])
        at = instant(fields["publish_at"])
        if at is not None and at > app.clock() + FARTHEST:
            raise AnswerInvalid("publish_at", "too_far")
        await app.workbench.approve(staff, article_id, number(fields["seen"]), publish_at=at)

    return await _answered(app, staff, article_id, work())


@router.post(f"{ADDRESS}/{{article_id}}/roll-back")
async def roll_back(
    article_id: AnswerId, request: Request, staff: PageStaff, app: AppServices
) -> Response:
    """Bring an older version back."""
    fields = await text_fields(request, "seen", "number", "override")

    async def work() -> None:
        wanted = number(fields["number"])
        if staff.may(*REVIEWING_ROLES):  # Anybody else's becomes a draft.
            who, override = author(staff), fields["override"]
            await app.golden.pass_version(who, article_id, wanted, override)
        await app.workbench.roll_back(staff, article_id, number(fields["seen"]), wanted)

    return await _answered(app, staff, article_id, work())


@router.post(f"{ADDRESS}/{{article_id}}/comment")
async def comment(
    article_id: AnswerId, request: Request, staff: PageStaff, app: AppServices
) -> Response:
    """Say something to the author."""
    note = (await text_fields(request, "note"))["note"]
    work = app.workbench.comment(staff, article_id, note)
    return await _answered(app, staff, article_id, work, note)


@router.post(f"{ADDRESS}/{{article_id}}/do/{{verb}}")
async def act(
    article_id: AnswerId, verb: str, request: Request, staff: PageStaff, app: AppServices
) -> Response:
    """Submit, withdraw, send back or archive."""
    if verb not in VERBS:
        raise AnswerMissing(article_id)
    fields = await text_fields(request, "seen", "note")

    async def work() -> None:
        seen = number(fields["seen"])
        await app.workbench.act(staff, verb, article_id, seen, fields["note"])

    return await _answered(app, staff, article_id, work(), fields["note"])


async def _answered(
    app: Services, staff: Principal, article_id: str, work: Awaitable[object], note: str = ""
) -> Response:
    """The page anew; after a refusal with its reason and what was typed."""
    try:
        await work
    except AnswerInvalid as refused:
        error, status = invalid(app, refused), 422
    except AnswerLocked as refused:
        error, status = app.phrases.say("workbench.answer.locked", name=refused.by), 409
    except (AnswerChanged, AnswerVerbRefused):
        error, status = app.phrases.say("workbench.answer.changed"), 409
    except GoldenGateClosed as closed:
        error, status = gate_closed(app, closed), 409
    except AnswerOwnReview:
        error, status = app.phrases.say("problem.answer_own_review.detail"), 409
    else:
        missing = "" if app.knowledge.is_ready() else "?not_indexed=1"
        return RedirectResponse(f"{ADDRESS}/{article_id}{missing}", 303)
    return await answer_page(app, staff, article_id, error=error, note=note, status=status)
