"""Fields of an administrator's form as they stand on the page: values, never secrets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.notifications.kinds import Entry, Field


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of a form as it stands there."""

    name: str
    entry: str
    value: str
    required: bool
    kept: bool
    may_forget: bool
    choices: Sequence[str]


def field_row(field: Field, value: str, *, kept: bool) -> FieldRow:
    """The row of a field; a secret's value is never in it."""
    return FieldRow(
        name=field.name,
        entry=field.entry.value,
        value="" if field.entry is Entry.SECRET else value,
        required=field.required and not kept,
        kept=kept,
        may_forget=kept and not field.required,
        choices=field.choices,
    )


def as_typed(field: Field, value: object) -> str:
    """A value as somebody would type it."""
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else ""
        case Mapping():
            return "\n".join(f"{key}={one}" for key, one in value.items())
        case list() | tuple():
            return " ".join(str(one) for one in value)
        case _:
            return "" if field.entry is Entry.SECRET else str(value)
