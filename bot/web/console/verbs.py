"""The console's verbs as forms: claim, say, resolve, give back, change the severity.

A plain form is answered with 303, a script's with the panel's parts. A refusal shows the ticket
as it is now, in words, with what was typed kept. Refuses to decide what is allowed.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import DESK_ROLES, Principal
from bot.assembly import Services
from bot.errors import BotError, InvalidInput, TicketChanged, TicketNotFound
from bot.web.attachments_api import upload_of
from bot.web.console.pages import asked, console_page, panel_part
from bot.web.console.sheets import CUSTOM, SHEETS
from bot.web.console.sheets import read as read_sheet
from bot.web.console.ticket_views import Views
from bot.web.contexts import Form
from bot.web.page_access import FRESH, PageStaff, is_part, text_fields
from bot.web.problems import PROBLEMS
from bot.web.security import AppServices
from bot.web.staff_access import version_of
from bot.web.staff_verbs import perform
from handoff.errors import HandoffError
from handoff.ticket import Action
from store.base import new_id
from store.vocabulary import Severity

router = APIRouter(include_in_schema=False)

#: What happened meanwhile is told of the last few events.
NEWS_TOLD = 4
MAX_TEXT, MAX_CAUSE, MAX_WHY, MAX_ID = 20_000, 5_000, 500, 64
_ASKED = frozenset({"queue", "q", "severity", "status"})


async def _perform(
    request: Request,
    app: Services,
    staff: Principal,
    number: str,
    *,
    form: Form,
    verb: Callable[[], Awaitable[object]],
    then: str = "",
) -> Response:
    """Do it, then lead back, to the list ``then`` if named.

    A refusal shows the ticket as it is now, and keeps what was typed.
    """
    wanted = await asked(**{k: v for k, v in request.query_params.items() if k in _ASKED})
    kept, status = None, 200
    try:
        staff.require(*DESK_ROLES)
        await verb()
    except TicketNotFound:
        raise
    except (BotError, HandoffError) as refusal:
        status, error = told(app, refusal)
        kept = replace(form, error=error)
    if is_part(request):
        return await panel_part(app, staff, number, wanted, form=kept, status=status)
    if kept is None:
        wanted = replace(wanted, queue=then or wanted.queue)
        return RedirectResponse(f"/console/tickets/{quote(number)}{wanted.query()}#end", 303)
    page = await console_page(app, staff, wanted, number=number, form=kept)
    return app.pages.page("console.html", {"page": page}, status=status, headers=FRESH)


def told(app: Services, refusal: Exception) -> tuple[int, str]:
    """Status and words of a refusal; a field's own reason says more than the general one."""
    if isinstance(refusal, TicketChanged):
        return 409, _news(app, refusal)
    if isinstance(refusal, InvalidInput) and app.phrases.has(refusal.reason):
        return 422, app.phrases.say(refusal.reason)
    problem = next((PROBLEMS[kind] for kind in type(refusal).__mro__ if kind in PROBLEMS), None)
    if problem is None:
        raise refusal
    return problem.status, app.phrases.say(f"problem.{problem.slug}.detail")


def _news(app: Services, changed: TicketChanged) -> str:
    """Who did what meanwhile, newest last."""
    views, say = Views(app.phrases, app.clock()), app.phrases.say
    told = [
        say(
            "console.news",
            actor=one.actor or say(f"console.code.sender.{one.actor_kind}"),
            at=views.clock(one.at),
            action=say(f"ticket_action.{one.action}"),
        )
        for one in changed.news[-NEWS_TOLD:]
    ]
    return "\n".join([say("problem.ticket_changed.detail"), *told])


def _checked(text: str, field: str, limit: int) -> str:
    if not text:
        raise InvalidInput(field, "console.error.empty")
    if len(text) > limit:
        raise InvalidInput(field, "console.error.too_long")
    return text


@router.post("/console/tickets/{number}/claim")
async def claim(number: str, request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Take the ticket."""
    form = Form(new_id(), refused="act")
    return await _perform(
        request,
        app,
        staff,
        number,
        form=form,
        verb=lambda: app.engineers.claim(staff, number),
        then="mine",
    )


@router.post("/console/tickets/{number}/return")
async def give_back(number: str, request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Let the bot speak again."""
    form = Form(new_id(), refused="act")
    return await _perform(
        request, app, staff, number, form=form, verb=lambda: app.engineers.give_back(staff, number)
    )


@router.post("/console/tickets/{number}/bot-turn")
async def lend_turn(number: str, request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Let the bot answer what the user said last, once."""

    async def verb() -> None:
        app.conversations.wake(await app.engineers.lend_turn(staff, number))

    form = Form(new_id(), refused="act")
    return await _perform(request, app, staff, number, form=form, verb=verb)


@router.post("/console/tickets/{number}/say")
async def say(number: str, request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Reply to the user, or write a note; the same form sent twice is said once."""
    fields = await text_fields(request, "text", "mode", "client_msg_id")
    sent = _message_id(fields)
    form = Form(sent, mode=fields["mode"], text=fields["text"], refused="say")

    async def verb() -> None:
        text = _checked(fields["text"], "text", MAX_TEXT)
        speak = app.engineers.note if fields["mode"] == "note" else app.engineers.reply
        await speak(staff, number, text, client_msg_id=sent)

    return await _perform(request, app, staff, number, form=form, verb=verb)


@router.post("/console/tickets/{number}/files")
async def send_file(number: str, request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Answer with a picture or a file."""
    form = Form(new_id(), refused="say")

    async def verb() -> None:
        await app.attachments.reply(staff, number, await upload_of(request))

    return await _perform(request, app, staff, number, form=form, verb=verb)


def _message_id(fields: Mapping[str, str]) -> str:
    given = fields["client_msg_id"]
    return given if given.isascii() and given.isalnum() and len(given) <= 64 else new_id()


@router.post("/console/tickets/{number}/resolve")
async def resolve(number: str, request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Finish, with cause and solution."""
    fields = await text_fields(request, "cause", "solution", "draft")
    expected = await _seen(request)
    form = Form(
        new_id(),
        cause=fields["cause"],
        solution=fields["solution"],
        draft=fields["draft"] == "1",
        refused="resolve",
        dialog="resolve",
    )

    async def verb() -> None:
        cause = _checked(fields["cause"], "cause", MAX_CAUSE)
        solution = _checked(fields["solution"], "solution", MAX_CAUSE)
        await app.engineers.resolve(
            staff, number, cause=cause, solution=solution, draft=form.draft, expected=expected
        )

    return await _perform(request, app, staff, number, form=form, verb=verb)


@router.post("/console/tickets/{number}/severity")
async def severity(number: str, request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Rate the ticket anew, with the reason."""
    fields = await text_fields(request, "severity", "why")
    expected = await _seen(request)
    form = Form(new_id(), severity=fields["severity"], why=fields["why"], refused="severity")

    async def verb() -> None:
        if fields["severity"] not in {s.value for s in Severity}:
            raise InvalidInput("severity", "console.error.severity")
        why = _checked(fields["why"], "why", MAX_WHY)
        wanted = Severity(fields["severity"])
        await app.engineers.change_severity(
            staff, number, severity=wanted, why=why, expected=expected
        )

    return await _perform(request, app, staff, number, form=form, verb=verb)


@router.post("/console/tickets/{number}/do/{action}")
async def do(
    number: str, action: Action, request: Request, staff: PageStaff, app: AppServices
) -> Response:
    """A dialog's verb, on the ticket as it was when the dialog was opened."""
    if action not in SHEETS:
        raise TicketNotFound(number)
    fields = await text_fields(request, *(field.name for field in SHEETS[action]))
    if action is Action.MARK:
        keys = [f"{CUSTOM}{one.key}" for one in await app.console.custom_fields(staff, number)]
        fields |= await text_fields(request, *keys)
    expected = await _seen(request)
    form = Form(new_id(), sheet=action.value, values=fields, refused="sheet")

    async def verb() -> None:
        desk = (app.dispatch, app.engineers)
        await perform(desk, staff, number, read_sheet(action, fields), expected)

    return await _perform(request, app, staff, number, form=form, verb=verb)


async def _seen(request: Request) -> int | None:
    """The version that the form was made for; forms of older pages have none."""
    given = (await text_fields(request, "version"))["version"]
    return version_of(given) if given else None
