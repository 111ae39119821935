"""Which of the six kinds a matter is: a linear model's opinion corrected by named signs.

The model is learned from questions whose category editors have set; without one the signs and the
intent decide alone. Every rule that spoke for the winning category becomes a reason, and so do the
words that moved the model most. Refuses to judge severity.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nlu.linear import LinearModel, Reading
from nlu.memory import Memory
from nlu.severity import FAILURES
from nlu.text import Folded
from nlu.triage_rules import Finding, Sign
from nlu.triage_types import Effect, Reason, Scope, Similar
from nlu.types import Intent, Understanding
from store.vocabulary import Category

MODEL_RULE = "triage.rule.model"
INTENT_RULE = "triage.rule.intent"

#: How much the model's log-probabilities count; the signs' strengths are in the same unit.
_MODEL_WEIGHT = 0.5
_SIMILAR_WEIGHT = 1.1
#: The same where the interpreter's own memory is heard instead of a knowledge base.
_MODEL_WEIGHT_ALONE = 0.8
_REMEMBERED_WEIGHT = 0.6
_INTENT_WEIGHT_ALONE = 0.5
_LEAST_PROBABILITY = 0.02
#: Without a model: most matters are questions.
_PRIOR: Mapping[Category, float] = {
    Category.HOW_TO: 0.5,
    Category.FAULT: 0.2,
    Category.DATA: 0.12,
    Category.ACCOUNT: 0.1,
    Category.POLICY: 0.04,
    Category.REQUIREMENT: 0.04,
}

#: What a sign says for (or against) a category, in nats, scaled by its rule's strength.
_SPEAKS: Mapping[Sign, Mapping[Category, float]] = {
    Sign.PARALYSED: {Category.FAULT: 3.0},
    Sign.NETWORK: {Category.FAULT: 5.0},
    Sign.HARDWARE: {Category.FAULT: 5.0},
    Sign.SYSTEM_ERROR: {Category.FAULT: 2.5},
    Sign.INTERFACE: {Category.FAULT: 1.0, Category.DATA: 0.5},
    Sign.STOPPED: {Category.FAULT: 0.8},
    Sign.SELF: {Category.FAULT: -0.8},
    Sign.SLOW: {Category.FAULT: 2.0},
    Sign.SLOW_SEVERE: {Category.FAULT: 1.0},
    Sign.DISPLAY: {Category.FAULT: 2.0},
    Sign.RESTORED: {Category.FAULT: -4.0, Category.HOW_TO: 1.0},
    Sign.SUPPOSED: {Category.FAULT: -3.0, Category.HOW_TO: 1.0},
    Sign.BUSINESS_MESSAGE: {Category.FAULT: -2.5},
    Sign.TERMINAL: {Category.FAULT: -1.2, Category.HOW_TO: 0.6},
    Sign.ACCOUNT: {Category.ACCOUNT: 1.0},
    Sign.DATA: {Category.DATA: 1.0},
    Sign.POLICY: {Category.POLICY: 1.0},
    Sign.REQUIREMENT: {Category.REQUIREMENT: 1.0},
    Sign.HOW_TO: {Category.HOW_TO: 0.8, Category.FAULT: -0.8},
}
#: A failure that several people have is no mistake of theirs; when only data fails to arrive, the
#: data is the matter.
_WIDE = 6.0

_INTENTS: Mapping[Intent, Mapping[Category, float]] = {
    Intent.REPORT_FAULT: {Category.FAULT: 0.3},
    Intent.POLICY_QUESTION: {Category.POLICY: 2.5},
    Intent.SUGGEST_IMPROVEMENT: {Category.REQUIREMENT: 2.5},
    Intent.ASK_QUESTION: {Category.HOW_TO: 0.7, Category.FAULT: -0.5},
}
#: Intents that are no matter of their own; what is said beside them decides, else it is a question.
_TALK: Mapping[Category, float] = {Category.HOW_TO: 1.0, Category.FAULT: -0.5}


@dataclass(frozen=True, slots=True)
class Classified:
    """A category, how sure (0-1), and why."""

    category: Category
    confidence: float
    reasons: tuple[Reason, ...]


def classify(
    text: Folded,
    findings: Sequence[Finding],
    scope: Scope,
    *,
    model: LinearModel | None,
    understanding: Understanding | None,
    similar: Sequence[Similar] = (),
    memory: Memory | None = None,
) -> Classified:
    """The category of a text with its findings; ``memory`` is asked where nothing is similar."""
    reading = model.read(text.spelled) if model is not None else None
    recalled = memory.recall(reading) if memory and reading and not similar else ()
    if recalled:
        scores = _scaled(_opinion(reading, model), _MODEL_WEIGHT_ALONE)
        _add(scores, [_by_memory(recalled)])
        _add(scores, (_scaled(said, _INTENT_WEIGHT_ALONE) for said in _by_intent(understanding)))
    else:
        scores = _scaled(_opinion(reading, model), _MODEL_WEIGHT)
        _add(scores, [_by_similar(similar)])
        _add(scores, _by_intent(understanding))
    _add(scores, _by_signs(findings, scope))
    best = max(scores, key=lambda category: scores[category])
    total = sum(math.exp(score - scores[best]) for score in scores.values())
    reasons = (*_sign_reasons(text, findings, best), *_model_reasons(text, reading, model, best))
    return Classified(best, 1 / total, reasons or _intent_reason(understanding))


def _opinion(reading: Reading | None, model: LinearModel | None) -> dict[Category, float]:
    shares = dict(_PRIOR)
    if model is not None and reading is not None:
        learned = zip(model.labels, model.probabilities(reading).tolist(), strict=True)
        shares = dict.fromkeys(Category, _LEAST_PROBABILITY) | {
            Category(label): max(share, _LEAST_PROBABILITY) for label, share in learned
        }
    return {category: math.log(share) for category, share in shares.items()}


def _scaled(said: Mapping[Category, float], weight: float) -> dict[Category, float]:
    return {category: weight * amount for category, amount in said.items()}


def _by_memory(recalled: Sequence[Similar]) -> Mapping[Category, float]:
    """What the remembered questions say: a near one counts for many faint ones."""
    shares = dict.fromkeys(Category, _LEAST_PROBABILITY)
    for question in recalled:
        shares[question.category] += question.score**3
    total = sum(shares.values())
    return {
        category: _REMEMBERED_WEIGHT * math.log(share / total) for category, share in shares.items()
    }


def _by_similar(similar: Sequence[Similar]) -> Mapping[Category, float]:
    """What resembling answers say: each counts by its score, the first ones most."""
    shares = dict.fromkeys(Category, _LEAST_PROBABILITY)
    for place, answer in enumerate(similar):
        shares[answer.category] += answer.score**2 / (place + 1)
    total = sum(shares.values())
    return {
        category: _SIMILAR_WEIGHT * math.log(share / total) for category, share in shares.items()
    }


def _by_signs(findings: Sequence[Finding], scope: Scope) -> Iterable[Mapping[Category, float]]:
    """Each sign speaks once, however often it is met."""
    strongest = {finding.rule.sign: finding.rule for finding in findings}
    for sign, rule in strongest.items():
        if sign is Sign.TERMINAL and scope >= Scope.GROUP:
            continue
        yield {kind: said * rule.strength for kind, said in _SPEAKS.get(sign, {}).items()}
    failing = strongest.keys() & (FAILURES | {Sign.SLOW, Sign.SLOW_SEVERE})
    if failing and scope >= Scope.GROUP and Sign.RESTORED not in strongest:
        yield {Category.DATA if _only_records(set(strongest)) else Category.FAULT: _WIDE}


def _only_records(signs: set[Sign]) -> bool:
    """Everything works, but records have not arrived or do not show what was done."""
    damage = signs & (FAILURES | {Sign.SLOW})
    missing = damage - {Sign.SHARED} == {Sign.INTERFACE}
    return missing or (
        {Sign.INTERFACE, Sign.RECORDS} <= signs
        and damage <= {Sign.INTERFACE, Sign.SHARED, Sign.STOPPED}
    )


def _by_intent(understanding: Understanding | None) -> Iterable[Mapping[Category, float]]:
    for intent, share in understanding.ranking if understanding else ():
        spoken = _INTENTS.get(intent, _TALK)
        yield {category: said * share for category, said in spoken.items()}


def _add(scores: dict[Category, float], spoken: Iterable[Mapping[Category, float]]) -> None:
    for said in spoken:
        for category, amount in said.items():
            scores[category] += amount


def _sign_reasons(text: Folded, findings: Sequence[Finding], best: Category) -> tuple[Reason, ...]:
    return tuple(
        Reason(finding.rule.key, text.words(finding.start, finding.end), Effect.CATEGORY)
        for finding in findings
        if _SPEAKS.get(finding.rule.sign, {}).get(best, 0) > 0
    )


def _model_reasons(
    text: Folded, reading: Reading | None, model: LinearModel | None, best: Category
) -> tuple[Reason, ...]:
    if model is None or reading is None or best not in model.labels:
        return ()
    words = model.telling(reading, str(best))
    start = text.spelled.find(words)
    said = text.words(start, start + len(words))
    return (Reason(MODEL_RULE, said, Effect.CATEGORY),) if words else ()


def _intent_reason(understanding: Understanding | None) -> tuple[Reason, ...]:
    if understanding is None:
        return ()
    return (Reason(INTENT_RULE, str(understanding.intent), Effect.CATEGORY),)
