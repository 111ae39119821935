"""Rules that make no sense are refused, and say where."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.errors import RuleInvalid
from handoff.rule_checks import Known, check, shadowed
from handoff.rule_moments import fits
from handoff.rules import Condition, Match, Occasion, Operator, Step, StepKind
from tests.handoff.people import NOW
from tests.handoff.rule_builders import NOTE, Story, asked, rule

KNOWN = Known(frozenset({"voucher"}), frozenset({"e1"}), frozenset({"n1"}))
REGION = asked("region", Operator.IS, "禅城区")
LATE = asked("untaken_minutes", Operator.AT_LEAST, "30")


def refused(*conditions: Condition, **over: Any) -> tuple[str, int, str]:
    with pytest.raises(RuleInvalid) as told:
        check(rule(*conditions, **over), KNOWN)
    return told.value.place, told.value.line, told.value.reason


@pytest.mark.parametrize(
    ("over", "told"),
    [
        ({"name": " "}, ("name", 0, "name")),
        ({"name": "a\nb"}, ("name", 0, "name")),
        ({"name": "长" * 81}, ("name", 0, "name")),
        ({"conditions": (REGION,) * 13}, ("conditions", 0, "many")),
        ({"conditions": (asked("colour", Operator.IS, "红"),)}, ("conditions", 1, "field")),
        ({"conditions": (asked("custom.x", Operator.IS, "红"),)}, ("conditions", 1, "field")),
        ({"conditions": (asked("text", Operator.IS, "红"),)}, ("conditions", 1, "operator")),
        ({"conditions": (REGION, LATE)}, ("conditions", 2, "needs_time")),
        ({"conditions": (asked("unit", Operator.FILLED, "x"),)}, ("conditions", 1, "bare")),
        ({"conditions": (asked("unit", Operator.IS),)}, ("conditions", 1, "empty")),
        ({"conditions": (asked("unit", Operator.IS, " "),)}, ("conditions", 1, "empty")),
        ({"conditions": (asked("unit", Operator.IS, "长" * 121),)}, ("conditions", 1, "many")),
        ({"conditions": (asked("severity", Operator.IS, "很急"),)}, ("conditions", 1, "value")),
        ({"conditions": (asked("reopened", Operator.AT_LEAST, "x"),)}, ("conditions", 1, "number")),
        ({"conditions": (asked("reopened", Operator.AT_LEAST, "0"),)}, ("conditions", 1, "number")),
        ({"conditions": ()}, ("conditions", 0, "everything")),
        ({"occasion": Occasion.TIME}, ("conditions", 0, "no_time")),
        ({"steps": ()}, ("steps", 0, "none")),
        ({"steps": (NOTE,) * 9}, ("conditions", 0, "many")),
        ({"steps": (NOTE, NOTE)}, ("steps", 2, "twice")),
        ({"steps": (Step(StepKind.NOTE),)}, ("steps", 1, "empty")),
        ({"steps": (Step(StepKind.NOTE, "", "{password}"),)}, ("steps", 1, "placeholder")),
        ({"steps": (Step(StepKind.NOTE, "", "{number!r}"),)}, ("steps", 1, "braces")),
        ({"steps": (Step(StepKind.NOTE, "", "{number"),)}, ("steps", 1, "braces")),
        ({"steps": (Step(StepKind.ESCALATE),)}, ("steps", 1, "target")),
        ({"steps": (Step(StepKind.ESCALATE, "省厅研发组"),)}, ("steps", 1, "value")),
        ({"steps": (Step(StepKind.ESCALATE, "一线"),)}, ("steps", 1, "value")),
        ({"steps": (Step(StepKind.SEVERITY, "一般"),)}, ("steps", 1, "value")),
        ({"steps": (Step(StepKind.ENGINEER, "e9"),)}, ("steps", 1, "value")),
        ({"steps": (Step(StepKind.NOTIFY, "n9"),)}, ("steps", 1, "value")),
        ({"steps": (Step(StepKind.TAG, "两 个"),)}, ("steps", 1, "value")),
        ({"steps": (Step(StepKind.TAG, "甲", "话"),)}, ("steps", 1, "wordless")),
        ({"steps": (Step(StepKind.CALL_BACK, "x"),)}, ("steps", 1, "target")),
        (
            {"steps": (Step(StepKind.TAG, "甲"), Step(StepKind.UNTAG, "甲"))},
            ("steps", 2, "undone"),
        ),
        (
            {"steps": (Step(StepKind.SEVERITY, "紧急"), Step(StepKind.SEVERITY, "重大"))},
            ("steps", 2, "twice"),
        ),
        (
            {"steps": (Step(StepKind.ENGINEER, "e1"), Step(StepKind.ESCALATE, "二线"))},
            ("steps", 0, "two_hands"),
        ),
    ],
)
def test_nonsense_is_refused_with_its_place(
    over: dict[str, Any], told: tuple[str, int, str]
) -> None:
    assert refused(**{"conditions": (REGION,), **over}) == told


CONTRADICTIONS = [
    (asked("severity", Operator.IS, "一般"), asked("severity", Operator.IS, "重大")),
    (asked("region", Operator.IS, "甲"), asked("region", Operator.IS_NOT, "甲", "乙")),
    (asked("unit", Operator.FILLED), asked("unit", Operator.EMPTY)),
    (asked("unit", Operator.EMPTY), asked("unit", Operator.CONTAINS, "局")),
    (asked("assigned", Operator.YES), asked("assigned", Operator.NO)),
    (asked("text", Operator.CONTAINS, "甲"), asked("text", Operator.CONTAINS_NOT, "甲")),
    (
        asked("severity", Operator.IS_NOT, "一般", "紧急"),
        asked("severity", Operator.IS_NOT, "重大"),
    ),
]


@pytest.mark.parametrize("pair", CONTRADICTIONS)
def test_what_can_never_hold_together_is_refused(pair: tuple[Condition, Condition]) -> None:
    assert refused(*pair) == ("conditions", 2, "contradiction")
    check(rule(*pair, match=Match.ANY), KNOWN)


def test_a_step_that_is_always_done_already_is_refused() -> None:
    high = asked("level", Operator.IS, "二线", "市运维中心")
    assert refused(high, steps=(Step(StepKind.ESCALATE, "二线"),)) == ("steps", 1, "futile")
    major = asked("severity", Operator.IS, "重大")
    assert refused(major, steps=(Step(StepKind.PROPOSE, "重大"),)) == ("steps", 1, "futile")


def test_sense_is_kept() -> None:
    check(rule(occasion=Occasion.OPENED), KNOWN)
    check(rule(LATE, REGION, occasion=Occasion.TIME), KNOWN)
    two = (asked("tag", Operator.IS, "甲"), asked("tag", Operator.IS, "乙"))
    check(rule(*two, asked("custom.voucher", Operator.FILLED)), KNOWN)


def test_a_rule_below_one_that_stops_first_is_told() -> None:
    stops = rule(REGION, id="a", stop=True)
    narrower = rule(REGION, asked("unit", Operator.FILLED), id="b")
    wider = rule(asked("unit", Operator.FILLED), id="c")
    assert shadowed([stops, narrower, wider]) == {"b": "a"}
    assert shadowed([narrower, stops, wider]) == {}
    either = rule(REGION, match=Match.ANY, id="d", stop=True)
    assert shadowed([either, narrower]) == {}


VALUES = st.lists(st.sampled_from(["一般", "紧急", "重大"]), min_size=1, max_size=3, unique=True)
ASKED = st.builds(
    lambda operator, values: Condition("severity", operator, tuple(values)),
    st.sampled_from([Operator.IS, Operator.IS_NOT]),
    VALUES,
)


@given(ASKED, ASKED)
def test_a_pair_is_refused_exactly_when_no_ticket_fits_it(one: Condition, other: Condition) -> None:
    pair = rule(one, other)
    possible = any(
        fits(pair, Story(severity=severity).seen()[-1].situation, NOW)
        for severity in ("一般", "紧急", "重大")
    )
    # Of two bars on single values only the domain tells; together they never end in silence.
    if not possible:
        assert refused(one, other) == ("conditions", 2, "contradiction")
    else:
        check(pair, KNOWN)
