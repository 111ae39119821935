"""Longer messages made of shorter examples: a matter with its details, a greeting, an outburst.

Examples are mostly one clause; people write three. What a message is about stays what it is about
when details, greetings or displeasure are put beside it, and that is learned from here.
Deterministic. Refuses to invent words: every part is an example as it stands.
"""

import random
from collections.abc import Mapping, Sequence

from nlu.training_data import Example
from nlu.types import Intent

#: Joined parts, the message's intent first, and how often of a hundred; chosen on dev messages.
_RECIPES: Mapping[tuple[Intent, Intent], int] = {
    (Intent.REPORT_FAULT, Intent.ADD_INFORMATION): 35,
    (Intent.REPORT_FAULT, Intent.GREET): 10,
    (Intent.REPORT_FAULT, Intent.REPORT_FAULT): 15,
    (Intent.ASK_QUESTION, Intent.ADD_INFORMATION): 15,
    (Intent.ASK_QUESTION, Intent.GREET): 10,
    (Intent.POLICY_QUESTION, Intent.ADD_INFORMATION): 8,
    (Intent.SUGGEST_IMPROVEMENT, Intent.ADD_INFORMATION): 7,
}
_MARKS = (",", "。", " ")
_SEED = 20261121


def compose(examples: Sequence[Example], count: int) -> tuple[Example, ...]:
    """So many composed examples without entities; none where an intent of a recipe is missing."""
    chance = random.Random(_SEED)  # noqa: S311  # no secret
    texts: dict[str, list[str]] = {}
    for example in examples:
        texts.setdefault(str(example.intent), []).append(example.text)
    recipes = {pair: often for pair, often in _RECIPES.items() if texts.keys() >= set(pair)}
    if not recipes:
        return ()
    chosen = chance.choices(list(recipes), list(recipes.values()), k=count)
    return tuple(_joined(pair, texts, chance) for pair in chosen)


def _joined(
    pair: tuple[Intent, Intent], texts: Mapping[str, Sequence[str]], chance: random.Random
) -> Example:
    matter, beside = pair
    parts = [chance.choice(texts[beside]), chance.choice(texts[matter])]
    if matter is Intent.REPORT_FAULT and beside is Intent.ADD_INFORMATION:
        chance.shuffle(parts)
    return Example(chance.choice(_MARKS).join(parts), matter)
