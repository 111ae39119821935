"""What can be answered to a message by pressing a button, or by its number where there are none.

Channels draw it; the words are the catalogue's, and a press means the same in each of them.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from bot.phrases import Phrases
from connectors.base import Choice, Menu

#: More choices than this are read and answered in words.
MOST = 6
_STARS = ("1", "2", "3", "4", "5")
#: What a button begins with that only says its words.
_SAYS = "say:"
_VERDICTS = ("helpful", "unhelpful")


def menu_of(
    kind: str, text: str, data: Mapping[str, Any], seq: int, phrases: Phrases
) -> Menu | None:
    """The menu of a message of this kind, if it has one."""
    title = text.strip().partition("\n")[0]
    match kind:
        case "answer" if data.get("answer_id") and seq:
            keys = [(name, f"{name}:{seq}") for name in _VERDICTS]
            return Menu(
                phrases.say("channel.helpful"), _named([*keys, ("human", "human")], phrases)
            )
        case "rating_request":
            meanings = ((phrases.say(f"widget.rating.meaning.{n}"), f"rate:{n}") for n in _STARS)
            return Menu(title, tuple(Choice(*one) for one in meanings), needed=True)
        case "resolved" if data.get("number"):
            keys = [(name, f"{name}:{data['number']}") for name in ("confirm", "reopen")]
            return Menu(phrases.say("channel.solved"), _named(keys, phrases))
        case "ask" if 0 < len(options := _options(data)) <= MOST:
            return Menu(title, tuple(Choice(o, _SAYS + _ascii(o)) for o in options), needed=True)
        case _:
            return None


def pressed(key: str, phrases: Phrases) -> tuple[str, dict[str, Any]] | None:
    """What a button of ours says and does; ``None`` for a key that is not ours."""
    name, _, value = key.partition(":")
    if key.startswith(_SAYS):
        words = _words(value)
        return (words, {}) if words else None
    action: dict[str, Any] | None = None
    if key == "human":
        action = {"kind": "human"}
    elif name in _VERDICTS and value.isascii() and value.isdecimal() and len(value) < 10:
        action = {"kind": name, "seq": int(value)}
    elif name == "rate" and value in _STARS:
        return phrases.say(f"widget.rating.meaning.{value}"), {"kind": "rate", "stars": int(value)}
    elif name in ("confirm", "reopen") and 0 < len(value) <= 24:
        action = {"kind": name, "number": value}
    return (phrases.say(f"channel.button.{name}"), action) if action else None


def typed(text: str, kind: str, data: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """What a bare number means right after a message of this kind; ``None``: nothing special."""
    number = int(text) if text.isdecimal() and len(text) == 1 else 0
    if kind == "rating_request" and 1 <= number <= len(_STARS):
        return str(number), {"kind": "rate", "stars": number}
    options = _options(data) if kind == "ask" else ()
    if 1 <= number <= len(options):
        return options[number - 1], {}
    return None


def _named(keys: list[tuple[str, str]], phrases: Phrases) -> tuple[Choice, ...]:
    return tuple(Choice(phrases.say(f"channel.button.{name}"), key) for name, key in keys)


def _options(data: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(option) for option in data.get("options") or ())


def _ascii(words: str) -> str:
    return base64.urlsafe_b64encode(words.encode()).decode()


def _words(encoded: str) -> str:
    try:
        return base64.urlsafe_b64decode(encoded.encode()).decode()[:500]
    except (binascii.Error, ValueError):
        return ""
