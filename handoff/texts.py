"""People's words on their way into rows: cleaned, measured, never silently dropped.

Refuses to judge what they say.
"""

from handoff.errors import InvalidText

TITLE_LIMIT = 200
SHORT_LIMIT = 500
LONG_LIMIT = 10_000
DESCRIPTION_LIMIT = 20_000


def clean(text: str) -> str:
    """``text`` without what no database keeps: NUL (PostgreSQL) and lone surrogates (UTF-8)."""
    storable = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return storable.strip()


def clipped(text: str, limit: int) -> str:
    """``text`` cleaned and cut, with an ellipsis where something is missing."""
    storable = clean(text)
    return storable if len(storable) <= limit else storable[: limit - 1] + "…"


def optional(field: str, text: str, limit: int) -> str:
    """``text`` cleaned, possibly empty. Raises ``InvalidText`` when longer than ``limit``."""
    storable = clean(text)
    if len(storable) > limit:
        raise InvalidText(field, limit)
    return storable


def required(field: str, text: str, limit: int) -> str:
    """``text`` cleaned. Raises ``InvalidText`` when empty or longer than ``limit``."""
    storable = optional(field, text, limit)
    if not storable:
        raise InvalidText(field, limit)
    return storable
