"""What forms of the administration hold: texts, ticked boxes, and which secrets to forget."""

from dataclasses import dataclass, fields
from typing import Any

from fastapi import Request

from bot.errors import InvalidInput
from bot.notifications.errors import NotificationInvalid
from bot.notifications.forms import ChannelForm, RuleForm
from bot.notifications.kinds import Entry, Kind
from bot.phrases import Phrases

#: No form of ours is nearly this long.
_MAX_FIELDS = 200
#: Fields of a rule that are lists of ticked boxes, and those that are one box.
_LISTS = frozenset({"events", "severities", "days"})
_BOXES = frozenset({"enabled", "major_breaks_quiet"})


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a form was refused: the whole of it, and what stands beside the field it is about."""

    text: str
    field: str = ""
    reason: str = ""


async def texts(request: Request) -> dict[str, list[str]]:
    """Every field with all its values, with the line ends that we store; a file is refused."""
    found: dict[str, list[str]] = {}
    async with request.form(max_fields=_MAX_FIELDS) as form:
        for name, value in form.multi_items():
            if not isinstance(value, str):
                raise InvalidInput("form", "console.error.form")
            found.setdefault(name, []).append(value.replace("\r\n", "\n").strip())
    return found


def version(typed: dict[str, list[str]]) -> int:
    """The version that the form was opened at; 0 when it names none."""
    text = _one(typed, "version")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _one(typed: dict[str, list[str]], name: str) -> str:
    return typed.get(name, [""])[0]


def channel_form(kind: Kind, typed: dict[str, list[str]]) -> ChannelForm:
    """The form of a channel of this kind."""
    plain = {f.name: _one(typed, f.name) for f in kind.fields if f.entry is not Entry.SECRET}
    return ChannelForm(
        name=_one(typed, "name"),
        fields=plain,
        secrets={name: _one(typed, name) for name in kind.secrets},
        forget=frozenset(name for name in kind.secrets if _one(typed, f"forget_{name}")),
        version=version(typed),
    )


def rule_form(typed: dict[str, list[str]]) -> RuleForm:
    """The form of a rule."""
    values: dict[str, Any] = {}
    for one in fields(RuleForm):
        if one.name in _LISTS:
            values[one.name] = tuple(typed.get(one.name, ()))
        elif one.name in _BOXES:
            values[one.name] = bool(_one(typed, one.name))
        elif one.name != "version" and one.name in typed:
            values[one.name] = _one(typed, one.name)
    return RuleForm(**values, version=version(typed))


def told(phrases: Phrases, invalid: NotificationInvalid) -> str:
    """What is wrong, in words."""
    return fault_of(phrases, invalid).text


def fault_of(phrases: Phrases, invalid: NotificationInvalid, words: str = "notify") -> Fault:
    """What is wrong, with the field's name as the phrases below ``words`` have it."""
    key = f"{words}.field.{invalid.field}"
    field = phrases.say(key) if phrases.has(key) else invalid.field
    reason = phrases.say(f"notify.invalid.{invalid.reason}")
    detail = phrases.say("notify.invalid.typed", text=invalid.detail) if invalid.detail else ""
    text = phrases.say("notify.invalid.at", field=field, reason=reason, detail=detail)
    return Fault(text, invalid.field, f"{reason}{detail}")


def keyless(phrases: Phrases) -> Fault:
    """No secret can be kept."""
    return Fault(phrases.say("problem.secrets_key_missing.detail"))
