"""What a matter is: incident or not, category, severity and module, each with its evidence.

Rules report what is said (:mod:`nlu.triage_rules`), :mod:`nlu.category` says what kind it is and
:mod:`nlu.severity` how bad. Pure: the same text gives the same triage, at any hour and in any mood;
urgency of tone and deadlines are listed but change nothing. Refuses to open tickets or word
questions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlu.category import classify
from nlu.entities import EntityExtractor
from nlu.level_model import LEVEL_RULE, pool
from nlu.linear import LinearModel
from nlu.memory import MEMORY_FILE, Memory
from nlu.severity import Damage, Situation, Verdict, failing, judge, judge_data, situation
from nlu.similarity import load_extractor
from nlu.text import Folded, Folding
from nlu.triage_patterns import RULES
from nlu.triage_rules import Finding, Sign, find
from nlu.triage_types import Answers, Effect, Reason, Similar, Triage
from nlu.types import EntityName, Understanding
from store.vocabulary import Category, Severity

#: Where a trained interpreter's folder keeps its category model, if it has one.
CATEGORIES_FOLDER = "categories"
#: And its model of faults' levels.
LEVELS_FOLDER = "levels"

_RAISING = frozenset(
    {
        Sign.UNIT,
        Sign.MANY,
        Sign.CITY,
        Sign.BATCH,
        Sign.PARALYSED,
        Sign.STOPPED,
        Sign.SHARED,
        Sign.SYSTEM_ERROR,
        Sign.INTERFACE,
        Sign.SLOW,
        Sign.SLOW_SEVERE,
        Sign.NETWORK,
        Sign.HARDWARE,
        Sign.CORE,
        Sign.ACCESS,
        Sign.GROUP,
        Sign.LASTING,
        Sign.DAYS,
    }
)
_LOWERING = frozenset(
    {
        Sign.SELF,
        Sign.ITEM,
        Sign.RESTORABLE,
        Sign.RESTORED,
        Sign.SUPPOSED,
        Sign.NON_CORE,
        Sign.DISPLAY,
        Sign.TERMINAL,
    }
)
_WITHOUT_EFFECT = frozenset({Sign.URGENT_TONE, Sign.DEADLINE})


@dataclass(frozen=True, slots=True)
class Learned:
    """Learned opinions beside the rules; each is None where nothing taught it.

    ``categories`` and ``levels`` are models, ``memory`` the questions that taught the former.
    """

    categories: LinearModel | None = None
    memory: Memory | None = None
    levels: LinearModel | None = None


class Triager:
    """Judges matters, by rules and by what was learned."""

    def __init__(self, extractor: EntityExtractor, learned: Learned | None = None) -> None:
        self._extractor = extractor
        self._learned = learned or Learned()
        self._folding = Folding()

    @classmethod
    def load(cls, folder: Path) -> "Triager":
        """The triager of a trained interpreter's folder. Raises ModelUnreadable.

        Without a model in it - nothing was categorised or rated when it was trained - the rules
        decide alone.
        """
        return cls(load_extractor(folder), _learned(folder))

    def triage(
        self,
        text: str,
        *,
        understanding: Understanding | None = None,
        earlier: Sequence[str] = (),
        answers: Answers | None = None,
        similar: Sequence[Similar] = (),
    ) -> Triage:
        """Judge a matter.

        ``understanding`` is of ``text``; ``earlier`` are the same user's messages on this matter,
        oldest first; ``answers`` are given to a question that an earlier triage asked; ``similar``
        are the knowledge base's answers to this message, best first.
        """
        whole = self._folding.read("\n".join((*earlier, text)))
        findings = find(whole.spelled, RULES)
        seen = situation(whole.spelled, findings, answers or Answers())
        kind = classify(
            whole,
            findings,
            seen.scope,
            model=self._learned.categories,
            memory=self._learned.memory,
            understanding=understanding,
            similar=similar,
        )
        verdict = _verdict(kind.category, seen)
        learned: tuple[Reason, ...] = ()
        if kind.category is Category.FAULT and answers is None:
            verdict, learned = self._with_experience(whole, seen, verdict)
        incident = kind.category is Category.FAULT or verdict.severity is not Severity.GENERAL
        said = _severity_reasons(whole, findings, incident=incident)
        reasons = (*said, *learned, *kind.reasons)
        return Triage(
            incident=incident,
            category=kind.category,
            severity=verdict.severity,
            module=self._module(whole.said),
            reasons=_without_repeats(reasons),
            question=verdict.question,
            confidence=min(kind.confidence, verdict.confidence),
        )

    def _with_experience(
        self, text: Folded, seen: Situation, verdict: Verdict
    ) -> tuple[Verdict, tuple[Reason, ...]]:
        """The verdict pooled with what was learned, and the words that moved it, if any did."""
        model = self._learned.levels
        if model is None:
            return verdict, ()
        reading = model.read(text.spelled)
        shares = zip(map(Severity, model.labels), model.probabilities(reading), strict=True)
        pooled = pool(verdict, failing(seen), {level: float(share) for level, share in shares})
        if pooled.severity is verdict.severity:
            return pooled, ()
        words = model.telling(reading, str(pooled.severity))
        start = text.spelled.find(words)
        raised = pooled.severity.rank > verdict.severity.rank
        effect = Effect.RAISES if raised else Effect.LOWERS
        reason = Reason(LEVEL_RULE, text.words(start, start + len(words)), effect)
        return pooled, (reason,) if words else ()

    def _module(self, text: str) -> str | None:
        """The longest name of a module in the text; the first of equally long ones."""
        named = [
            entity for entity in self._extractor.extract(text) if entity.name is EntityName.MODULE
        ]
        longest = max(named, key=lambda entity: entity.end - entity.start, default=None)
        return longest.value if longest else None


def _learned(folder: Path) -> Learned:
    kinds, levels = folder / CATEGORIES_FOLDER, folder / LEVELS_FOLDER
    return Learned(
        LinearModel.load(kinds) if kinds.is_dir() else None,
        # A folder from before there was a memory has none.
        Memory.load(kinds) if (kinds / MEMORY_FILE).is_file() else None,
        LinearModel.load(levels) if levels.is_dir() else None,
    )


def _verdict(category: Category, seen: Situation) -> Verdict:
    if category is Category.FAULT:
        return judge(failing(seen))
    if category is Category.DATA and seen.damage is not Damage.NONE:
        return judge_data(seen)
    return Verdict(Severity.GENERAL, 0.9)


def _severity_reasons(
    text: Folded, findings: Iterable[Finding], *, incident: bool
) -> tuple[Reason, ...]:
    """What bears on the level; for no incident only what was seen and set aside."""
    reasons = []
    for finding in findings:
        sign, evidence = finding.rule.sign, text.words(finding.start, finding.end)
        if sign in _WITHOUT_EFFECT:
            reasons.append(Reason(finding.rule.key, evidence, Effect.NONE))
        elif incident and sign in _RAISING:
            reasons.append(Reason(finding.rule.key, evidence, Effect.RAISES))
        elif incident and sign in _LOWERING:
            reasons.append(Reason(finding.rule.key, evidence, Effect.LOWERS))
    return tuple(reasons)


def _without_repeats(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Each rule with the same words once; what it did to the level comes first."""
    kept: dict[tuple[str, str], Reason] = {}
    for reason in reasons:
        kept.setdefault((reason.rule, reason.evidence), reason)
    return tuple(kept.values())
