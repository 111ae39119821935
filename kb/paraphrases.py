"""Other ways of asking a question, by rules: proposals for editors, who decide.

A proposal that search would read as a question it knows already teaches nothing and is left out;
that is judged with the lexicon in force. Pure. Refuses to add anything to an answer.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from kb.normalise import Normaliser
from store import yaml_text

#: A question of fewer or more characters is no question that people ask.
SHORTEST, LONGEST = 4, 60
_EDGES = re.compile(r"^[\s，,、；;]+|[\s，,、；;]+$")
_FINAL = re.compile(r"[\s？?。！!，,；;]+$")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a question must look like, and what else could be asked then."""

    pattern: re.Pattern[str]
    forms: tuple[str, ...]

    def applied(self, question: str) -> Iterator[str]:
        """The other ways; none when the rule does not fit."""
        found = self.pattern.fullmatch(question)
        if found is not None:
            parts = {name: _EDGES.sub("", part or "") for name, part in found.groupdict().items()}
            yield from (form.format(**parts) for form in self.forms)


def load_rules(path: Path) -> tuple[Rule, ...]:
    """The rules of a file; raises ValueError for one that could never be applied."""
    content = yaml_text.parse(path.read_text(encoding="utf-8"))
    rules = []
    for one in content["rules"]:
        pattern = re.compile(f"(?:{one['match']})(?:{content['final']})?")
        rule = Rule(pattern, tuple(map(str, one["say"])))
        for form in rule.forms:
            form.format(**dict.fromkeys(pattern.groupindex, ""))
        rules.append(rule)
    return tuple(rules)


def paraphrases(
    questions: Sequence[str], rules: Sequence[Rule], normaliser: Normaliser, *, limit: int
) -> list[str]:
    """Other ways of asking, each of which search reads differently from all that are known."""
    known = {normaliser.query(one) for one in questions}
    found: dict[str, str] = {}
    # The first proposal for each question, then the second: not all of them for one.
    for texts in zip_longest(*(_applied(question, rules) for question in questions)):
        for text in texts:
            form = normaliser.query(text) if text else ""
            if form and form not in known:
                found.setdefault(form, text)
    return list(found.values())[:limit]


def _applied(question: str, rules: Iterable[Rule]) -> list[str]:
    """By the first rule that fits: the rules stand from the narrow to the wide."""
    bare = _FINAL.sub("", " ".join(question.split()))
    for rule in rules:
        texts = [text for text in rule.applied(bare) if SHORTEST <= len(text) <= LONGEST]
        if texts:
            return texts
    return []
