"""Other ways of asking by rules: readable, new to search, and never a question twice."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.lexicon import load_lexicon
from kb.normalise import Normaliser
from kb.paraphrases import LONGEST, SHORTEST, Rule, load_rules, paraphrases

DATA = Path(__file__).parent.parent.parent / "data" / "lexicon"
RULES = load_rules(DATA / "paraphrases.yml")
NORMALISER = Normaliser(load_lexicon(DATA))


def asked(*questions: str, limit: int = 20) -> list[str]:
    return paraphrases(questions, RULES, NORMALISER, limit=limit)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("支付申请送审后怎么撤回？", "支付申请送审后如何撤回"),
        ("可用指标不足怎么办", "可用指标不足是什么原因"),
        ("凭证无法打印", "凭证打印不了"),
        ("年终结转在哪里办理呢", "年终结转怎么办理"),
        ("能不能修改已经送审的单据吗", "可以修改已经送审的单据吗"),
        ("公务卡还款需要什么材料", "公务卡还款的材料有哪些"),
    ],
)
def test_a_rule_says_it_another_way(question: str, expected: str) -> None:
    assert expected in asked(question)


def test_what_search_reads_alike_is_not_proposed() -> None:
    assert "支付申请送审后如何撤回" not in asked("支付申请送审后怎么撤回", "支付申请送审后如何撤回")
    # 付款申请 is read as 支付申请 and 请问 as nothing: both would teach search nothing.
    found = asked("付款申请怎么撤回", "请问支付申请如何撤回")
    assert "付款申请如何撤回" not in found


def test_a_clause_and_an_idiom_stay_whole() -> None:
    found = asked("锁密码对，网页却说密码错，怎么回事")
    assert "锁密码对，网页却说密码错怎么办" in found
    assert not [one for one in found if "回事" in one or one.endswith("，")]


def test_every_question_has_its_turn() -> None:
    found = asked("凭证怎么打印", "公务卡怎么还款", limit=2)
    assert [one[:2] for one in found] == ["凭证", "公务"]


def test_no_rule_fits_a_bare_name() -> None:
    assert asked("电子票据") == []


def test_a_rule_that_could_never_be_applied_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "rules.yml"
    broken.write_text(
        "{final: '!', rules: [{match: '(?P<a>.+)x', say: ['{b}y']}]}", encoding="utf-8"
    )
    with pytest.raises(KeyError):
        load_rules(broken)


@given(st.lists(st.text(max_size=80), max_size=4), st.integers(0, 5))
def test_any_text_gives_few_new_readable_questions(questions: list[str], limit: int) -> None:
    found = asked(*questions, limit=limit)
    forms = [NORMALISER.query(one) for one in found]
    assert len(found) <= limit
    assert len(set(forms)) == len(forms)
    assert not {NORMALISER.query(one) for one in questions} & set(forms)
    assert all(SHORTEST <= len(one) <= LONGEST for one in found)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.pattern.pattern[:30])
def test_every_rule_is_quick_on_long_input(rule: Rule) -> None:
    list(rule.applied("怎么" * 250))
