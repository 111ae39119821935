"""Dialogs of the verbs of dispatch: which may be opened, what each asks for, what was typed.

The shapes are those of the API (``staff_verbs``); which are offered follows from the transition
table's actions. Refuses to perform anything.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from bot.accounts.service import DESK_ROLES, Principal
from bot.assembly import Services
from bot.conversations.greeting import LOCAL
from bot.errors import InvalidInput
from bot.tables import Role
from bot.web.contexts import FieldView, Form, SheetView, VerbLink
from bot.web.staff_verbs import SHAPES, Verb
from handoff.marks import MAX_FIELD_CHARS, CustomField, FieldKind
from handoff.ticket import HOLDER_ACTIONS, Action, Level, PauseReason
from handoff.work_orders import OrderKind, OrderStatus
from store.vocabulary import Category


class Kind(StrEnum):
    """How a field is drawn."""

    LINE = "line"
    TEXT = "text"
    CHOICE = "choice"
    TIME = "time"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``choices`` are stored values; an engineer's list is looked up."""

    name: str
    kind: Kind
    limit: int = 500
    required: bool = True
    choices: Sequence[str] = ()


#: How a dialog names a custom field, and what stands between tags.
CUSTOM = "field_"
_BETWEEN = re.compile(r"[\s,;，；、]+")
_WHY = Field("why", Kind.LINE)
_WHY_PERHAPS = Field("why", Kind.LINE, required=False)
_ORDER_KIND = Field("order_kind", Kind.CHOICE, choices=tuple(OrderKind))
_ORDER_NUMBER = Field("external_number", Kind.LINE, limit=60, required=False)
_BELOW = tuple(level for level in Level if level is not Level.PROVINCE)

#: What each dialog asks for, in the order of the menu.
SHEETS: Mapping[Action, tuple[Field, ...]] = MappingProxyType(
    {
        Action.ASSIGN: (Field("assignee_id", Kind.CHOICE),),
        Action.TRANSFER: (
            Field("assignee_id", Kind.CHOICE, required=False),
            Field("level", Kind.CHOICE, required=False, choices=_BELOW),
            _WHY,
        ),
        Action.ESCALATE: (
            Field("level", Kind.CHOICE, required=False, choices=tuple(Level)[1:]),
            _WHY,
            Field("order_kind", Kind.CHOICE, required=False, choices=tuple(OrderKind)),
            _ORDER_NUMBER,
        ),
        Action.WORK_ORDER: (
            _ORDER_KIND,
            Field("order_status", Kind.CHOICE, choices=tuple(OrderStatus)),
            _ORDER_NUMBER,
            Field("release", Kind.LINE, limit=60, required=False),
            Field("note", Kind.TEXT, limit=10_000, required=False),
        ),
        Action.PAUSE: (
            Field("reason", Kind.CHOICE, choices=tuple(PauseReason)),
            Field("until", Kind.TIME, limit=40, required=False),
            _WHY_PERHAPS,
        ),
        Action.RESUME: (),
        Action.RELEASE: (_WHY_PERHAPS,),
        Action.CLASSIFY: (
            Field("category", Kind.CHOICE, choices=tuple(Category)),
            Field("module", Kind.LINE, limit=80, required=False),
        ),
        Action.MARK: (Field("tags", Kind.LINE, limit=700, required=False),),
        Action.ARRANGE: (Field("plan", Kind.TEXT, limit=10_000),),
        Action.REPORT: tuple(
            Field(name, Kind.TEXT, limit=10_000)
            for name in ("cause", "impact", "measures", "prevention")
        ),
        Action.MERGE: (Field("into", Kind.LINE, limit=24),),
        Action.SPLIT: (
            Field("title", Kind.LINE, limit=200),
            Field("description", Kind.TEXT, limit=10_000),
        ),
        Action.LINK: (Field("other", Kind.LINE, limit=24),),
        Action.REOPEN: (_WHY,),
        Action.CLOSE: (),
    }
)
#: What first-line engineers do only with tickets of their own or of nobody.
_OWN_HANDS = frozenset(
    {Action.ASSIGN, Action.TRANSFER, Action.ESCALATE, Action.RELEASE, Action.MERGE}
)


def offered(found: Mapping[str, Any], me: Principal) -> tuple[Action, ...]:
    """The dialogs that this account may open on this ticket now, in the order of the menu."""
    if not me.may(*DESK_ROLES):
        return ()
    return tuple(
        action for action in SHEETS if action.value in found["actions"] and _fits(action, found, me)
    )


def _fits(action: Action, found: Mapping[str, Any], me: Principal) -> bool:
    holder = found["assignee_id"]
    if action in HOLDER_ACTIONS and holder != me.staff_id:
        return False
    if action in _OWN_HANDS and me.role is Role.ENGINEER and holder not in (None, me.staff_id):
        return False
    if action is Action.WORK_ORDER:
        return found["work_order"] is not None and not found["work_order"]["ended"]
    return action is not Action.ESCALATE or found["level"] != Level.PROVINCE.value


def links(app_say: Any, actions: Sequence[Action]) -> list[VerbLink]:
    """The menu."""
    return [VerbLink(one.value, app_say(f"console.sheet.{one.value}.title")) for one in actions]


async def sheet(
    app: Services, staff: Principal, found: Mapping[str, Any], action: Action, form: Form
) -> SheetView | None:
    """The dialog with what was typed; ``None`` when it is not offered (any more)."""
    if action not in offered(found, staff):
        return None
    fields = SHEETS[action]
    people = await _people(app, staff, found, fields)
    values = form.values or _known(action, found)
    say = app.phrases.say
    return SheetView(
        action=action.value,
        title=say(f"console.sheet.{action.value}.title"),
        about=say(f"console.sheet.{action.value}.about"),
        version=found["version"],
        fields=[
            *(field_view(app, one, values.get(one.name, ""), people) for one in fields),
            *(custom_view(one, values) for one in found["fields"] if action is Action.MARK),
        ],
        error=form.error if form.refused == "sheet" else "",
    )


async def _people(
    app: Services, staff: Principal, found: Mapping[str, Any], fields: Sequence[Field]
) -> list[tuple[str, str]]:
    if not any(field.name == "assignee_id" for field in fields):
        return []
    able = await app.dispatch.takers(staff, found["number"])
    return [
        (one.id, " · ".join(part for part in (one.name, one.post) if part))
        for one in able
        if one.id != found["assignee_id"]
    ]


def _known(action: Action, found: Mapping[str, Any]) -> dict[str, str]:
    """What the ticket already says about what is asked."""
    if action is Action.MARK:
        marks = found["marks"]
        known = {f"{CUSTOM}{key}": value for key, value in marks["fields"].items()}
        return {**known, "tags": " ".join(marks["tags"])}
    if action is Action.CLASSIFY:
        return {"category": found["category"], "module": found["module"] or ""}
    if action is Action.REPORT:
        return found["report"] or {
            "cause": found["cause"] or "",
            "impact": " ".join(part for part in (found["region"], found["unit"]) if part),
            "measures": found["solution"] or "",
        }
    if action is Action.MERGE:
        return {"into": next((one["number"] for one in found["duplicates"]), "")}
    if action is Action.WORK_ORDER:
        order = found["work_order"]
        known = {name: order[name] for name in ("external_number", "release", "note")}
        return {**known, "order_kind": order["kind"], "order_status": order["status"]}
    return {}


def field_view(
    app: Services, field: Field, value: str, people: Sequence[tuple[str, str]]
) -> FieldView:
    """A field with its words, what was typed, and for colleagues whom to choose from."""
    choices = [(word, word) for word in field.choices]
    return FieldView(
        name=field.name,
        label=app.phrases.say(f"console.field.{field.name}"),
        kind=field.kind.value,
        required=field.required,
        limit=field.limit,
        value=value,
        choices=list(people) if field.name == "assignee_id" else choices,
    )


_DRAWN: Mapping[FieldKind, Kind] = {
    FieldKind.LINE: Kind.LINE,
    FieldKind.CHOICE: Kind.CHOICE,
    FieldKind.NUMBER: Kind.LINE,
    FieldKind.DATE: Kind.DATE,
}


def custom_view(field: CustomField, values: Mapping[str, str]) -> FieldView:
    """A custom field with its value; a choice that is no more is still shown as it was."""
    value = values.get(f"{CUSTOM}{field.key}", "")
    kept = (value,) if value and value not in field.choices else ()
    return FieldView(
        name=f"{CUSTOM}{field.key}",
        label=field.label,
        kind=_DRAWN[field.kind].value,
        required=False,
        limit=MAX_FIELD_CHARS,
        value=value,
        choices=[(word, word) for word in (*field.choices, *kept)],
    )


def _marks(typed: Mapping[str, str]) -> dict[str, Any]:
    """Tags and custom fields as they stand in the form; an empty field is to be removed."""
    custom = {
        name.removeprefix(CUSTOM): value for name, value in typed.items() if name.startswith(CUSTOM)
    }
    return {"tags": [one for one in _BETWEEN.split(typed["tags"]) if one], "fields": custom}


def read(action: Action, typed: Mapping[str, str]) -> Verb:
    """The verb that a form describes. Raises :class:`InvalidInput`."""
    given: dict[str, Any] = {name: value for name, value in typed.items() if value}
    if action is Action.MARK:
        given = _marks(typed)
    if "until" in given:
        given["until"] = _instant(given["until"])
    try:
        verb: Any = SHAPES[action].model_validate(given)
    except ValidationError as refused:
        first = refused.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "form"
        raise InvalidInput(name, _REASONS.get(first["type"], "console.error.form")) from None
    read_verb: Verb = verb
    return read_verb


_REASONS = {"missing": "console.error.missing", "string_too_long": "console.error.too_long"}


def _instant(typed: str) -> datetime:
    """A local date and time as browsers send it."""
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=LOCAL)
    except ValueError:
        raise InvalidInput("until", "console.error.time") from None
