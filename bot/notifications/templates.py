"""Texts with placeholders that administrators write: checked when saved, filled when used.

Only names in braces. Refuses format codes and attribute access, which would let a text reach into
objects or grow without bound.
"""

import string
from collections.abc import Mapping

from bot.notifications.errors import NotificationInvalid

#: What may stand in braces; meanings are in ``docs/howto/notifications.md``.
PLACEHOLDERS = (
    "event",
    "number",
    "severity",
    "title",
    "unit",
    "region",
    "module",
    "status",
    "level",
    "target",
    "percent",
    "minutes",
    "due",
    "opened",
    "source",
    "detail",
)
MAX_TITLE_CHARS, MAX_TEXT_CHARS = 200, 2_000
#: What leaves, once filled; a ticket's title may be long.
FILLED_TITLE_CHARS, FILLED_TEXT_CHARS = 200, 4_000


def check(template: str, field: str, limit: int) -> str:
    """The template, if it can be filled. Raises ``NotificationInvalid``."""
    if len(template) > limit:
        raise NotificationInvalid(field, "long")
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError:
        raise NotificationInvalid(field, "braces") from None
    for _, name, spec, conversion in parts:
        if name is None:
            continue
        if name not in PLACEHOLDERS:
            raise NotificationInvalid(field, "placeholder", name[:40])
        if spec or conversion:
            raise NotificationInvalid(field, "braces")
    return template


def fill(template: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders filled; what has no value is empty."""
    return template.format_map({name: values.get(name, "") for name in PLACEHOLDERS})


def filled_title(template: str, values: Mapping[str, str]) -> str:
    """One line."""
    return " ".join(fill(template, values).split())[:FILLED_TITLE_CHARS]


def filled_text(template: str, values: Mapping[str, str]) -> str:
    """Several lines; those of which nothing was left are dropped."""
    lines = [line.rstrip() for line in fill(template, values).splitlines()]
    return "\n".join(line for line in lines if line)[:FILLED_TEXT_CHARS]
