"""Answers as a workbook and back: the same again, no formulas, hostile files refused."""

import zipfile
from collections.abc import Mapping
from datetime import date
from io import BytesIO

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.answer_sheet import COLUMNS, MAX_CELL, Exported, SheetRow, Words, read, write
from kb.answer_text import AnswerText
from kb.articles import AnswerKind
from kb.errors import AnswerInvalid, ImportRefused

WORDS = Words({name: f"列 {name}" for name in COLUMNS}, {"answer": "直接回答", "collect": "开工单"})
TEXT = AnswerText(
    question="怎么打印凭证",
    answer="1. 点【打印】。\n2. 选打印机。",
    similar=("凭证打不出来", "打印预览空白"),
    module="账务",
    category="操作咨询",
    kind=AnswerKind.COLLECT,
    ref="ZW01",
    regions=("市本级", "端州区"),
    valid_from=date(2026, 1, 1),
    valid_until=date(2026, 12, 31),
    source_title="账务操作指南",
    source_section_id="a" * 32,
    owner="何编辑",
    fiscal_year=2026,
    audience=("预算单位", "代理银行"),
)


def back(text: AnswerText, before: AnswerText | None = None) -> AnswerText:
    (row,) = read(write([Exported("b" * 32, 7, text)], WORDS), WORDS)
    assert (row.article_id, row.version, row.line) == ("b" * 32, 7, 2)
    return row.over(before or text, WORDS)


def test_everything_comes_back() -> None:
    assert back(TEXT) == TEXT
    blank = AnswerText("空", "无", source_section_id="c" * 32)
    returned = back(TEXT, blank)
    assert returned == AnswerText(**{**_fields(TEXT), "source_section_id": "c" * 32})


def _fields(text: AnswerText) -> dict[str, object]:
    return {name: getattr(text, name) for name in text.__slots__}


plain = st.text(
    st.characters(
        codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs", "Cf", "Co", "Cn")
    ),
    max_size=40,
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(plain, plain, st.lists(plain, max_size=4)), min_size=1, max_size=5),
)
def test_any_words_come_back(rows: list[tuple[str, str, list[str]]]) -> None:
    texts = [
        AnswerText(question or "问", answer or "答", tuple(similar)).checked()
        for question, answer, similar in rows
    ]
    sheet = write([Exported("", 0, text) for text in texts], WORDS)
    nothing = AnswerText("", "")
    assert [row.over(nothing, WORDS) for row in read(sheet, WORDS)] == texts


@pytest.mark.parametrize("text", ["=1+1", "+1", "-2", "@SUM(A1)", '=HYPERLINK("http://x","y")'])
def test_nothing_is_calculated(text: str) -> None:
    content = write([Exported("", 0, AnswerText(text, text))], WORDS)
    sheet = openpyxl.load_workbook(BytesIO(content)).worksheets[0]
    place = list(COLUMNS).index("question") + 1
    cell = sheet.cell(2, place)
    assert (cell.data_type, cell.value) == ("s", text)
    assert back(AnswerText(text, text)).question == text


def test_what_a_cell_cannot_hold_stays_as_it_is() -> None:
    long = AnswerText("问", "长" * (MAX_CELL + 1))
    assert back(long) == long
    short = AnswerText("问", "短")
    row = SheetRow(2, {"question": "问", "answer": ""})
    with pytest.raises(AnswerInvalid):
        row.over(short, WORDS)


def test_absent_columns_keep_what_there_is() -> None:
    row = SheetRow(2, {"question": "新的问法", "answer": TEXT.answer})
    changed = row.over(TEXT, WORDS)
    assert changed.question == "新的问法"
    assert (changed.similar, changed.regions, changed.kind) == (
        TEXT.similar,
        TEXT.regions,
        TEXT.kind,
    )


@pytest.mark.parametrize(
    ("cells", "field", "reason"),
    [
        ({"valid_from": "明天"}, "valid_from", "date"),
        ({"valid_until": "2026-13-01"}, "valid_until", "date"),
        ({"valid_from": "2027-01-01"}, "valid_until", "before_start"),
        ({"kind": "随便"}, "kind", "unknown"),
        ({"question": ""}, "question", "empty"),
        ({"module": "长" * 300}, "module", "too_long"),
        ({"similar": "\n".join(str(n) for n in range(400))}, "similar", "too_many"),
    ],
)
def test_a_cell_that_cannot_be_kept_is_named(
    cells: Mapping[str, str], field: str, reason: str
) -> None:
    with pytest.raises(AnswerInvalid) as refused:
        SheetRow(2, cells).over(TEXT, WORDS)
    assert (refused.value.field, refused.value.reason) == (field, reason)


@pytest.mark.parametrize("version", ["x", "-1", "1.5", "９", "9" * 20])
def test_a_version_is_a_number(version: str) -> None:
    with pytest.raises(AnswerInvalid):
        _ = SheetRow(2, {"version": version}).version
    assert SheetRow(2, {"version": "12.0"}).version == 12


def test_dates_and_numbers_of_a_spreadsheet_are_read() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append([WORDS.headings[name] for name in ("answer", "question", "valid_from", "version")])
    sheet.append(["答", 502, date(2026, 3, 1), 3])
    sheet.append([None, None, None, None])
    out = BytesIO()
    book.save(out)
    (row,) = read(out.getvalue(), WORDS)
    text = row.over(AnswerText("", ""), WORDS)
    assert (text.question, text.valid_from, row.version) == ("502", date(2026, 3, 1), 3)


def _bomb() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * (160 * 1024 * 1024))
    return out.getvalue()


def _declaring() -> bytes:
    out = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(write([Exported("", 0, TEXT)], WORDS))) as good,
        zipfile.ZipFile(out, "w") as bad,
    ):
        for name in good.namelist():
            content = good.read(name)
            if name.endswith("sheet1.xml"):
                entity = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
                content = content.replace(b"<worksheet", entity + b"<worksheet", 1)
            bad.writestr(name, content)
    return out.getvalue()


def _headings(*names: str) -> bytes:
    book = openpyxl.Workbook()
    book.worksheets[0].append(list(names))
    book.worksheets[0].append(["a", "b", "c"])
    out = BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "corrupt"),
        (b"PK\x03\x04 not really", "corrupt"),
        (b"id,question\n", "corrupt"),
        (_headings("别的", "列"), "no_text"),
        (_headings("列 question", "列 answer", "列 answer"), "no_text"),
        (write([], WORDS), "no_text"),
        (_declaring(), "external_entity"),
        (_bomb(), "zip_bomb"),
    ],
    ids=["empty", "zip", "csv", "headings", "twice", "no rows", "entity", "bomb"],
)
def test_what_is_no_sheet_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        read(data, WORDS)
    assert refused.value.reason.value == reason
