"""Pages of the rules of tickets: list, order, switch, make, change, try out, history.

What was typed stays when it is refused. Operations and managers look and try out; only
administrators change anything.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.changes.service import Change, Difference
from bot.errors import InvalidInput
from bot.rules.admin import LOOK_ROLES, Listed, Named
from bot.rules.starters import starters
from bot.rules.words import RuleWords
from bot.web.admin.access import Framed, Starter, frame
from bot.web.admin.forms import texts, version
from bot.web.admin.refusals import or_refused
from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices
from handoff.errors import RuleInvalid
from handoff.rule_checks import LEVELS, MAX_CONDITIONS, MAX_STEPS, PLACEHOLDERS
from handoff.rule_repository import as_rule
from handoff.rules import (
    CHOICES,
    CUSTOM,
    Condition,
    Field,
    Match,
    Occasion,
    Operator,
    Rule,
    Step,
    StepKind,
)

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/admin/ticket-rules"
RowId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
#: Empty lines below those that are filled.
_SPARE = 2
Line = TypeVar("Line", Condition, Step)
_BETWEEN = re.compile(r"[\r\n,;，；、]+")


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule in the list, in words."""

    id: str
    name: str
    enabled: bool
    occasion: str
    because: str
    does: Sequence[str]
    fired: int
    shadow: str


@dataclass(frozen=True, slots=True)
class RulesPage(Framed):
    """All rules, from the top."""

    rules: Sequence[RuleRow]
    starters: Sequence[str]
    may_change: bool


@dataclass(frozen=True, slots=True)
class RulePage(Framed):
    """One rule's form; its id is empty for a new one."""

    rule: Rule
    version: int
    enabled: bool
    conditions: Sequence[Condition | None]
    steps: Sequence[Step | None]
    fields: Sequence[tuple[str, str]]
    choices: Sequence[tuple[str, Sequence[str]]]
    targets: Sequence[str]
    names: Mapping[str, str]
    history: Sequence[Change]
    may_change: bool
    error: str
    occasions: Sequence[str] = tuple(one.value for one in Occasion)
    matches: Sequence[str] = tuple(one.value for one in Match)
    operators: Sequence[str] = tuple(one.value for one in Operator)
    kinds: Sequence[str] = tuple(one.value for one in StepKind)
    placeholders: Sequence[str] = PLACEHOLDERS


@router.get(ADDRESS)
async def rules(staff: PageStaff, app: AppServices) -> Response:
    """All rules."""
    outer = frame(app, staff, "rules", *LOOK_ROLES)
    found = await app.rules.admin.listed(staff)
    told = (await app.rules.admin.named(staff)).words(app.phrases)
    names = {one.row.id: one.row.name for one in found}
    page = RulesPage(
        outer,
        [_listed(one, told, names) for one in found],
        starters=tuple(starters(app.phrases)),
        may_change=staff.may(),
    )
    return app.pages.page("admin/rules.html", {"page": page}, headers=FRESH)


def _listed(one: Listed, told: RuleWords, names: Mapping[str, str]) -> RuleRow:
    return RuleRow(
        id=one.row.id,
        name=one.row.name,
        enabled=one.row.enabled,
        occasion=one.row.occasion,
        because=told.reasons(one.rule.conditions),
        does=[told.step(step) for step in one.rule.steps],
        fired=one.fired,
        shadow=names.get(one.shadow, ""),
    )


@router.get(f"{ADDRESS}/new")
async def new(staff: PageStaff, app: AppServices, starter: Starter = "") -> Response:
    """An empty form, or one that is filled to begin with."""
    empty = Rule("", "", Occasion.OPENED, Match.ALL, (), ())
    return await _form(app, staff, starters(app.phrases).get(starter, empty))


@router.get(f"{ADDRESS}/{{rule_id}}")
async def edit(rule_id: RowId, staff: PageStaff, app: AppServices) -> Response:
    """The form of a rule."""
    return await _kept(app, staff, rule_id)


@router.post(f"{ADDRESS}/new")
async def add(staff: PageStaff, app: AppServices, request: Request) -> Response:
    """Make a rule, or try it out."""
    return await _save(app, staff, request, "")


@router.post(f"{ADDRESS}/{{rule_id}}")
async def save(rule_id: RowId, staff: PageStaff, app: AppServices, request: Request) -> Response:
    """Save a rule, or try it out."""
    return await _save(app, staff, request, rule_id)


@router.post(f"{ADDRESS}/{{rule_id}}/switch/{{to}}")
async def switch(
    rule_id: RowId,
    to: Annotated[str, Path(pattern="^(on|off)$")],
    staff: PageStaff,
    app: AppServices,
) -> Response:
    """Switch a rule."""
    verb = app.rules.admin.switch(staff, rule_id, on=to == "on")
    return await or_refused(verb, RuleInvalid, partial(_kept, app, staff, rule_id), then=ADDRESS)


@router.post(f"{ADDRESS}/{{rule_id}}/move/{{to}}")
async def move(
    rule_id: RowId,
    to: Annotated[str, Path(pattern="^(up|down)$")],
    staff: PageStaff,
    app: AppServices,
) -> Response:
    """One place up or down."""
    await app.rules.admin.move(staff, rule_id, up=to == "up")
    return RedirectResponse(ADDRESS, 303)


@router.post(f"{ADDRESS}/{{rule_id}}/remove")
async def remove(rule_id: RowId, staff: PageStaff, app: AppServices) -> Response:
    """Remove a rule."""
    await app.rules.admin.remove(staff, rule_id)
    return RedirectResponse(ADDRESS, 303)


@router.post(f"{ADDRESS}/{{rule_id}}/restore/{{change_id}}")
async def restore(rule_id: RowId, change_id: RowId, staff: PageStaff, app: AppServices) -> Response:
    """Make a rule as it was."""
    verb = app.rules.admin.restore(staff, rule_id, change_id)
    page = partial(_kept, app, staff, rule_id)
    return await or_refused(verb, RuleInvalid, page, then=f"{ADDRESS}/{rule_id}")


async def _kept(
    app: Services, staff: Principal, rule_id: str, refused: RuleInvalid | None = None
) -> Response:
    """The form of a rule as it is kept."""
    row = await app.rules.admin.rule(staff, rule_id)
    opened = (row.version, row.enabled)
    return await _form(app, staff, as_rule(row), opened=opened, refused=refused)


async def _save(app: Services, staff: Principal, request: Request, rule_id: str) -> Response:
    staff.require(*LOOK_ROLES)
    typed = await texts(request)
    named = await app.rules.admin.named(staff)
    rule = replace(_read(typed, named), id=rule_id)
    row = await app.rules.admin.rule(staff, rule_id) if rule_id else None
    opened = (version(typed), row.enabled if row else False)
    asked = typed.get("do", [""])[0]
    try:
        if asked == "more":
            return await _form(app, staff, rule, opened=opened, spare=_SPARE * 3)
        if asked == "try":
            trial_id = await app.rules.trials.start(staff, rule)
            return RedirectResponse(f"{ADDRESS}/trials/{trial_id}", 303)
        await app.rules.admin.save(staff, rule, opened[0])
    except (RuleInvalid, InvalidInput) as refused:
        return await _form(app, staff, rule, opened=opened, refused=refused)
    return RedirectResponse(ADDRESS, 303)


def _read(typed: Mapping[str, Sequence[str]], named: Named) -> Rule:
    """The rule that a form describes. Raises :class:`InvalidInput` for what no form of ours has."""
    first = {name: values[0] for name, values in typed.items()}
    try:
        return Rule(
            id="",
            name=" ".join(first.get("name", "").split()),
            occasion=Occasion(first.get("occasion", "")),
            match=Match(first.get("match", "")),
            conditions=tuple(_conditions(first)),
            steps=tuple(_steps(first, named)),
            stop=bool(first.get("stop")),
        )
    except ValueError:
        raise InvalidInput("form", "console.error.form") from None


def _conditions(typed: Mapping[str, str]) -> Iterator[Condition]:
    for line in range(MAX_CONDITIONS + 1):
        field = typed.get(f"field_{line}", "")
        if field:
            operator = Operator(typed.get(f"operator_{line}", ""))
            parts = (part.strip() for part in _BETWEEN.split(typed.get(f"values_{line}", "")))
            yield Condition(field, operator, tuple(part for part in parts if part))


def _steps(typed: Mapping[str, str], named: Named) -> Iterator[Step]:
    for line in range(MAX_STEPS + 1):
        kind = typed.get(f"kind_{line}", "")
        if kind:
            step = StepKind(kind)
            target = _id_of(step, typed.get(f"target_{line}", ""), named)
            yield Step(step, target, typed.get(f"text_{line}", ""))


def _id_of(kind: StepKind, typed: str, named: Named) -> str:
    """The id behind a name, for what is known by names."""
    people = {StepKind.ENGINEER: named.engineers, StepKind.NOTIFY: named.notifications}
    known = people.get(kind, {})
    return next((one for one, name in known.items() if name == typed), typed)


async def _form(
    app: Services,
    staff: Principal,
    rule: Rule,
    *,
    opened: tuple[int, bool] = (0, False),
    spare: int = _SPARE,
    refused: RuleInvalid | InvalidInput | None = None,
) -> Response:
    outer = frame(app, staff, "rules", *LOOK_ROLES)
    named = await app.rules.admin.named(staff)
    told = named.words(app.phrases)
    names = [*Field, *(f"{CUSTOM}{one.key}" for one in named.fields)]
    page = RulePage(
        outer,
        rule=rule,
        version=opened[0],
        enabled=opened[1],
        conditions=_lines(rule.conditions, spare, MAX_CONDITIONS),
        steps=_lines(rule.steps, spare, MAX_STEPS),
        fields=[(str(name), told.field(name)) for name in names],
        choices=[(told.field(field), values) for field, values in CHOICES.items()],
        targets=[
            *LEVELS,
            *CHOICES[Field.SEVERITY][1:],
            *named.engineers.values(),
            *named.notifications.values(),
        ],
        names={**named.engineers, **named.notifications},
        history=[
            _in_words(one, told)
            for one in (await app.rules.admin.history(staff, rule.id) if rule.id else ())
        ],
        may_change=staff.may(),
        error=_told(app, told, refused),
    )
    status = 422 if refused else 200
    return app.pages.page("admin/ticket_rule.html", {"page": page}, status=status, headers=FRESH)


def _in_words(change: Change, told: RuleWords) -> Change:
    differences = [
        Difference(one.name, told.kept(one.name, one.before), told.kept(one.name, one.after))
        for one in change.differences
    ]
    return replace(change, differences=differences)


def _told(app: Services, told: RuleWords, refused: RuleInvalid | InvalidInput | None) -> str:
    if isinstance(refused, RuleInvalid):
        return told.refusal(refused)
    return app.phrases.say(refused.reason) if refused else ""


def _lines(filled: Sequence[Line], spare: int, most: int) -> list[Line | None]:
    found: list[Line | None] = list(filled)
    return found + [None] * min(spare, most - len(filled))
