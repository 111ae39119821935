"""Doubts name the section they arose in, whatever became of the elements around them."""

from pathlib import Path
from typing import Any

import pytest
from pptx.util import Inches

from bot.importing import Intake, import_file
from bot.importing import _import_one as import_one
from kb.importer import IsolatedImporter
from kb.sections import Guide, WarningCode
from store.session import Database
from tests.kb.importer.pictures import emf_without_bitmap, png
from tests.kb.importer.test_docx import BODY
from tests.kb.importer.test_office_and_pdf import deck
from tests.kb.importer.trees import read
from tests.kb.importer.word import WordFile, para, picture


def places(guide: Guide) -> list[tuple[WarningCode, tuple[str, ...]]]:
    return [(notice.code, notice.where) for notice in guide.warnings]


def test_a_lost_picture_is_told_with_its_section() -> None:
    parts = ("![](a.png)", "# 题名", "![](b.png)", "## 一、甲", "正文。", "![](c.png)", "## 二、乙")
    guide = read("\n\n".join((*parts, "正文。")).encode(), "说明.md")
    assert places(guide) == [
        (WarningCode.MISSING_IMAGE, ()),
        (WarningCode.MISSING_IMAGE, ()),
        (WarningCode.MISSING_IMAGE, ("一、甲",)),
    ]
    section = next(each for _, each in guide.walk() if each.heading == "一、甲")
    assert [notice.detail for notice in section.warnings] == ["c.png"]


def test_captions_and_contents_do_not_move_a_doubt() -> None:
    file = WordFile().image("r1", png(1)).image("r2", emf_without_bitmap(), "b.emf")
    guide = read(
        file.add(
            para("目录"),
            para("第一章 甲……1"),
            para("第二章 乙……2"),
            para("第一章 甲", style="1"),
            para(BODY, picture("r1")),
            para("图1-1 界面"),
            para("第二章 乙", style="1"),
            para(picture("r2")),
            para(BODY),
        ).build(),
        "手册.docx",
    )
    assert places(guide) == [(WarningCode.UNCONVERTED_IMAGE, ("第二章 乙",))]


def test_a_doubt_with_a_page_belongs_to_what_begins_there() -> None:
    def slide(title: str) -> Any:
        def fill(page: Any) -> None:
            page.shapes.title.text = title
            page.shapes.add_textbox(Inches(1), Inches(2), Inches(3), Inches(1)).text = BODY
            if title == "二":
                from pptx.chart.data import CategoryChartData
                from pptx.enum.chart import XL_CHART_TYPE

                data = CategoryChartData()
                data.categories = [""]
                data.add_series("", (None,))  # says nothing
                page.shapes.add_chart(
                    XL_CHART_TYPE.PIE, Inches(1), Inches(3), Inches(2), Inches(2), data
                )

        return fill

    guide = read(deck(slide("一"), slide("二"), slide("三")), "课件.pptx")
    assert places(guide) == [(WarningCode.SKIPPED_CONTENT, ("二",))]


class Failing:
    """A reader that fails as nobody foresaw."""

    def read(self, path: Path, *, name: str | None = None) -> Guide:
        raise ZeroDivisionError

    def interrupt(self) -> None: ...

    def close(self) -> None: ...


async def test_what_nobody_foresaw_refuses_one_file(tmp_path: Path, database: Database) -> None:
    path = tmp_path / "a.md"
    path.write_text("# 甲\n\n正文。\n", encoding="utf-8")
    intake = Intake(database, Failing(), tmp_path)
    with pytest.raises(ZeroDivisionError):
        await import_file(intake, path, publish=False)
    record = await import_one(intake, path, publish=False)
    assert (record["status"], record["reason"], record["sections"]) == ("refused", "crashed", 0)
    with IsolatedImporter() as importer:
        record = await import_one(Intake(database, importer, tmp_path), path, publish=False)
    assert record["status"] == "imported"
