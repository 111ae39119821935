"""The API of dispatch: who works on a ticket, what it waits for, what becomes of it.

``If-Match`` with the version that was seen makes a verb fail with 412 and the news when somebody
else was there meanwhile. Refuses to decide anything; see ``bot.tickets.dispatching``.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from bot.accounts.service import DESK_ROLES, READING_ROLES
from bot.web import staff_verbs as verbs
from bot.web.security import AppServices
from bot.web.staff_access import ApiStaff, Expected
from bot.web.staff_documents import document

router = APIRouter(prefix="/api/v1/tickets/{number}", tags=["staff"])

State = dict[str, Any]


class Caller:
    """Who calls, about which ticket, at which version."""

    def __init__(self, number: str, staff: ApiStaff, app: AppServices, expected: Expected) -> None:
        self._number, self._staff, self._app, self._expected = number, staff, app, expected

    async def does(self, verb: verbs.Verb) -> State:
        """Perform the verb, if the role works on tickets at all."""
        self._staff.require(*DESK_ROLES)
        desk = (self._app.dispatch, self._app.engineers)
        return await verbs.perform(desk, self._staff, self._number, verb, self._expected)


async def caller(number: str, staff: ApiStaff, app: AppServices, expected: Expected) -> Caller:
    """Whoever sends this request."""
    return Caller(number, staff, app, expected)


Calling = Annotated[Caller, Depends(caller)]


@router.get("/takers")
async def takers(number: str, staff: ApiStaff, app: AppServices) -> State:
    """Engineers who could be given the ticket."""
    staff.require(*READING_ROLES)
    found = await app.dispatch.takers(staff, number)
    people = [{"id": one.id, "name": one.name, "post": one.post, "role": one.role} for one in found]
    return {"takers": people}


@router.get("/report.docx")
async def report_document(number: str, staff: ApiStaff, app: AppServices) -> Response:
    """The report as a Word document."""
    staff.require(*READING_ROLES)
    return document(number, await app.console.report_document(staff, number))


@router.post("/assign")
async def assign(body: verbs.AssignIn, caller: Calling) -> State:
    """Hand a waiting ticket to an engineer, who still has to claim it."""
    return await caller.does(body)


@router.post("/release")
async def release(body: verbs.ReleaseIn, caller: Calling) -> State:
    """Put the ticket back into the queue of its level."""
    return await caller.does(body)


@router.post("/transfer")
async def transfer(body: verbs.TransferIn, caller: Calling) -> State:
    """Hand the ticket to another engineer or to another level's queue."""
    return await caller.does(body)


@router.post("/escalate")
async def escalate(body: verbs.EscalateIn, caller: Calling) -> State:
    """Hand the ticket up; to the province with the kind of its work order."""
    return await caller.does(body)


@router.post("/work_order")
async def work_order(body: verbs.WorkOrderIn, caller: Calling) -> State:
    """Write down how far the province is; a release resolves the ticket and tells the asker."""
    return await caller.does(body)


@router.post("/pause")
async def pause(body: verbs.PauseIn, caller: Calling) -> State:
    """Wait for somebody, or until an agreed time."""
    return await caller.does(body)


@router.post("/resume")
async def resume(body: verbs.ResumeIn, caller: Calling) -> State:
    """The waiting is over."""
    return await caller.does(body)


@router.post("/reopen")
async def reopen(body: verbs.ReopenIn, caller: Calling) -> State:
    """The solution did not hold."""
    return await caller.does(body)


@router.post("/close")
async def close(body: verbs.CloseIn, caller: Calling) -> State:
    """The asker agreed that it is over."""
    return await caller.does(body)


@router.post("/classify")
async def classify(body: verbs.ClassifyIn, caller: Calling) -> State:
    """Correct category and module."""
    return await caller.does(body)


@router.post("/mark")
async def mark(body: verbs.MarkIn, caller: Calling) -> State:
    """Set tags and custom fields."""
    return await caller.does(body)


@router.post("/change_severity")
async def change_severity(body: verbs.SeverityIn, caller: Calling) -> State:
    """Rate the ticket anew, with the reason."""
    return await caller.does(body)


@router.post("/arrange")
async def arrange(body: verbs.ArrangeIn, caller: Calling) -> State:
    """Say how and by when it will be dealt with."""
    return await caller.does(body)


@router.post("/report")
async def report(body: verbs.ReportIn, caller: Calling) -> State:
    """Hand in the fault analysis."""
    return await caller.does(body)


@router.post("/merge")
async def merge(body: verbs.MergeIn, caller: Calling) -> State:
    """The same matter as another ticket, which goes on for both."""
    return await caller.does(body)


@router.post("/split")
async def split(body: verbs.SplitIn, caller: Calling) -> State:
    """Give a second matter in the request a ticket of its own."""
    return await caller.does(body)


@router.post("/link")
async def link(body: verbs.LinkIn, caller: Calling) -> State:
    """Say that two tickets have to do with each other."""
    return await caller.does(body)
