"""What a new similar question takes from other answers is known before it is kept."""

import shutil
from pathlib import Path

import pytest

from kb.answer_text import AnswerText
from kb.answers import indexed_text
from kb.fresh_index import FreshIndex
from kb.index_holder import IndexHolder
from kb.question_thefts import Fresh, Theft, thefts, thefts_of
from kb.settings import KnowledgeSettings
from tests.kb.samples import FORMS, SUBJECTS

MINE = AnswerText("合同备案后怎么变更金额", "1. 点击变更申请。", ("采购合同金额改了怎么办",))


@pytest.fixture
def index(built_home: Path, tmp_path: Path, kb_settings: KnowledgeSettings) -> FreshIndex:
    home = tmp_path / "home"
    shutil.copytree(built_home, home)
    return FreshIndex(home, IndexHolder(home, kb_settings), refresh_seconds=0.0)


def stolen(index: FreshIndex, *fresh: str) -> list[Theft]:
    text = AnswerText(MINE.question, MINE.answer, (*MINE.similar, *fresh))
    return thefts(index, indexed_text("mine", text), fresh)


def test_a_question_of_its_own_takes_nothing(index: FreshIndex) -> None:
    assert stolen(index, "备案的合同想改一下金额") == []


def test_a_question_that_another_answer_is_given_for_is_named_with_scores(
    index: FreshIndex,
) -> None:
    [theft] = [one for one in stolen(index, "打印凭证不会弄") if not one.is_own]
    assert theft.question == "打印凭证不会弄"
    assert "打印凭证" in theft.title
    assert theft.before > 0.5
    assert theft.after < theft.before


def test_questions_of_the_other_answer_that_it_would_lose_are_named(index: FreshIndex) -> None:
    taken = [form.format(SUBJECTS[0]) for form in FORMS[:4]]
    found = stolen(index, *taken)
    assert {one.question for one in found} >= set(taken)
    assert all(one.answer_id != "mine" for one in found)


def test_a_question_that_it_would_win_from_its_owner_is_shown(index: FreshIndex) -> None:
    owner = AnswerText("公积金怎么提取", "线下办理。", ("公积金提取",))
    index.apply({"owner": indexed_text("owner", owner)})
    fresh = ("公积金提取怎么办", "怎么提取公积金", "公积金提取的办法")
    text = AnswerText("公积金怎么提取呀", "线上办理。", fresh)
    found = thefts(index, indexed_text("mine", text), [text.question, *fresh])
    assert found
    assert {one.answer_id for one in found} == {"owner"}
    [own] = [one for one in found if one.is_own]
    assert own.question == owner.question
    assert own.before > own.after > 0.5


def test_before_the_first_build_nothing_can_be_taken(
    tmp_path: Path, kb_settings: KnowledgeSettings
) -> None:
    empty = FreshIndex(tmp_path, IndexHolder(tmp_path, kb_settings), refresh_seconds=0.0)
    assert stolen(empty, "打印凭证不会弄") == []


def made(answer_id: str, question: str, *similar: str) -> Fresh:
    text = AnswerText(question, "去窗口办理。", similar)
    return Fresh(indexed_text(answer_id, text), [question, *similar])


def test_a_table_tells_which_entry_takes_what(index: FreshIndex) -> None:
    found = thefts_of(
        index, [made("a", "公积金怎么提取", "打印凭证不会弄"), made("b", "备案的合同想改一下金额")]
    )
    assert found.unasked == 0
    [theft] = [one for one in found.found if not one.is_own]
    assert (theft.taker, theft.question) == ("a", "打印凭证不会弄")


def test_entries_of_one_table_that_want_the_same_question_are_told(index: FreshIndex) -> None:
    rivals = [
        made("a", "公积金怎么提取", "线下提取怎么走"),
        made("b", "公积金提取办法", "怎么提取公积金", "公积金提取"),
        made("c", "公积金怎么提取的", "公积金怎么提取"),
    ]
    alone = [one for one in rivals if one.answer.answer_id == "a"]
    assert thefts_of(index, alone).found == []
    found = thefts_of(index, rivals).found
    assert {(one.taker, one.answer_id) for one in found} <= {
        (one, other) for one in "abc" for other in "abc" if one != other
    }
    assert found


def test_of_too_many_questions_the_rest_is_counted(index: FreshIndex) -> None:
    many = made("a", "公积金怎么提取", *(f"第{number}种提取方式" for number in range(9)))
    assert thefts_of(index, [many], most=4).unasked == 6
