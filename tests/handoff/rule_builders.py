"""Rules and histories to test with."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from handoff.lifecycle import Event
from handoff.rule_past import About, Seen, seen
from handoff.rules import Condition, Match, Occasion, Operator, Rule, Step, StepKind
from handoff.ticket import TRANSITIONS, Action, Actor, Status
from tests.handoff.people import BOT, NEW, NOW
from tests.handoff.terms import shipped_terms

ABOUT = About(NEW.unit, NEW.channel, f"{NEW.title}\n{NEW.description}")
OPENING = {
    "severity": "一般",
    "category": "系统故障",
    "module": "支付管理",
    "level": "一线",
    "region": "禅城区",
    "contract": "foshan",
}
NOTE = Step(StepKind.NOTE, "", "请尽快处理")


def asked(field: str, operator: Operator, *values: str) -> Condition:
    return Condition(field, operator, values)


def rule(*conditions: Condition, **over: Any) -> Rule:
    values: dict[str, Any] = {
        "id": "r1",
        "name": "规则",
        "occasion": Occasion.CHANGED,
        "match": Match.ALL,
        "conditions": conditions,
        "steps": (NOTE,),
    }
    return Rule(**{**values, **over})


class Story:
    """A ticket's events, written one after another."""

    def __init__(self, at: datetime = NOW, **opening: Any) -> None:
        self.at = at
        detail = {**OPENING, **opening}
        self.events = [Event(1, at, Action.OPEN, BOT, None, Status.NEW, detail)]

    def then(self, action: Action, actor: Actor, minutes: float = 1, **detail: Any) -> "Story":
        self.at += timedelta(minutes=minutes)
        status = self.events[-1].to_status
        after = TRANSITIONS[(status, action)]
        event = Event(len(self.events) + 1, self.at, action, actor, status, after, detail)
        self.events.append(event)
        return self

    def seen(self) -> Sequence[Seen]:
        return list(seen(ABOUT, self.events, shipped_terms()))
