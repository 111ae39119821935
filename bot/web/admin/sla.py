"""The administrator's page of service contracts: what is promised, where it holds, and a trial.

The trial reckons any ticket at any time line by line, with the very code that reckons the real
ones. Refuses to change a contract: what was signed is a file that is reviewed with the code.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from bot.assembly import Services
from bot.calendar_admin import parse_time
from bot.web.admin.access import Framed, frame
from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices
from handoff.clock_events import Started
from handoff.contract import Clock, Contract, Target
from handoff.explanation import duration, explain, moment, render
from handoff.sla import fold
from store.vocabulary import Category, Severity

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/admin/contracts"


@dataclass(frozen=True, slots=True)
class LevelRow:
    """What is promised for one severity, in words; an empty target is not promised."""

    severity: str
    term: str
    clock: str
    targets: Sequence[str]


@dataclass(frozen=True, slots=True)
class ContractView:
    """One contract: its levels, its calendar, and where it is in force."""

    id: str
    name: str
    calendar: str
    levels: Sequence[LevelRow]
    regions: Sequence[str]
    default: bool
    pauses: str
    warnings: str


@dataclass(frozen=True, slots=True)
class Trial:
    """A ticket that was never opened: what was chosen for it."""

    contract: str
    severity: str
    category: str
    at: str


@dataclass(frozen=True, slots=True)
class TargetReckoning:
    """One deadline of the trial and its reckoning line by line."""

    title: str
    deadline: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class ContractsPage(Framed):
    """Every contract, and the trial."""

    contracts: Sequence[ContractView]
    targets: Sequence[str]
    severities: Sequence[str]
    categories: Sequence[str]
    trial: Trial
    reckoned: Sequence[TargetReckoning]
    error: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form of the trial says; anything may be missing or unknown."""

    contract: str
    severity: str
    category: str
    at: str


async def asked(
    contract: Annotated[str, Query(max_length=40)] = "",
    severity: Annotated[str, Query(max_length=10)] = "",
    category: Annotated[str, Query(max_length=10)] = "",
    at: Annotated[str, Query(max_length=40)] = "",
) -> Asked:
    """The address's query."""
    return Asked(contract, severity, category, at)


def _trial(app: Services, wanted: Asked) -> Trial:
    """What is tried; what is missing or unknown takes the usual value, a time stays as typed."""
    terms, settings = app.terms, app.settings.handoff
    chosen = wanted.contract if wanted.contract in terms.contracts else settings.contract
    calendar = terms.calendar(terms.contract(chosen).calendar)
    now = app.clock().astimezone(calendar.zone)
    known = wanted.severity in set(Severity), wanted.category in set(Category)
    return Trial(
        contract=chosen,
        severity=wanted.severity if known[0] else Severity.GENERAL.value,
        category=wanted.category if known[1] else Category.HOW_TO.value,
        at=wanted.at or f"{now:%Y-%m-%dT%H:%M}",
    )


@router.get(ADDRESS)
async def contracts(
    staff: PageStaff, app: AppServices, wanted: Annotated[Asked, Depends(asked)]
) -> Response:
    """What is promised, where, and why a deadline would be what it is."""
    outer = frame(app, staff, "contracts")
    trial = _trial(app, wanted)
    calendar = app.terms.calendar(app.terms.contract(trial.contract).calendar)
    opened = parse_time(trial.at, calendar)
    page = ContractsPage(
        frame=outer,
        contracts=[_view(app, one) for one in app.terms.contracts.values()],
        targets=[app.phrases.say(f"sla.target.{target}") for target in Target],
        severities=[one.value for one in Severity],
        categories=[one.value for one in Category],
        trial=trial,
        reckoned=_reckon(app, trial, opened.astimezone(UTC)) if opened else (),
        error="" if opened else app.phrases.say("sla_admin.bad_time"),
    )
    status = 200 if opened else 422
    return app.pages.page("admin/contracts.html", {"page": page}, status=status, headers=FRESH)


def _view(app: Services, contract: Contract) -> ContractView:
    settings = app.settings.handoff
    return ContractView(
        id=contract.id,
        name=contract.name,
        calendar=app.terms.calendar(contract.calendar).name,
        levels=[_level(app, contract, severity) for severity in reversed(Severity)],
        regions=[name for name, one in settings.region_contracts.items() if one == contract.id],
        default=settings.contract == contract.id,
        pauses="、".join(sorted(reason.value for reason in contract.pauses)),
        warnings="、".join(f"{percent}%" for percent in contract.warn_at),
    )


def _level(app: Services, contract: Contract, severity: Severity) -> LevelRow:
    say, level = app.phrases.say, contract.levels.get(severity)
    clock = level.clock if level else Clock.WORKING_HOURS
    return LevelRow(
        severity=severity.value,
        term=level.term if level else "",
        clock=say(f"sla.clock.{clock.name.lower()}"),
        targets=[_target(app, contract, severity, target) for target in Target],
    )


def _target(app: Services, contract: Contract, severity: Severity, target: Target) -> str:
    say, level = app.phrases.say, contract.levels.get(severity)
    promise = level.promises.get(target) if level else None
    if promise is None:
        at_once = level is not None and target in level.at_once
        return say("sla_admin.at_once") if at_once else ""
    told = duration(promise.budget, say=say)
    names = "、".join(sorted(one.value for one in promise.categories))
    return say("sla_admin.only_for", amount=told, categories=names) if names else told


def _reckon(app: Services, trial: Trial, at: datetime) -> list[TargetReckoning]:
    say = app.phrases.say
    started = Started(at, Severity(trial.severity), Category(trial.category), trial.contract)
    state = fold((started,), app.terms, at)
    zone = app.terms.calendar(state.calendar).zone
    found = []
    for target in Target:
        known = state.targets.get(target)
        due = known.deadline if known else None
        lines = render(explain((started,), app.terms, target, at), zone=zone, say=say)
        told = moment(due, zone=zone, say=say) if due else ""
        found.append(TargetReckoning(say(f"sla.target.{target}"), told, lines))
    return found
