"""Pictures in and above the cells of a workbook, and what they belong to."""

import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from openpyxl.drawing.image import Image as SheetImage
from openpyxl.workbook import Workbook

from kb.answer_markup import answer_blocks, pictures
from kb.faq_store import store_faq
from kb.importer.wire import decode, encode, image_sizes
from kb.sections import FaqTable, Image, WarningCode
from store.session import Database
from tests.kb.importer.pictures import png
from tests.kb.importer.trees import read, read_table, tree
from tests.kb.samples import NOW

#: As WPS writes it: the cell holds an id, a part of its own leads from there to the picture.
CELL_IMAGES = (
    '<etc:cellImages xmlns:etc="http://www.wps.cn/officeDocument/2017/etCustomData"'
    ' xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"'
    ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<etc:cellImage><xdr:pic><xdr:nvPicPr><xdr:cNvPr id="2" name="ID_A1"/></xdr:nvPicPr>'
    '<xdr:blipFill><a:blip r:embed="rId1"/></xdr:blipFill></xdr:pic></etc:cellImage>'
    "</etc:cellImages>"
)
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="image" Target="media/image1.png"/></Relationships>'
)


def floating(workbook: Workbook, cell: str, shade: int) -> None:
    """Lay a picture over the sheet with its corner in the cell."""
    workbook.active.add_image(SheetImage(BytesIO(png(shade))), cell)


def saved(workbook: Workbook, extra: Mapping[str, bytes | str] | None = None) -> bytes:
    """The file, with more members in its archive; `@ID` cells become pictures in cells."""
    buffer = BytesIO()
    workbook.save(buffer)
    if not extra:
        return buffer.getvalue()
    made = BytesIO()
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        for name, data in extra.items():
            new.writestr(name, data)
    return made.getvalue()


def questions(*rows: tuple[str, str]) -> Workbook:
    workbook = openpyxl.Workbook()
    workbook.active.append(["问题", "答案"])
    for row in rows:
        workbook.active.append(list(row))
    return workbook


def in_cell(key: str) -> str:
    """The stored text of a cell with a picture; the quote mark keeps it from being a formula."""
    return f'=DISPIMG("{key}",1)'


def as_text(workbook: Workbook) -> Workbook:
    """Keep what looks like a formula as the value that WPS stores beside it."""
    for row in workbook.active.iter_rows():
        for cell in row:
            if isinstance(cell.value, str):
                cell.data_type = "s"
    return workbook


def test_floating_pictures_join_the_answer_they_lie_beside() -> None:
    workbook = questions(("甲？", "点这里。"), ("乙？", "点那里。"))
    floating(workbook, "C2", 1)
    floating(workbook, "C3", 3)
    floating(workbook, "D9", 2)
    table = read_table(saved(workbook), "问答.xlsx")
    first, second = table.entries
    assert first.answer.startswith("点这里。\n![](/media/")
    assert len(list(pictures(first.answer))) == 1
    assert len(list(pictures(second.answer))) == 2
    assert {*pictures(first.answer), *pictures(second.answer)} == set(table.images)
    assert [type(block) for block in answer_blocks(first.answer)][-1] is Image


def test_a_picture_in_the_answers_cell_is_the_answer() -> None:
    workbook = as_text(questions(("流程图在哪？", in_cell("ID_A1")), ("丙？", in_cell("ID_B"))))
    extra = {"xl/cellimages.xml": CELL_IMAGES, "xl/_rels/cellimages.xml.rels": RELATIONS,
             "xl/media/image1.png": png(9)}  # fmt: skip
    table = read_table(saved(workbook, extra), "问答.xlsx")
    (entry,) = table.entries
    assert entry.question == "流程图在哪？"
    assert list(pictures(entry.answer)) == list(table.images)
    assert table.images[next(pictures(entry.answer))] == png(9)
    assert [notice.code for notice in table.warnings] == [
        WarningCode.MISSING_IMAGE,
        WarningCode.EMPTY_ANSWER,
    ]


@pytest.mark.parametrize("relations", ["", "<broken", RELATIONS.replace("rId1", "rId7")])
def test_broken_links_to_pictures_in_cells_lose_the_picture_only(relations: str) -> None:
    workbook = as_text(questions(("甲？", "文字。"), ("乙？", in_cell("ID_A1"))))
    extra = {"xl/cellimages.xml": CELL_IMAGES, "xl/_rels/cellimages.xml.rels": relations}
    table = read_table(saved(workbook, extra), "问答.xlsx")
    assert [entry.answer for entry in table.entries] == ["文字。"]
    assert not table.images


def test_stacked_pairs_keep_their_pictures() -> None:
    workbook = openpyxl.Workbook()
    for text in ("Q：怎么登录？", "A：点登录。", "Q：怎么退出？", "A：点退出。"):
        workbook.active.append([text])
    floating(workbook, "B2", 1)
    table = read_table(saved(workbook), "问答.xlsx")
    assert [len(list(pictures(entry.answer))) for entry in table.entries] == [1, 0]


def test_a_sheet_of_steps_shows_each_picture_after_its_row() -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "流程"
    for row in (("步骤", "操作"), ("一", "录入"), ("二", "送审"), ("三", "打印")):
        sheet.append(row)
    floating(workbook, "D3", 2)
    floating(workbook, "D2", 1)
    guide = read(saved(workbook), "流程.xlsx")
    assert tree(guide) == [
        "# 流程",
        "  步骤|操作 / 一|录入",
        "  [图]",
        "  步骤|操作 / 二|送审",
        "  [图]",
        "  步骤|操作 / 三|打印",
    ]


def test_rows_are_named_by_their_own_numbers() -> None:
    workbook = questions(("甲？", "答。"))
    workbook.active["A9"] = "乙？"
    table = read_table(saved(workbook), "问答.xlsx")
    assert [notice.detail for notice in table.warnings] == ["Sheet:9 乙？"]


def test_columns_hidden_as_a_group_are_left_out() -> None:
    workbook = questions(("甲？", "答。"))
    for column, text in zip("CDE", ("内部一", "内部二", "内部三"), strict=True):
        workbook.active[f"{column}1"] = text
        workbook.active[f"{column}2"] = "不外传"
    workbook.active.column_dimensions.group("C", "E", hidden=True)
    (entry,) = read_table(saved(workbook), "问答.xlsx").entries
    assert entry.answer == "答。"


def test_a_table_with_pictures_crosses_the_pipe() -> None:
    workbook = questions(("甲？", "点这里。"))
    floating(workbook, "C2", 1)
    table = read_table(saved(workbook), "问答.xlsx")
    head, images = encode(table)
    assert decode(head, dict(zip(image_sizes(head), images, strict=True))) == table


async def test_pictures_of_a_table_are_kept_beside_the_answers(
    database: Database, tmp_path: Path
) -> None:
    workbook = questions(("甲？", "点这里。"))
    floating(workbook, "C2", 1)
    table = read_table(saved(workbook), "问答.xlsx")
    assert isinstance(table, FaqTable)
    for _ in range(2):
        async with database.transaction() as session:
            await store_faq(
                session, table, source_name="a.xlsx", publish=True, now=NOW, media_dir=tmp_path
            )
    (sha256,) = table.images
    assert (tmp_path / sha256[:2] / f"{sha256}.png").read_bytes() == png(1)


def test_styles_that_cannot_be_made_out_cost_no_words() -> None:
    workbook = questions(("甲？", "点这里。"))
    floating(workbook, "C2", 1)
    whole = saved(workbook)
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(whole)) as old, zipfile.ZipFile(made, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            if member == "xl/styles.xml":
                content = content.replace(b"<fills", b"<fills><fill><odd/></fill></fills><fills", 1)
                content = content.replace(
                    b"<fonts", b"<fonts><font><sz val='x'/></font></fonts><fonts"
                )
            new.writestr(member, content)
    table = read_table(made.getvalue(), "问答.xlsx")
    assert [(entry.question, entry.answer) for entry in table.entries] == [("甲？", "点这里。")]
    assert [notice.detail for notice in table.warnings] == ["1 pictures"]
