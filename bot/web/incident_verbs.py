"""The verbs on incidents as values from outside: one shape per verb, checked, then performed.

The JSON API and the pages' forms both come through here, so they refuse the same things.
"""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated, TypeAlias, assert_never

from pydantic import BaseModel, ConfigDict, StringConstraints

from bot.accounts.service import Principal
from bot.incidents.service import Incidents
from bot.web.staff_verbs import Number, Title, Why, Words
from handoff.incident import IncidentAction, PublicWords
from handoff.incident_service import NewIncident
from handoff.incident_tables import Incident
from handoff.problem_report import ProblemReport
from store.vocabulary import Severity

Note = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)]
Meanwhile = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000)]
Module = Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
MeasureId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
AnyNumber = Annotated[
    str, StringConstraints(strip_whitespace=True, to_upper=True, pattern=r"^[A-Za-z0-9-]{0,24}$")
]


class Body(BaseModel):
    """Nothing that is not asked for: a misspelt field is refused, not lost."""

    model_config = ConfigDict(extra="forbid")


class OpenIn(Body):
    """A fault that a person knows of. ``ticket`` tells of it."""

    title: Title
    severity: Severity
    note: Note
    meanwhile: Meanwhile = ""
    module: Module = ""
    code: Code = ""
    ticket: AnyNumber = ""

    def new(self) -> NewIncident:
        """As the verbs take it."""
        return NewIncident(
            title=self.title,
            severity=self.severity,
            module=self.module or None,
            code=self.code,
            words=PublicWords(self.note, self.meanwhile),
        )


class ConfirmIn(Body):
    """It is a fault: what it is called, how grave it is, what users are told."""

    title: Title
    severity: Severity
    note: Note
    meanwhile: Meanwhile = ""


class RejectIn(Body):
    """It is none."""

    why: Why


class AttachIn(Body):
    """This ticket belongs to it."""

    ticket: Number


class DetachIn(Body):
    """This ticket is another matter."""

    ticket: Number
    why: Why


class SeverityIn(Body):
    """Rate it anew."""

    severity: Severity
    why: Why


class TellIn(Body):
    """News for everybody concerned."""

    note: Note
    meanwhile: Meanwhile = ""


class ResolveIn(Body):
    """It is over."""

    cause: Words
    solution: Words


class ReopenIn(Body):
    """It is not over."""

    why: Why


class ReviewIn(Body):
    """What it was, what it did, what was done, what keeps it from coming back."""

    cause: Words
    impact: Words
    measures: Words
    prevention: Words


class AddMeasureIn(Body):
    """Somebody has to do something until then."""

    text: Why
    owner: Name
    due: date


class FinishMeasureIn(Body):
    """It is done."""

    measure: MeasureId
    outcome: Why


class CloseIn(Body):
    """Nothing is left to do."""


Verb: TypeAlias = (
    ConfirmIn
    | RejectIn
    | AttachIn
    | DetachIn
    | SeverityIn
    | TellIn
    | ResolveIn
    | ReopenIn
    | ReviewIn
    | AddMeasureIn
    | FinishMeasureIn
    | CloseIn
)

#: The shape of every verb that a person performs.
VERBS: Mapping[IncidentAction, type[Verb]] = MappingProxyType(
    {
        IncidentAction.CONFIRM: ConfirmIn,
        IncidentAction.REJECT: RejectIn,
        IncidentAction.ATTACH: AttachIn,
        IncidentAction.DETACH: DetachIn,
        IncidentAction.CHANGE_SEVERITY: SeverityIn,
        IncidentAction.TELL: TellIn,
        IncidentAction.RESOLVE: ResolveIn,
        IncidentAction.REOPEN: ReopenIn,
        IncidentAction.REVIEW: ReviewIn,
        IncidentAction.ADD_MEASURE: AddMeasureIn,
        IncidentAction.FINISH_MEASURE: FinishMeasureIn,
        IncidentAction.CLOSE: CloseIn,
    }
)


async def perform(
    verbs: Incidents, staff: Principal, number: str, verb: Verb, expected: int | None = None
) -> Incident:
    """Do it; the incident as it is then. Raises what the verb raises."""
    match verb:
        case ConfirmIn() | RejectIn() | SeverityIn() | TellIn():
            return await _judge(verbs, staff, number, verb, expected)
        case AttachIn():
            return await verbs.attach(staff, number, verb.ticket, expected=expected)
        case DetachIn():
            return await verbs.detach(staff, number, verb.ticket, verb.why, expected=expected)
        case ResolveIn() | ReopenIn() | CloseIn():
            return await _end(verbs, staff, number, verb, expected)
        case ReviewIn() | AddMeasureIn() | FinishMeasureIn():
            return await _learn(verbs, staff, number, verb, expected)
        case _:
            assert_never(verb)


async def _judge(
    verbs: Incidents,
    staff: Principal,
    number: str,
    verb: ConfirmIn | RejectIn | SeverityIn | TellIn,
    expected: int | None,
) -> Incident:
    match verb:
        case ConfirmIn():
            return await verbs.confirm(
                staff,
                number,
                title=verb.title,
                severity=verb.severity,
                words=PublicWords(verb.note, verb.meanwhile),
                expected=expected,
            )
        case RejectIn():
            return await verbs.reject(staff, number, verb.why, expected=expected)
        case SeverityIn():
            return await verbs.change_severity(
                staff, number, verb.severity, verb.why, expected=expected
            )
        case TellIn():
            words = PublicWords(verb.note, verb.meanwhile)
            return await verbs.tell(staff, number, words, expected=expected)
        case _:
            assert_never(verb)


async def _end(
    verbs: Incidents,
    staff: Principal,
    number: str,
    verb: ResolveIn | ReopenIn | CloseIn,
    expected: int | None,
) -> Incident:
    match verb:
        case ResolveIn():
            return await verbs.resolve(
                staff, number, cause=verb.cause, solution=verb.solution, expected=expected
            )
        case ReopenIn():
            return await verbs.reopen(staff, number, verb.why, expected=expected)
        case CloseIn():
            return await verbs.close(staff, number, expected=expected)
        case _:
            assert_never(verb)


async def _learn(
    verbs: Incidents,
    staff: Principal,
    number: str,
    verb: ReviewIn | AddMeasureIn | FinishMeasureIn,
    expected: int | None,
) -> Incident:
    match verb:
        case ReviewIn():
            report = ProblemReport(verb.cause, verb.impact, verb.measures, verb.prevention)
            return await verbs.review(staff, number, report, expected=expected)
        case AddMeasureIn():
            return await verbs.add_measure(
                staff, number, text=verb.text, owner=verb.owner, due=verb.due, expected=expected
            )
        case FinishMeasureIn():
            return await verbs.finish_measure(
                staff, number, verb.measure, verb.outcome, expected=expected
            )
        case _:
            assert_never(verb)
