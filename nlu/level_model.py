"""What was learned of faults' levels: a linear model's opinion, pooled with that of the rules.

The rules know the contract's definitions; the model has seen how people tell of faults in words
that no rule lists. Where the rules are sure, they stand. Refuses to judge anything but faults.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nlu.errors import TrainingFailed
from nlu.linear import LinearModel
from nlu.severity import Situation, Verdict
from nlu.text import Folding
from nlu.training_data import TrainingData
from nlu.triage_types import Question, Scope
from store.vocabulary import Severity

LEVEL_RULE = "triage.rule.level_model"
#: How much the model's log-probabilities count beside the rules'; tried from 0.2 to 1.3.
MODEL_SHARE = 0.4
#: No opinion of the model is surer than this, so that it overturns no rule that is sure.
_LEAST = 0.01


@dataclass(frozen=True, slots=True)
class Rated:
    """A message about a fault and its level, as people have set it."""

    text: str
    severity: Severity


def rated_examples(data: TrainingData) -> tuple[Rated, ...]:
    """The training messages with a level. Raises TrainingFailed for one that is not ours."""
    try:
        return tuple(
            Rated(example.text, Severity(example.severity))
            for example in data.examples
            if example.severity is not None
        )
    except ValueError as foreign:
        raise TrainingFailed(f"a severity that is not ours: {foreign}") from foreign


def fit_levels(rated: Sequence[Rated]) -> LinearModel | None:
    """The model that these messages teach; None when a single level is all there is."""
    from nlu.linear_training import fit_linear  # noqa: PLC0415  # large and rarely used

    if len({example.severity for example in rated}) < 2:
        return None
    folding = Folding()
    texts = [folding.fold(example.text) for example in rated]
    return fit_linear(texts, [str(example.severity) for example in rated])


def pool(verdict: Verdict, seen: Situation, shares: Mapping[Severity, float]) -> Verdict:
    """The rules' verdict and the model's probabilities as one verdict.

    Where the model moves the level, the question is the one whose answer would settle it.
    """
    others = (1 - verdict.confidence) / (len(Severity) - 1)
    rules = {
        level: verdict.confidence if level is verdict.severity else others for level in Severity
    }
    scores = {
        level: math.log(share) + MODEL_SHARE * math.log(max(shares.get(level, 0.0), _LEAST))
        for level, share in rules.items()
    }
    best = max(scores, key=lambda level: scores[level])
    total = sum(math.exp(score - scores[best]) for score in scores.values())
    question = verdict.question
    if best is not verdict.severity:
        question = question or _open_question(seen)
    return Verdict(best, 1 / total, question)


def _open_question(seen: Situation) -> Question | None:
    if seen.scope is Scope.UNKNOWN:
        return Question.SCOPE
    if seen.core is None:
        return Question.CORE
    return Question.RESTORABLE if seen.restorable is None else None
