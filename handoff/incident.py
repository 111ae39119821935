"""An incident's life as one table: one fault that many tickets tell of.

Pure. ``TRANSITIONS`` is the only statement of the rules: the page's buttons, the API and
``docs/reference/incident-transitions.md`` are derived from it. Refuses to know storage and time.

A proposal is a guess that waits for a person. What was rejected and what was closed is final;
the same fault later is a new incident.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from handoff.errors import IllegalTransition, NotPermitted
from handoff.ticket import Actor, ActorKind
from store.vocabulary import Severity


class IncidentStatus(StrEnum):
    """Where an incident is."""

    PROPOSED = "待确认"
    OPEN = "处理中"
    RESOLVED = "已解决"
    CLOSED = "已关闭"
    REJECTED = "已排除"


class IncidentAction(StrEnum):
    """What can be done to an incident. The values name API paths and phrase keys."""

    PROPOSE = "propose"
    OPEN = "open"
    CONFIRM = "confirm"
    REJECT = "reject"
    ATTACH = "attach"
    DETACH = "detach"
    CHANGE_SEVERITY = "change_severity"
    TELL = "tell"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    REVIEW = "review"
    ADD_MEASURE = "add_measure"
    FINISH_MEASURE = "finish_measure"
    CLOSE = "close"


class Belonging(StrEnum):
    """How a ticket came to an incident. The values are phrase keys."""

    EVIDENCE = "evidence"
    ALIKE = "alike"
    ASKED = "asked"
    HAND = "hand"


#: How an incident begins: guessed from tickets, or opened by a person who knows.
BEGINNINGS: Mapping[IncidentAction, IncidentStatus] = MappingProxyType(
    {
        IncidentAction.PROPOSE: IncidentStatus.PROPOSED,
        IncidentAction.OPEN: IncidentStatus.OPEN,
    }
)

_P, _O, _R = IncidentStatus.PROPOSED, IncidentStatus.OPEN, IncidentStatus.RESOLVED

TRANSITIONS: Mapping[tuple[IncidentStatus, IncidentAction], IncidentStatus] = MappingProxyType(
    {
        (_P, IncidentAction.CONFIRM): _O,
        (_P, IncidentAction.REJECT): IncidentStatus.REJECTED,
        (_P, IncidentAction.ATTACH): _P,
        (_P, IncidentAction.DETACH): _P,
        (_O, IncidentAction.ATTACH): _O,
        (_O, IncidentAction.DETACH): _O,
        (_O, IncidentAction.CHANGE_SEVERITY): _O,
        (_O, IncidentAction.TELL): _O,
        (_O, IncidentAction.RESOLVE): _R,
        (_O, IncidentAction.REVIEW): _O,
        (_O, IncidentAction.ADD_MEASURE): _O,
        (_O, IncidentAction.FINISH_MEASURE): _O,
        (_R, IncidentAction.REOPEN): _O,
        (_R, IncidentAction.REVIEW): _R,
        (_R, IncidentAction.ADD_MEASURE): _R,
        (_R, IncidentAction.FINISH_MEASURE): _R,
        (_R, IncidentAction.CLOSE): IncidentStatus.CLOSED,
    }
)

#: Statuses that take tickets in.
TAKING: frozenset[IncidentStatus] = frozenset({_P, _O})

#: Statuses that no action leaves.
FINAL: frozenset[IncidentStatus] = frozenset({IncidentStatus.CLOSED, IncidentStatus.REJECTED})

_PEOPLE = frozenset({ActorKind.ENGINEER})
_ANYBODY = frozenset({ActorKind.ENGINEER, ActorKind.SYSTEM, ActorKind.BOT})

#: Which kinds of actor perform an action: machines guess and gather, people decide.
PERFORMERS: Mapping[IncidentAction, frozenset[ActorKind]] = MappingProxyType(
    {
        action: (
            frozenset({ActorKind.SYSTEM})
            if action is IncidentAction.PROPOSE
            else _ANYBODY
            if action is IncidentAction.ATTACH
            else _PEOPLE
        )
        for action in IncidentAction
    }
)

#: What reaches the people concerned: the askers of its tickets, and who asked to be told.
TOLD: frozenset[IncidentAction] = frozenset(
    {IncidentAction.TELL, IncidentAction.RESOLVE, IncidentAction.REOPEN}
)


@dataclass(frozen=True, slots=True)
class PublicWords:
    """What users are told of it: the fault, and what to do meanwhile. Written by a person."""

    note: str
    meanwhile: str = ""


def next_status(status: IncidentStatus, action: IncidentAction) -> IncidentStatus:
    """Where ``action`` leads from ``status``. Raises ``IllegalTransition`` when nowhere."""
    try:
        return TRANSITIONS[(status, action)]
    except KeyError:
        raise IllegalTransition(status, action) from None


def allowed_actions(status: IncidentStatus) -> tuple[IncidentAction, ...]:
    """What a person can do in ``status``, in the order of ``IncidentAction``."""
    return tuple(action for action in IncidentAction if (status, action) in TRANSITIONS)


def check_performer(action: IncidentAction, actor: Actor) -> None:
    """Raise ``NotPermitted`` when this kind of actor never performs ``action``."""
    if actor.kind not in PERFORMERS[action]:
        raise NotPermitted(action, actor.kind)


def proposed_severity(
    ratings: tuple[Severity, ...], *, units: int, urgent_from: int, major_from: int
) -> Severity:
    """The level to propose: the gravest ticket's, raised by how many units are affected."""
    by_count = Severity.GENERAL
    if units >= major_from:
        by_count = Severity.MAJOR
    elif units >= urgent_from:
        by_count = Severity.URGENT
    return max((*ratings, by_count), key=lambda severity: severity.rank)
