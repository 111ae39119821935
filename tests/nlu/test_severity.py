"""The levels' definitions, as a table over situations."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlu.severity import Damage, Situation, Slowness, failing, judge, judge_data
from nlu.triage_types import Question, Scope
from store.vocabulary import Severity

STOPPED = Situation(Scope.UNKNOWN, Damage.STOPPED, Slowness.NONE, core=True, restorable=None)


@pytest.mark.parametrize(
    ("situation", "level"),
    [
        # A core task that stands still for a unit or more, and cannot be restored, is the gravest.
        (replace(STOPPED, scope=Scope.CITY), Severity.MAJOR),
        (replace(STOPPED, scope=Scope.UNIT), Severity.MAJOR),
        (replace(STOPPED, scope=Scope.UNIT, restorable=True), Severity.URGENT),
        (replace(STOPPED, scope=Scope.GROUP), Severity.URGENT),
        (replace(STOPPED, scope=Scope.SELF), Severity.GENERAL),
        (replace(STOPPED, scope=Scope.ITEM), Severity.GENERAL),
        (replace(STOPPED, systemic=True), Severity.URGENT),
        (replace(STOPPED, systemic=True, for_days=True), Severity.MAJOR),
        (replace(STOPPED, restorable=True), Severity.GENERAL),
        (replace(STOPPED, systemic=True, own_terminal=True), Severity.GENERAL),
        # Anything else that stands still for several people can wait a little.
        (replace(STOPPED, core=False, scope=Scope.CITY), Severity.URGENT),
        (replace(STOPPED, core=False, scope=Scope.GROUP), Severity.URGENT),
        (replace(STOPPED, core=False), Severity.GENERAL),
        (replace(STOPPED, core=False, scope=Scope.UNIT, for_days=True), Severity.MAJOR),
        (replace(STOPPED, core=False, scope=Scope.CITY, lasting=True), Severity.MAJOR),
        (replace(STOPPED, core=False, scope=Scope.MANY, lasting=True), Severity.URGENT),
        # A task that nobody named.
        (replace(STOPPED, core=None, scope=Scope.MANY), Severity.MAJOR),
        (replace(STOPPED, core=None, scope=Scope.UNIT), Severity.URGENT),
        (replace(STOPPED, core=None), Severity.GENERAL),
        # The whole, and what carries it.
        (replace(STOPPED, damage=Damage.PARALYSED, core=None), Severity.MAJOR),
        (replace(STOPPED, damage=Damage.PARALYSED, restorable=True), Severity.URGENT),
        (replace(STOPPED, damage=Damage.PARALYSED, scope=Scope.SELF), Severity.GENERAL),
        (replace(STOPPED, infrastructure=True, damage=Damage.NONE), Severity.MAJOR),
        # Slowness.
        (
            replace(STOPPED, damage=Damage.NONE, slowness=Slowness.UNBEARABLE, scope=Scope.MANY),
            Severity.MAJOR,
        ),
        (
            replace(STOPPED, damage=Damage.NONE, slowness=Slowness.SLOW, scope=Scope.UNIT),
            Severity.URGENT,
        ),
        (replace(STOPPED, damage=Damage.NONE, slowness=Slowness.SLOW), Severity.GENERAL),
        # Looks.
        (replace(STOPPED, damage=Damage.DISPLAY, scope=Scope.CITY), Severity.GENERAL),
        (replace(STOPPED, damage=Damage.NONE, scope=Scope.CITY), Severity.GENERAL),
    ],
)
def test_levels(situation: Situation, level: Severity) -> None:
    assert judge(situation).severity is level


situations = st.builds(
    Situation,
    scope=st.sampled_from(Scope),
    damage=st.sampled_from(Damage),
    slowness=st.sampled_from(Slowness),
    core=st.sampled_from([None, True, False]),
    restorable=st.sampled_from([None, True, False]),
    infrastructure=st.booleans(),
    systemic=st.booleans(),
    lasting=st.booleans(),
    for_days=st.booleans(),
    own_terminal=st.booleans(),
)


def rank(situation: Situation) -> int:
    return judge(situation).severity.rank


@given(situations)
def test_one_person_or_one_item_is_never_grave(situation: Situation) -> None:
    for scope in (Scope.SELF, Scope.ITEM):
        assert judge(replace(situation, scope=scope)).severity is Severity.GENERAL


@given(situations)
def test_more_people_never_lower_the_level(situation: Situation) -> None:
    levels = [rank(replace(situation, scope=scope)) for scope in Scope if scope > Scope.UNKNOWN]
    assert levels == sorted(levels)


@given(situations)
def test_what_can_be_restored_is_never_graver(situation: Situation) -> None:
    assert rank(replace(situation, restorable=True)) <= rank(replace(situation, restorable=False))


@given(situations)
def test_a_core_task_is_never_less_grave(situation: Situation) -> None:
    assert rank(replace(situation, core=True)) >= rank(replace(situation, core=False))


@given(situations)
def test_a_question_is_only_asked_when_unsure(situation: Situation) -> None:
    verdict = judge(situation)
    assert 0 < verdict.confidence <= 1
    if verdict.question is not None:
        assert verdict.confidence <= 0.7


@given(situations)
@settings(max_examples=1_000)
def test_answering_the_question_settles_it_or_asks_another(situation: Situation) -> None:
    question = judge(situation).question
    if question is Question.SCOPE:
        settled = judge(replace(situation, scope=Scope.CITY))
        assert settled.question is not Question.SCOPE or situation.restorable
    if question is Question.RESTORABLE:
        assert judge(replace(situation, restorable=True)).question is not question
    if question is Question.CORE:
        assert judge(replace(situation, core=False)).question is not Question.CORE


def test_nameless_failures_of_several_stand_still() -> None:
    quiet = replace(STOPPED, damage=Damage.NONE)
    assert failing(replace(quiet, scope=Scope.UNIT)).damage is Damage.STOPPED
    assert failing(quiet).damage is Damage.NONE
    display = replace(quiet, damage=Damage.DISPLAY, scope=Scope.CITY)
    assert failing(display) == display


def test_data_problems() -> None:
    assert judge_data(replace(STOPPED, scope=Scope.MANY)).severity is Severity.URGENT
    assert judge_data(replace(STOPPED, systemic=True)).severity is Severity.URGENT
    assert judge_data(replace(STOPPED, systemic=True, scope=Scope.ITEM)).severity is (
        Severity.GENERAL
    )
    assert judge_data(STOPPED).severity is Severity.GENERAL
