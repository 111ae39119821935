"""The verbs on an incident, each one transaction's work: event, row, audit entry, outbox row.

Every verb takes the incident as it was read with ``lock=True`` in the same transaction. Refuses to
commit, to read the clock, to move tickets and to speak: whoever handles the outbox kind
``incident_event`` carries the news to tickets and people.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from handoff import incident_repository as rows
from handoff.errors import AttachRefused, NothingToChange, ReviewRequired
from handoff.incident import (
    BEGINNINGS,
    Belonging,
    IncidentAction,
    IncidentStatus,
    PublicWords,
    check_performer,
    next_status,
)
from handoff.incident_matching import Evidence, to_json
from handoff.incident_performing import OUTBOX_KIND, Doing, perform, publish
from handoff.incident_tables import (
    Incident,
    IncidentAsker,
    IncidentMeasure,
    IncidentTicket,
)
from handoff.numbering import next_incident_number
from handoff.problem_report import ProblemReport
from handoff.tables import Ticket
from handoff.texts import LONG_LIMIT, SHORT_LIMIT, TITLE_LIMIT, clipped, optional, required
from handoff.ticket import FINAL_STATUSES, Status
from store.base import new_id
from store.vocabulary import Severity

__all__ = [
    "NOTE_LIMIT",
    "OUTBOX_KIND",
    "Doing",
    "NewIncident",
    "add_measure",
    "attach",
    "change_severity",
    "close",
    "confirm",
    "detach",
    "finish_measure",
    "note_asker",
    "open_incident",
    "propose",
    "propose_alert",
    "reject",
    "reopen",
    "resolve",
    "review",
    "tell",
]

#: What users are told fits a message.
NOTE_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class NewIncident:
    """What an incident begins with. ``code`` is an error code that names the fault."""

    title: str
    severity: Severity
    module: str | None = None
    code: str = ""
    words: PublicWords = field(default_factory=lambda: PublicWords(""))


async def propose(
    doing: Doing, new: NewIncident, evidence: Evidence, *, zone: ZoneInfo
) -> Incident:
    """A guess that waits for a person; the evidence stays as it is now."""
    incident = await _begin(
        doing,
        IncidentAction.PROPOSE,
        new,
        zone=zone,
        evidence=to_json(evidence),
        began_at=evidence.began_at,
    )
    for place, symptom in enumerate(evidence.symptoms):
        likeness = evidence.matches[place - 1].likeness if place else None
        _belong(doing, incident.id, symptom.ticket_id, Belonging.EVIDENCE, likeness)
    await doing.session.flush()
    return incident


async def propose_alert(
    doing: Doing,
    new: NewIncident,
    *,
    zone: ZoneInfo,
    began_at: datetime,
    evidence: dict[str, Any],
) -> Incident:
    """A machine saw a fault before users did; tickets may join it."""
    return await _begin(
        doing, IncidentAction.PROPOSE, new, zone=zone, evidence=evidence, began_at=began_at
    )


async def open_incident(
    doing: Doing, new: NewIncident, *, zone: ZoneInfo, began_at: datetime | None = None
) -> Incident:
    """A person knows of a fault: it needs no confirmation. Users are told its words."""
    required("note", new.words.note, NOTE_LIMIT)
    return await _begin(doing, IncidentAction.OPEN, new, zone=zone, began_at=began_at)


async def _begin(
    doing: Doing,
    action: IncidentAction,
    new: NewIncident,
    *,
    zone: ZoneInfo,
    evidence: dict[str, Any] | None = None,
    began_at: datetime | None = None,
) -> Incident:
    check_performer(action, doing.actor)
    status = BEGINNINGS[action]
    incident = Incident(
        id=new_id(),
        number=await next_incident_number(doing.session, zone=zone, now=doing.now),
        title=required("title", clipped(new.title, TITLE_LIMIT), TITLE_LIMIT),
        status=status.value,
        version=1,
        severity=new.severity.value,
        module=clipped(new.module or "", 80) or None,
        code=clipped(new.code, 60),
        note=optional("note", new.words.note, NOTE_LIMIT),
        meanwhile=optional("meanwhile", new.words.meanwhile, NOTE_LIMIT),
        evidence=evidence or {},
        review={},
        began_at=min(began_at or doing.now, doing.now),
        created_at=doing.now,
        updated_at=doing.now,
        confirmed_at=doing.now if status is IncidentStatus.OPEN else None,
    )
    doing.session.add(incident)
    await doing.session.flush()
    units = {"units": evidence["units"]} if evidence and "units" in evidence else {}
    await publish(doing, incident, action, None, {"severity": incident.severity, **units})
    return incident


async def confirm(
    doing: Doing,
    incident: Incident,
    *,
    title: str,
    severity: Severity,
    words: PublicWords,
) -> Incident:
    """It is a fault. Its tickets get this severity, users this answer."""
    note = required("note", words.note, NOTE_LIMIT)
    meanwhile = optional("meanwhile", words.meanwhile, NOTE_LIMIT)
    return await perform(
        doing,
        incident,
        IncidentAction.CONFIRM,
        detail={"severity": severity.value, "note": note, "meanwhile": meanwhile},
        title=required("title", title, TITLE_LIMIT),
        severity=severity.value,
        note=note,
        meanwhile=meanwhile,
        confirmed_at=doing.now,
    )


async def reject(doing: Doing, incident: Incident, *, why: str) -> Incident:
    """It is none. Its tickets never count towards a proposal again."""
    detail = {"why": required("why", why, SHORT_LIMIT)}
    return await perform(doing, incident, IncidentAction.REJECT, detail=detail)


async def attach(
    doing: Doing,
    incident: Incident,
    ticket: Ticket,
    *,
    belonging: Belonging,
    likeness: float | None = None,
) -> Incident:
    """This ticket tells of it too. One that a person took out comes back only by hand.

    Raises ``AttachRefused`` when the ticket is over or belongs to a living incident already.
    """
    holder = await rows.living_of(doing.session, ticket.id)
    if holder is not None or Status(ticket.status) in FINAL_STATUSES:
        raise AttachRefused(ticket.number, holder.number if holder else ticket.number)
    known = await rows.membership(doing.session, incident.id, ticket.id)
    if known is not None and belonging is not Belonging.HAND:
        raise AttachRefused(ticket.number, incident.number)
    detail = {"ticket": ticket.number, "belonging": belonging.value, "likeness": likeness}
    began = min(incident.began_at, ticket.opened_at)
    await perform(doing, incident, IncidentAction.ATTACH, detail=detail, began_at=began)
    if known is not None:
        known.belonging, known.attached_at, known.detached_at = belonging.value, doing.now, None
    else:
        _belong(doing, incident.id, ticket.id, belonging, likeness)
    await doing.session.flush()
    return incident


def _belong(
    doing: Doing, incident_id: str, ticket_id: str, belonging: Belonging, likeness: float | None
) -> None:
    doing.session.add(
        IncidentTicket(
            incident_id=incident_id,
            ticket_id=ticket_id,
            belonging=belonging.value,
            likeness=likeness,
            attached_at=doing.now,
        )
    )


async def detach(doing: Doing, incident: Incident, ticket: Ticket, *, why: str) -> Incident:
    """It is another matter after all; the ticket goes on by itself."""
    known = await rows.membership(doing.session, incident.id, ticket.id)
    if known is None or known.detached_at is not None:
        raise NothingToChange(incident.number, "ticket")
    detail = {"ticket": ticket.number, "why": required("why", why, SHORT_LIMIT)}
    await perform(doing, incident, IncidentAction.DETACH, detail=detail)
    known.detached_at = doing.now
    await doing.session.flush()
    return incident


async def change_severity(
    doing: Doing, incident: Incident, *, severity: Severity, why: str
) -> Incident:
    """Rate it anew; tickets below are raised to it, none is lowered."""
    if incident.severity == severity.value:
        raise NothingToChange(incident.number, "severity")
    detail = {"severity": severity.value, "why": required("why", why, SHORT_LIMIT)}
    return await perform(
        doing, incident, IncidentAction.CHANGE_SEVERITY, detail=detail, severity=severity.value
    )


async def tell(doing: Doing, incident: Incident, *, words: PublicWords) -> Incident:
    """News: who is concerned gets it now, who asks later gets it as the answer."""
    note = required("note", words.note, NOTE_LIMIT)
    meanwhile = optional("meanwhile", words.meanwhile, NOTE_LIMIT)
    if (incident.note, incident.meanwhile) == (note, meanwhile):
        raise NothingToChange(incident.number, "note")
    detail = {"note": note, "meanwhile": meanwhile}
    return await perform(
        doing, incident, IncidentAction.TELL, detail=detail, note=note, meanwhile=meanwhile
    )


async def resolve(doing: Doing, incident: Incident, *, cause: str, solution: str) -> Incident:
    """It is over: its tickets are resolved with these words, and everybody concerned is told."""
    words = {
        "cause": required("cause", cause, LONG_LIMIT),
        "solution": required("solution", solution, LONG_LIMIT),
    }
    return await perform(
        doing, incident, IncidentAction.RESOLVE, detail=words, resolved_at=doing.now, **words
    )


async def reopen(doing: Doing, incident: Incident, *, why: str) -> Incident:
    """It is not over; the tickets that it resolved go on."""
    detail = {"why": required("why", why, SHORT_LIMIT)}
    return await perform(doing, incident, IncidentAction.REOPEN, detail=detail, resolved_at=None)


async def review(doing: Doing, incident: Incident, *, report: ProblemReport) -> Incident:
    """What it was, what it did, what was done, what keeps it from coming back."""
    detail = report.detail()
    return await perform(doing, incident, IncidentAction.REVIEW, detail=detail, review=detail)


async def add_measure(
    doing: Doing, incident: Incident, *, text: str, owner: str, due: date
) -> IncidentMeasure:
    """Somebody has to do something until then."""
    measure = IncidentMeasure(
        id=new_id(),
        incident_id=incident.id,
        text=required("text", text, SHORT_LIMIT),
        owner=required("owner", owner, 80),
        due=due,
        created_at=doing.now,
        outcome="",
    )
    detail = {"text": measure.text, "owner": measure.owner, "due": due.isoformat()}
    await perform(doing, incident, IncidentAction.ADD_MEASURE, detail=detail)
    doing.session.add(measure)
    await doing.session.flush()
    return measure


async def finish_measure(
    doing: Doing, incident: Incident, measure_id: str, *, outcome: str
) -> IncidentMeasure:
    """It is done, with what came of it."""
    next_status(IncidentStatus(incident.status), IncidentAction.FINISH_MEASURE)
    measure = await rows.measure(doing.session, incident.id, measure_id)
    if measure.done_at is not None:
        raise NothingToChange(incident.number, "measure")
    words = required("outcome", outcome, SHORT_LIMIT)
    detail = {"text": measure.text, "outcome": words}
    await perform(doing, incident, IncidentAction.FINISH_MEASURE, detail=detail)
    measure.done_at, measure.outcome = doing.now, words
    await doing.session.flush()
    return measure


async def note_asker(
    doing: Doing,
    incident_id: str,
    *,
    conversation_id: str,
    user_id: str,
    unit: str,
    region: str,
    follows: bool = False,
) -> bool:
    """Somebody was told of it, or wants to hear of its end; ``False`` when that is known.

    No event of the incident: it decides nothing. The caller holds the conversation.
    """
    known = await rows.asked(doing.session, incident_id, conversation_id)
    if known is not None:
        news = follows and not known.follows
        known.follows = known.follows or follows
        await doing.session.flush()
        return news
    doing.session.add(
        IncidentAsker(
            incident_id=incident_id,
            conversation_id=conversation_id,
            user_id=user_id,
            unit=clipped(unit, 120),
            region=clipped(region, 80),
            follows=follows,
            at=doing.now,
        )
    )
    await doing.session.flush()
    return True


async def close(doing: Doing, incident: Incident) -> Incident:
    """Nothing is left to do. Raises ``ReviewRequired`` before that."""
    next_status(IncidentStatus(incident.status), IncidentAction.CLOSE)
    every = await rows.measures(doing.session, incident.id)
    owed = sum(one.done_at is None for one in every)
    if owed or not incident.review:
        raise ReviewRequired(incident.number, owed=owed)
    return await perform(doing, incident, IncidentAction.CLOSE, detail={}, closed_at=doing.now)
