"""The API of incidents: lists, one whole, and its verbs.

``If-Match`` with the version that was seen makes a verb fail with 412 when a person decided
something meanwhile. Refuses to decide anything; see ``bot.incidents.service``.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from bot.incidents.service import Listed, Opened, as_json
from bot.web import incident_verbs as verbs
from bot.web.security import AppServices
from bot.web.staff_access import ApiStaff, Expected
from handoff.incident import FINAL, IncidentStatus, allowed_actions

router = APIRouter(prefix="/api/v1/incidents", tags=["staff"])

State = dict[str, Any]
_LIVING = tuple(status for status in IncidentStatus if status not in FINAL)


class Caller:
    """Who calls, about which incident, at which version."""

    def __init__(self, number: str, staff: ApiStaff, app: AppServices, expected: Expected) -> None:
        self._number, self._staff, self._app, self._expected = number, staff, app, expected

    async def does(self, verb: verbs.Verb) -> State:
        """Perform the verb."""
        does = self._app.incidents.verbs
        done = await verbs.perform(does, self._staff, self._number, verb, self._expected)
        return as_json(done)


async def caller(number: str, staff: ApiStaff, app: AppServices, expected: Expected) -> Caller:
    """Whoever sends this request."""
    return Caller(number, staff, app, expected)


Calling = Annotated[Caller, Depends(caller)]


@router.get("")
async def incidents(
    staff: ApiStaff,
    app: AppServices,
    status: Annotated[Sequence[IncidentStatus], Query()] = _LIVING,
) -> State:
    """Incidents of these statuses with how far they reach, what changed last first."""
    found = await app.incidents.verbs.listed(staff, status)
    return {"incidents": [_listed(one) for one in found]}


def _listed(one: Listed) -> State:
    incident, reach = one.incident, one.reach
    return {
        **as_json(incident),
        "title": incident.title,
        "module": incident.module,
        "began_at": incident.began_at.isoformat(),
        "updated_at": incident.updated_at.isoformat(),
        "tickets": reach.tickets,
        "open_tickets": reach.open_tickets,
        "units": reach.units,
        "users": reach.users,
        "regions": list(reach.regions),
    }


@router.post("", status_code=201)
async def open_incident(body: verbs.OpenIn, staff: ApiStaff, app: AppServices) -> dict[str, str]:
    """Open one by hand."""
    return {"number": await app.incidents.verbs.open(staff, body.new(), of=body.ticket)}


@router.get("/{number}")
async def incident(number: str, staff: ApiStaff, app: AppServices) -> State:
    """One incident whole: words, evidence, tickets, timeline, review, measures."""
    return _whole(await app.incidents.verbs.opened(staff, number))


def _whole(opened: Opened) -> State:
    incident = opened.incident
    return {
        **_listed(Listed(incident, opened.reach)),
        "code": incident.code,
        "note": incident.note,
        "meanwhile": incident.meanwhile,
        "cause": incident.cause,
        "solution": incident.solution,
        "evidence": incident.evidence,
        "review": incident.review,
        "followers": opened.followers,
        "proposed_severity": opened.severity.value,
        "actions": [action.value for action in allowed_actions(IncidentStatus(incident.status))],
        "hidden": opened.hidden,
        "members": [
            {
                "number": one.ticket.number,
                "status": one.ticket.status,
                "severity": one.ticket.severity,
                "unit": one.ticket.unit,
                "region": one.ticket.region,
                "belonging": one.membership.belonging,
                "likeness": one.membership.likeness,
                "attached_at": one.membership.attached_at.isoformat(),
                "detached": one.membership.detached_at is not None,
            }
            for one in opened.members
        ],
        "events": [
            {
                "seq": event.seq,
                "at": event.at.isoformat(),
                "action": event.action,
                "actor": event.actor_name,
                "to": event.to_status,
                "detail": event.detail,
            }
            for event in opened.events
        ],
        "measures": [
            {
                "id": one.id,
                "text": one.text,
                "owner": one.owner,
                "due": one.due.isoformat(),
                "done_at": one.done_at.isoformat() if one.done_at else None,
                "outcome": one.outcome,
            }
            for one in opened.measures
        ],
    }


@router.post("/{number}/confirm")
async def confirm(body: verbs.ConfirmIn, caller: Calling) -> State:
    """It is a fault."""
    return await caller.does(body)


@router.post("/{number}/reject")
async def reject(body: verbs.RejectIn, caller: Calling) -> State:
    """It is none."""
    return await caller.does(body)


@router.post("/{number}/attach")
async def attach(body: verbs.AttachIn, caller: Calling) -> State:
    """This ticket belongs to it."""
    return await caller.does(body)


@router.post("/{number}/detach")
async def detach(body: verbs.DetachIn, caller: Calling) -> State:
    """This ticket is another matter."""
    return await caller.does(body)


@router.post("/{number}/change_severity")
async def change_severity(body: verbs.SeverityIn, caller: Calling) -> State:
    """Rate it anew; its tickets are raised to it."""
    return await caller.does(body)


@router.post("/{number}/tell")
async def tell(body: verbs.TellIn, caller: Calling) -> State:
    """News for everybody concerned."""
    return await caller.does(body)


@router.post("/{number}/resolve")
async def resolve(body: verbs.ResolveIn, caller: Calling) -> State:
    """It is over: its tickets are resolved, everybody concerned is told."""
    return await caller.does(body)


@router.post("/{number}/reopen")
async def reopen(body: verbs.ReopenIn, caller: Calling) -> State:
    """It is not over."""
    return await caller.does(body)


@router.post("/{number}/review")
async def review(body: verbs.ReviewIn, caller: Calling) -> State:
    """Hand in the review."""
    return await caller.does(body)


@router.post("/{number}/add_measure")
async def add_measure(body: verbs.AddMeasureIn, caller: Calling) -> State:
    """Say what is to be done, by whom, until when."""
    return await caller.does(body)


@router.post("/{number}/finish_measure")
async def finish_measure(body: verbs.FinishMeasureIn, caller: Calling) -> State:
    """Say what came of it."""
    return await caller.does(body)


@router.post("/{number}/close")
async def close(body: verbs.CloseIn, caller: Calling) -> State:
    """Nothing is left to do."""
    return await caller.does(body)
