"""The verbs of dispatch as values from outside: one shape per verb, checked, then performed.

The JSON API and the console's forms both come through here, so they refuse the same things.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Any, TypeAlias, assert_never

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from bot.accounts.service import Principal
from bot.errors import InvalidInput
from bot.tickets.dispatching import Dispatch
from bot.tickets.engineers import Engineers
from handoff.errors import WorkOrderRequired
from handoff.problem_report import ProblemReport
from handoff.service import Destination
from handoff.ticket import Action, Level, PauseReason
from handoff.work_orders import OrderKind, OrderStatus, WorkOrder
from store.vocabulary import Category, Severity

Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Number = Annotated[
    str, StringConstraints(strip_whitespace=True, to_upper=True, pattern=r"^[A-Za-z0-9-]{1,24}$")
]
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=30)]
FieldKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
FieldText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
OrderNumber = Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)]


class Body(BaseModel):
    """Nothing that is not asked for: a misspelt field is refused, not lost."""

    model_config = ConfigDict(extra="forbid")


class AssignIn(Body):
    """Hand a waiting ticket to an engineer."""

    assignee_id: Annotated[str, StringConstraints(min_length=1, max_length=32)]


class ReleaseIn(Body):
    """Back into the queue."""

    why: Line = ""


class TransferIn(Body):
    """To an engineer, or to the queue of a level."""

    assignee_id: Annotated[str, StringConstraints(max_length=32)] = ""
    level: Level | None = None
    why: Why


class EscalateIn(Body):
    """Up; to the province with the kind of work order."""

    why: Why
    level: Level | None = None
    order_kind: OrderKind | None = None
    external_number: OrderNumber = ""


class WorkOrderIn(Body):
    """How far the province is. ``note`` is what the asker is told when it is released."""

    order_kind: OrderKind
    order_status: OrderStatus
    external_number: OrderNumber = ""
    release: OrderNumber = ""
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=10_000)] = ""


class PauseIn(Body):
    """Wait. ``until`` only, and always, with an appointment."""

    reason: PauseReason
    until: AwareDatetime | None = None
    why: Line = ""


class ResumeIn(Body):
    """The waiting is over."""


class ReopenIn(Body):
    """The solution did not hold."""

    why: Why


class CloseIn(Body):
    """The asker agreed."""


class ClassifyIn(Body):
    """Correct what it is about."""

    category: Category
    module: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = ""


class MarkIn(Body):
    """All its tags, and values of custom fields by key; what is not named stays as it is."""

    tags: Annotated[list[Tag], Field(max_length=20)] | None = None
    fields: Annotated[dict[FieldKey, FieldText], Field(max_length=50)] = Field(default_factory=dict)


class ArrangeIn(Body):
    """How and by when it will be dealt with."""

    plan: Words


class ReportIn(Body):
    """What the fault was and did, what was done, and what keeps it from coming back."""

    cause: Words
    impact: Words
    measures: Words
    prevention: Words


class MergeIn(Body):
    """The same matter as this ticket."""

    into: Number


class SplitIn(Body):
    """A second matter, as a ticket of its own."""

    title: Title
    description: Words


class LinkIn(Body):
    """Has to do with this ticket."""

    other: Number


class SeverityIn(Body):
    """Rate it anew."""

    severity: Severity
    why: Why


Verb: TypeAlias = (
    AssignIn
    | ReleaseIn
    | TransferIn
    | EscalateIn
    | WorkOrderIn
    | PauseIn
    | ResumeIn
    | ReopenIn
    | CloseIn
    | ClassifyIn
    | MarkIn
    | ArrangeIn
    | ReportIn
    | MergeIn
    | SplitIn
    | LinkIn
    | SeverityIn
)


#: The shape of each action; claiming, speaking, noting and resolving have verbs of their own.
SHAPES: Mapping[Action, type[Body]] = MappingProxyType(
    {
        Action.ASSIGN: AssignIn,
        Action.RELEASE: ReleaseIn,
        Action.TRANSFER: TransferIn,
        Action.ESCALATE: EscalateIn,
        Action.WORK_ORDER: WorkOrderIn,
        Action.PAUSE: PauseIn,
        Action.RESUME: ResumeIn,
        Action.REOPEN: ReopenIn,
        Action.CLOSE: CloseIn,
        Action.CLASSIFY: ClassifyIn,
        Action.MARK: MarkIn,
        Action.ARRANGE: ArrangeIn,
        Action.REPORT: ReportIn,
        Action.MERGE: MergeIn,
        Action.SPLIT: SplitIn,
        Action.LINK: LinkIn,
        Action.CHANGE_SEVERITY: SeverityIn,
    }
)


async def perform(
    desk: tuple[Dispatch, Engineers],
    staff: Principal,
    number: str,
    verb: Verb,
    expected: int | None = None,
) -> dict[str, Any]:
    """Do it; the ticket's state afterwards."""
    dispatch, engineers = desk
    match verb:
        case AssignIn() | ReleaseIn() | TransferIn() | EscalateIn() | WorkOrderIn():
            return await _hand_on(dispatch, staff, number, verb, expected)
        case MergeIn() | SplitIn() | LinkIn():
            return await _relate(dispatch, staff, number, verb, expected)
        case PauseIn() | ResumeIn() | ReopenIn() | CloseIn():
            return await _move(dispatch, staff, number, verb, expected)
        case SeverityIn():
            return await engineers.change_severity(
                staff, number, severity=verb.severity, why=verb.why, expected=expected
            )
        case ClassifyIn() | MarkIn() | ArrangeIn() | ReportIn():
            return await _describe(dispatch, staff, number, verb, expected)
        case _:
            assert_never(verb)


async def _hand_on(
    dispatch: Dispatch,
    staff: Principal,
    number: str,
    verb: AssignIn | ReleaseIn | TransferIn | EscalateIn | WorkOrderIn,
    expected: int | None,
) -> dict[str, Any]:
    match verb:
        case AssignIn():
            return await dispatch.assign(staff, number, verb.assignee_id, expected=expected)
        case ReleaseIn():
            return await dispatch.release(staff, number, verb.why, expected=expected)
        case TransferIn():
            to = _destination(verb)
            return await dispatch.transfer(staff, number, to, verb.why, expected=expected)
        case EscalateIn():
            order = _handed_in(number, verb)
            return await dispatch.escalate(
                staff, number, verb.why, to=verb.level, order=order, expected=expected
            )
        case WorkOrderIn():
            return await dispatch.track(staff, number, _order(verb), expected=expected)
        case _:
            assert_never(verb)


def _destination(verb: TransferIn) -> Destination:
    if bool(verb.assignee_id) == (verb.level is not None):
        raise InvalidInput("assignee_id", "console.error.destination")
    return Destination(assignee_id=verb.assignee_id or None, level=verb.level)


def _handed_in(number: str, verb: EscalateIn) -> WorkOrder | None:
    if verb.order_kind is not None:
        return WorkOrder(verb.order_kind, verb.external_number)
    if verb.level is Level.PROVINCE:
        raise WorkOrderRequired(number)
    return None


def _order(verb: WorkOrderIn) -> WorkOrder:
    return WorkOrder(
        kind=verb.order_kind,
        external_number=verb.external_number,
        status=verb.order_status,
        release=verb.release,
        note=verb.note,
    )


async def _relate(
    dispatch: Dispatch,
    staff: Principal,
    number: str,
    verb: MergeIn | SplitIn | LinkIn,
    expected: int | None,
) -> dict[str, Any]:
    match verb:
        case MergeIn():
            return await dispatch.merge(staff, number, verb.into, expected=expected)
        case SplitIn():
            return await dispatch.split(
                staff, number, title=verb.title, description=verb.description, expected=expected
            )
        case LinkIn():
            return await dispatch.link(staff, number, verb.other, expected=expected)
        case _:
            assert_never(verb)


async def _move(
    dispatch: Dispatch,
    staff: Principal,
    number: str,
    verb: PauseIn | ResumeIn | ReopenIn | CloseIn,
    expected: int | None,
) -> dict[str, Any]:
    match verb:
        case PauseIn():
            until: datetime | None = verb.until.astimezone(UTC) if verb.until else None
            return await dispatch.pause(
                staff, number, verb.reason, until=until, why=verb.why, expected=expected
            )
        case ResumeIn():
            return await dispatch.resume(staff, number, expected=expected)
        case ReopenIn():
            return await dispatch.reopen(staff, number, verb.why, expected=expected)
        case CloseIn():
            return await dispatch.close(staff, number, expected=expected)
        case _:
            assert_never(verb)


async def _describe(
    dispatch: Dispatch,
    staff: Principal,
    number: str,
    verb: ClassifyIn | MarkIn | ArrangeIn | ReportIn,
    expected: int | None,
) -> dict[str, Any]:
    match verb:
        case ClassifyIn():
            return await dispatch.classify(
                staff, number, category=verb.category, module=verb.module, expected=expected
            )
        case MarkIn():
            return await dispatch.mark(
                staff, number, tags=verb.tags, fields=verb.fields, expected=expected
            )
        case ArrangeIn():
            return await dispatch.arrange(staff, number, verb.plan, expected=expected)
        case ReportIn():
            report = ProblemReport(verb.cause, verb.impact, verb.measures, verb.prevention)
            return await dispatch.report(staff, number, report, expected=expected)
        case _:
            assert_never(verb)
