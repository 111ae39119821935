"""Texts with placeholders that administrators write: checked on saving, so none can fail in use."""

import string
from collections.abc import Collection

from bot.errors import InvalidInput
from bot.phrases import placeholders

#: A list is never so long that more digits are needed.
_DIGITS = 4


def checked_text(text: str, known: Collection[str], longest: int, words: str) -> str:
    """The text as it may be kept, its braces naming only what is ``known``.

    Raises :class:`InvalidInput` with a reason below the phrases ``words``.
    """
    if not text or len(text) > longest:
        raise InvalidInput("text", f"{words}.text")
    try:
        named = placeholders(text)
        # A width would let a short text fill the memory.
        formatted = any(spec or how for _, _, spec, how in string.Formatter().parse(text))
    except ValueError:
        raise InvalidInput("text", f"{words}.braces") from None
    if formatted:
        raise InvalidInput("text", f"{words}.braces")
    if not named <= set(known):
        raise InvalidInput("text", f"{words}.placeholder")
    return text


def checked_position(typed: str, words: str) -> int:
    """The place in the list. Raises :class:`InvalidInput`."""
    if not (typed.isascii() and typed.isdecimal() and len(typed) <= _DIGITS):
        raise InvalidInput("position", f"{words}.position")
    return int(typed)
