"""Rules in words: what a condition asks, what a step does, and what is wrong with one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.phrases import Phrases
from handoff.errors import RuleInvalid
from handoff.rules import CUSTOM, Condition, Operator, Step, StepKind


@dataclass(frozen=True, slots=True)
class RuleWords:
    """``labels`` names custom fields by key, ``names`` people and notification rules by id."""

    phrases: Phrases
    labels: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def field(self, name: str) -> str:
        """What a condition asks about."""
        if name.startswith(CUSTOM):
            key = name.removeprefix(CUSTOM)
            return self.labels.get(key, key)
        return self.phrases.say(f"rules.field.{name}")

    def condition(self, one: Condition) -> str:
        """A condition as a sentence without a full stop."""
        say = self.phrases.say
        values = say("rules.or").join(one.values)
        asked = say(f"rules.asks.{one.operator}", values=values)
        if one.operator is Operator.AT_LEAST:
            return say(f"rules.reaches.{one.field}", values=values)
        return say("rules.condition", field=self.field(one.field), asks=asked)

    def step(self, one: Step) -> str:
        """A step as a sentence without a full stop."""
        target = self.names.get(one.target, one.target)
        return self.phrases.say(f"rules.does.{one.kind}", target=target, text=one.text)

    def reasons(self, conditions: Sequence[Condition]) -> str:
        """Why a rule fitted."""
        told = [self.condition(one) for one in conditions]
        return self.phrases.say("rules.and").join(told) or self.phrases.say("rules.every")

    def outcome(self, kept: Mapping[str, Any]) -> str:
        """What came of a step, as a firing keeps it."""
        say = self.phrases.say
        return say("rules.outcome", does=kept["says"], effect=say(f"rules.effect.{kept['effect']}"))

    def kept(self, name: str, value: Any) -> Any:
        """A part of a rule as its history keeps it, in words."""
        if name == "conditions" and value:
            return [
                self.condition(
                    Condition(one["field"], Operator(one["operator"]), tuple(one["values"]))
                )
                for one in value
            ]
        if name == "steps" and value:
            steps = [Step(StepKind(one["kind"]), one["target"], one["text"]) for one in value]
            return [self.step(one) for one in steps]
        if name in ("occasion", "matching") and value:
            return self.phrases.say(f"rules.{'match' if name == 'matching' else name}.{value}")
        return value

    def refusal(self, invalid: RuleInvalid) -> str:
        """What is wrong, and where."""
        say = self.phrases.say
        where = say(f"rules.place.{invalid.place}", line=invalid.line) if invalid.line else ""
        detail = say("rules.typed", text=invalid.detail) if invalid.detail else ""
        reason = say(f"rules.invalid.{invalid.reason}")
        return f"{where}{reason}{detail}"
