"""Tables of questions and answers from csv, tsv and workbooks."""

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import ImportRefused, RefusalReason
from kb.sections import FaqEntry, FaqTable, WarningCode
from tests.kb.importer.test_office_and_pdf import saved, workbook
from tests.kb.importer.trees import read_table


def table(text: str, name: str = "问答.csv") -> FaqTable:
    """The table in a text file."""
    return read_table(text.encode(), name)


def test_our_own_columns() -> None:
    found = table(
        "question,similar,answer,module,ref,category,kind\n"
        '怎么退回,"退回去\n怎么退|退单","先撤销，\n再退回。",国库支付,F-012,操作咨询,\n'
        "标准是多少,,登记后转业务科室。,预算,D-3,业务政策,collect\n"
    )
    assert found.entries == (
        FaqEntry(
            "怎么退回",
            "先撤销，\n再退回。",
            ("退回去", "怎么退", "退单"),
            "国库支付",
            "F-012",
            "操作咨询",
            group="问答",
        ),
        FaqEntry(
            "标准是多少", "登记后转业务科室。", (), "预算", "D-3", "业务政策", "collect", "问答"
        ),
    )
    assert (found.title, found.fmt, found.warnings) == ("问答", "csv", ())


def test_chinese_columns_tabs_and_gb18030() -> None:
    text = "问题\t相似问\t答案\t模块\t出处\n怎么登录\t登不上去｜打不开\t用 UKey 登录。\t门户\tA-1\n"
    found = read_table(text.encode("gb18030"), "问答.tsv")
    assert found.entries[0].similar == ("登不上去", "打不开")
    assert found.fmt == "tsv"


def test_problem_cause_remedy_with_merged_categories_and_a_title_row() -> None:
    book = workbook(
        常见问题=[
            ["部门决算常见问题", None, None, None, None],
            ["序号", "分类", "问题", "原因", "解决办法", "责任岗"],
            [1, "登录", "打不开", "没有封面", "1. 新建封面\n2. 审核", "经办"],
            [2, None, "封面锁定", None, "找管理员解锁", None],
        ]
    )
    book["常见问题"].merge_cells("B3:B4")
    found = read_table(saved(book), "常见问题.xlsx")
    assert [(each.category, each.question, each.answer) for each in found.entries] == [
        ("登录", "打不开", "原因：没有封面\n1. 新建封面\n2. 审核\n责任岗：经办"),
        ("登录", "封面锁定", "找管理员解锁"),
    ]


def test_stacked_questions_and_answers() -> None:
    book = workbook(模块一=[["Q.开机没有反应？"], ["Q:怎么休眠"], ["A:①设置\n②等待"], ["续一行"]],
                    模块二=[["Q：注册失败", "A：换一个代码"]])  # fmt: skip
    found = read_table(saved(book), "FAQ.xlsx")
    assert [(each.group, each.question, each.answer) for each in found.entries] == [
        ("模块一", "怎么休眠", "①设置\n②等待\n续一行"),
        ("模块二", "注册失败", "换一个代码"),
    ]
    assert [(each.code, each.detail) for each in found.warnings] == [
        (WarningCode.EMPTY_ANSWER, "模块一:1 开机没有反应？")
    ]


def test_id_question_answer_and_sheets_that_are_no_questions() -> None:
    book = workbook(
        知识=[["ID", "QUESTION", "ANSWER"], [7, "怎么充值", "打开钱包"]], 说明=[["只是", "说明"]]
    )
    found = read_table(saved(book), "导出.xlsx")
    assert [(each.ref, each.question) for each in found.entries] == [("7", "怎么充值")]
    assert [each.code for each in found.warnings] == [WarningCode.SKIPPED_CONTENT]


def test_rows_that_say_too_little_are_reported_and_the_rest_kept() -> None:
    found = table(
        "问题,答案,答复方式\n,没有问题,\n没有答案,,\n好,行。,\n好？,行。,\n怪,不。,随便\n,,\n"
    )
    assert [(each.question, each.kind) for each in found.entries] == [
        ("好", "answer"), ("好？", "answer"), ("怪", "collect"),
    ]  # fmt: skip
    assert [each.code for each in found.warnings] == [
        WarningCode.MALFORMED_ROW,
        WarningCode.EMPTY_ANSWER,
        WarningCode.MALFORMED_ROW,
        WarningCode.DUPLICATE_QUESTION,
    ]


def test_a_table_without_the_two_columns_is_refused_by_name() -> None:
    with pytest.raises(ImportRefused) as refused:
        table("姓名,电话\n张三,1\n")
    assert (refused.value.reason, refused.value.detail) == (
        RefusalReason.MISSING_COLUMNS,
        "姓名 | 电话",
    )


def test_an_empty_table_is_refused() -> None:
    for text, reason in ((" ", RefusalReason.MISSING_COLUMNS), ("", RefusalReason.EMPTY)):
        with pytest.raises(ImportRefused) as refused:
            table(text)
        assert refused.value.reason is reason


WORDS = st.text(st.characters(categories=("L", "N", "P"), exclude_characters="|｜"), min_size=1)


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=8))
def test_every_row_of_a_written_table_comes_back_or_is_reported(
    rows: list[tuple[str, str]],
) -> None:
    buffer = StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["question", "answer"])
    writer.writerows(rows)
    found = table(buffer.getvalue())
    noted = [each for each in found.warnings if each.code is not WarningCode.DUPLICATE_QUESTION]
    assert len(found.entries) + len(noted) >= len({row for row in rows if row})
