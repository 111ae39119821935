"""The API of staff: login, tickets, and the engineer's verbs."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, status
from starlette.responses import Response, StreamingResponse

from bot.accounts.service import DESK_ROLES, READING_ROLES, change_password, log_in, log_out
from bot.conversations.live import Watcher
from bot.errors import TicketNotFound
from bot.tables import Sender
from bot.web.console import log as console_log
from bot.web.events import (
    View,
    conversation_events,
    staff_events,
    stream,
    ticket_events,
)
from bot.web.schemas import LoginIn, LoginOut, PasswordIn, ResolveIn, TextIn
from bot.web.security import COOKIE, AppServices, CurrentStaff, bearer
from bot.web.staff_access import ApiStaff, Expected
from store.vocabulary import Severity

router = APIRouter(prefix="/api/v1", tags=["staff"])


@router.post("/auth/login")
async def login(
    body: LoginIn, app: AppServices, user_agent: Annotated[str, Header()] = ""
) -> LoginOut:
    """A bearer token for a program."""
    async with app.database.transaction() as session:
        result = await log_in(
            session,
            username=body.username,
            password=body.password,
            kind="bearer",
            user_agent=user_agent,
            now=app.clock(),
        )
    if result.refusal is not None:
        raise result.refusal
    return LoginOut(token=result.token)


@router.post("/auth/logout", status_code=status.HTTP_204_NO_CONTENT)
async def logout(request: Request, _staff: CurrentStaff, app: AppServices) -> None:
    """End the session of this bearer token."""
    async with app.database.transaction() as session:
        await log_out(session, bearer(request) or "")


@router.post("/auth/password", status_code=status.HTTP_204_NO_CONTENT)
async def change_own_password(
    body: PasswordIn, request: Request, staff: CurrentStaff, app: AppServices
) -> None:
    """Replace one's password; every other session of the account ends."""
    async with app.database.transaction() as session:
        await change_password(
            session,
            staff.staff_id,
            old=body.old,
            new=body.new,
            keep=bearer(request) or request.cookies.get(COOKIE, ""),
            now=app.clock(),
        )


@router.get("/tickets")
async def list_tickets(
    staff: ApiStaff,
    app: AppServices,
    ticket_status: Annotated[str, Query(alias="status", max_length=20)] = "",
    severity: Severity | None = None,
    q: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> dict[str, Any]:
    """Tickets within the caller's scope, what is due first first."""
    staff.require(*READING_ROLES)
    ids = await app.searches.matching(q)
    rows = await app.console.tickets(
        staff, status=ticket_status, severity=severity, ids=ids, limit=limit
    )
    return {"tickets": rows}


@router.get("/tickets/{number}")
async def show_ticket(
    number: str, staff: ApiStaff, app: AppServices, response: Response
) -> dict[str, Any]:
    """One ticket with its reasons, deadlines, events and whole transcript.

    The ``ETag`` is for ``If-Match`` of the verbs.
    """
    staff.require(*READING_ROLES)
    found = await app.console.ticket(staff, number)
    if found is None:
        raise TicketNotFound(number)
    response.headers["ETag"] = f'"{found["version"]}"'
    return found


@router.post("/tickets/{number}/claim")
async def claim(
    number: str, staff: ApiStaff, app: AppServices, expected: Expected
) -> dict[str, Any]:
    """Take the ticket and its conversation; of two engineers exactly one succeeds."""
    staff.require(*DESK_ROLES)
    return await app.engineers.claim(staff, number, expected=expected)


@router.post("/tickets/{number}/reply")
async def reply(number: str, body: TextIn, staff: ApiStaff, app: AppServices) -> dict[str, Any]:
    """Say something to the user."""
    staff.require(*DESK_ROLES)
    return await app.engineers.reply(staff, number, body.text, client_msg_id=body.client_msg_id)


@router.post("/tickets/{number}/note")
async def note(number: str, body: TextIn, staff: ApiStaff, app: AppServices) -> dict[str, Any]:
    """Write something that only staff sees."""
    staff.require(*DESK_ROLES)
    return await app.engineers.note(staff, number, body.text, client_msg_id=body.client_msg_id)


@router.post("/tickets/{number}/resolve")
async def resolve(
    number: str, body: ResolveIn, staff: ApiStaff, app: AppServices, expected: Expected
) -> dict[str, Any]:
    """Finish: cause and solution; the conversation goes back to the bot, the user is asked."""
    staff.require(*DESK_ROLES)
    return await app.engineers.resolve(
        staff,
        number,
        cause=body.cause,
        solution=body.solution,
        draft=body.draft,
        expected=expected,
    )


@router.post("/tickets/{number}/return")
async def give_back(number: str, staff: ApiStaff, app: AppServices) -> dict[str, Any]:
    """Let the bot speak again; the ticket stays with the engineer."""
    staff.require(*DESK_ROLES)
    return await app.engineers.give_back(staff, number)


@router.post("/tickets/{number}/bot-turn", status_code=status.HTTP_202_ACCEPTED)
async def lend_turn(number: str, staff: ApiStaff, app: AppServices) -> None:
    """Let the bot answer what the user said last, once; the word stays with the engineer."""
    staff.require(*DESK_ROLES)
    app.conversations.wake(await app.engineers.lend_turn(staff, number))


@router.post("/tickets/{number}/typing", status_code=status.HTTP_204_NO_CONTENT)
async def typing(number: str, staff: ApiStaff, app: AppServices) -> None:
    """The engineer is typing."""
    staff.require(*DESK_ROLES)
    await app.engineers.typing(staff, number)


@router.get("/tickets/{number}/events")
async def follow_ticket(
    number: str,
    staff: ApiStaff,
    app: AppServices,
    last_event_id: Annotated[str, Header()] = "",
    after: Annotated[int, Query(ge=0, le=2_000_000_000)] = 0,
) -> StreamingResponse:
    """The ticket's conversation as it goes on, staff notes included; who has the ticket open."""
    staff.require(*READING_ROLES)
    conversation_id = await app.console.conversation_of(staff, number)
    watcher = Watcher(staff.staff_id, staff.name)
    if conversation_id is None:
        return stream(ticket_events(app, number, watcher))
    seen = int(last_event_id) if last_event_id.isdecimal() and len(last_event_id) < 10 else after
    return stream(conversation_events(app, View(conversation_id, Sender.USER, watcher), seen))


@router.get("/desk/events")
async def follow_desk(staff: ApiStaff, app: AppServices) -> StreamingResponse:
    """A wake-up whenever a queue or conversation changes."""
    staff.require(*READING_ROLES)
    return stream(staff_events(app))


router.include_router(console_log.router)
