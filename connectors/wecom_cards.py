"""Cards with buttons of 政务微信: what fits on one, and its body (the vendor's document 101032).

Refuses to send; what does not fit is for its caller to say in words.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.base import Choice, Delivery, Menu

#: Characters of a title and of the words below it.
MOST_TITLE, MOST_WORDS = 36, 112
_MOST_BUTTONS, _MOST_LABEL = 6, 10


def choices_of(delivery: Delivery) -> Sequence[tuple[str, str]]:
    """Labels and keys of what must be chosen from; none when they do not fit."""
    candidates = delivery.data.get("candidates")
    if delivery.kind == "offer" and candidates:
        keys = [f"{n}:choose:{one['answer_id']}" for n, one in enumerate(candidates, 1)]
        keys.append(f"{len(keys) + 1}:none_of_these")
        return _fitting([(key.partition(":")[0], key) for key in keys])
    menu: Menu | None = delivery.menu
    if menu is None or not menu.needed or any(len(c.label) > _MOST_LABEL for c in menu.choices):
        return ()
    return _fitting(buttons_of(menu.choices))


def _fitting(buttons: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    return buttons if len(buttons) <= _MOST_BUTTONS else ()


def buttons_of(choices: Sequence[Choice]) -> Sequence[tuple[str, str]]:
    """Labels and keys of choices."""
    return [(choice.label, choice.key) for choice in choices]


def card_of(
    key: str, title: str, words: str, buttons: Sequence[tuple[str, str]]
) -> Mapping[str, Any]:
    """A message that is a card with buttons, named by ``key`` once and for all."""
    card: dict[str, Any] = {
        "card_type": "button_interaction",
        "main_title": {"title": title},
        "task_id": hashlib.sha256(key.encode()).hexdigest(),
        "button_list": [{"text": label, "style": 1, "key": key} for label, key in buttons],
    }
    if words:
        card["sub_title_text"] = words
    return {"msgtype": "template_card", "template_card": card}


def answered_card(title: str, label: str, key: str) -> dict[str, Any]:
    """What a card becomes when ``label`` was pressed on it; it still lacks its name."""
    return {
        "card_type": "button_interaction",
        "main_title": {"title": title[:MOST_TITLE]},
        "button_list": [{"text": label[:_MOST_LABEL], "style": 1, "key": key}],
    }
