"""For whom and for which fiscal year an answer holds."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.answer_text import AnswerText
from kb.answers import indexed_text
from kb.applicability import MAX_GROUPS, groups, is_for, named_years
from kb.articles import Corpus, answer_from_json, answer_to_json
from kb.errors import AnswerInvalid
from kb.fresh_index import FreshIndex
from kb.golden import OneIndex
from kb.index_holder import IndexHolder
from kb.retriever import Retriever
from kb.settings import KnowledgeSettings

ANSWER = indexed_text("a", AnswerText("决算怎么报", "1. 打开决算。"))


@pytest.mark.parametrize(
    ("audience", "told", "expected"),
    [
        ((), ("预算单位",), True),
        (("预算单位",), (), True),
        (("各预算单位",), ("预算单位",), True),
        (("预算单位",), ("市直预算单位", "经办岗"), True),
        (("代理银行",), ("预算单位",), False),
        (("ＣＡ管理员",), ("ca管理员",), True),
    ],
)
def test_who_is_concerned(
    audience: tuple[str, ...], told: tuple[str, ...], *, expected: bool
) -> None:
    assert is_for(audience, told) is expected


@pytest.mark.parametrize(
    ("question", "years"),
    [
        ("2026年预算怎么编", {2026}),
        ("２０２５年度决算", {2025}),
        ("2025年的发票能不能在2026年报", {2025, 2026}),
        ("2025年12月的单子没付出去", set()),
        ("单号202501011234年", set()),
        ("今年的预算", set()),
    ],
)
def test_years_that_a_question_names(question: str, years: set[int]) -> None:
    assert named_years(question) == years


@given(st.text(max_size=300))
def test_any_text_gives_few_groups(text: str) -> None:
    found = groups(text)
    assert len(found) <= MAX_GROUPS
    assert all(one.strip() == one and one for one in found)


def test_an_answer_of_another_year_or_group_does_not_hold() -> None:
    own = replace(ANSWER, fiscal_year=2026, audience=("代理银行",))
    assert own.is_valid(date(2026, 1, 1), None)
    assert own.is_valid(None, None, ("代理银行",), frozenset({2025, 2026}))
    assert not own.is_valid(None, None, ("预算单位",))
    assert not own.is_valid(None, None, (), frozenset({2025}))


def test_what_says_nothing_reads_as_before() -> None:
    row = answer_to_json(ANSWER)
    assert not {"fiscal_year", "audience"} & set(row)
    own = replace(ANSWER, fiscal_year=2026, audience=("代理银行", "财政局"))
    assert answer_from_json(answer_to_json(own)) == own
    assert Corpus((own,)).revision != Corpus((ANSWER,)).revision


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"fiscal_year": 1066}, "fiscal_year"),
        ({"audience": ("长" * 41,)}, "audience"),
        ({"audience": tuple(map(str, range(51)))}, "audience"),
    ],
)
def test_senseless_facts_are_refused(changes: dict[str, object], field: str) -> None:
    with pytest.raises(AnswerInvalid) as refused:
        replace(AnswerText("问", "答"), **changes).checked()  # type: ignore[arg-type]
    assert refused.value.field == field


def test_versions_from_before_read_as_for_everybody() -> None:
    row = AnswerText("问", "答").to_json()
    del row["fiscal_year"], row["audience"]
    assert AnswerText.from_json(row) == AnswerText("问", "答")


def test_search_leaves_out_what_is_not_for_who_asks(
    built_home: Path, kb_settings: KnowledgeSettings
) -> None:
    index = FreshIndex(built_home, IndexHolder(built_home, kb_settings), refresh_seconds=0.0)
    own = replace(ANSWER, fiscal_year=2026, audience=("代理银行",))
    found = Retriever(OneIndex(index.candidate({"a": own})))
    everybody = found.search("决算怎么报")
    assert everybody.candidates[0].answer_id == "a"
    assert all(
        one.answer_id != "a"
        for one in found.search("决算怎么报", audience=("预算单位",)).candidates
    )
    assert all(one.answer_id != "a" for one in found.search("2025年决算怎么报").candidates)
    assert found.search("2026年决算怎么报").candidates[0].answer_id == "a"
