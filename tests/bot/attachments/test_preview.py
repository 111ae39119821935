"""The beginning of documents as engineers see it."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook

from bot.attachments.pictures import read_plain
from bot.attachments.preview import DocumentPreviewer
from kb.errors import ImportRefused
from tests.kb.importer.word import WordFile, para


@pytest.fixture(scope="module")
def previewer() -> Iterator[DocumentPreviewer]:
    opened = DocumentPreviewer()
    yield opened
    opened.close()


def kept(folder: Path, data: bytes) -> Path:
    """As files rest: without an extension of their own."""
    path = folder / "0a.bin"
    path.write_bytes(data)
    return path


def test_a_document_is_previewed_by_its_headings_and_texts(
    previewer: DocumentPreviewer, tmp_path: Path
) -> None:
    data = WordFile().add(para("一、报错经过", style="1"), para("点击送审后提示余额不足。")).build()
    path = kept(tmp_path, data)
    text = previewer.preview(path, "说明.docx", chars=500)
    assert text.splitlines() == ["一、报错经过", "点击送审后提示余额不足。"]
    assert previewer.preview(path, "说明.docx", chars=3) == "一、报"


def test_a_workbook_of_any_shape_shows_its_cells(
    previewer: DocumentPreviewer, tmp_path: Path
) -> None:
    book = Workbook()
    assert book.active is not None
    for row in (
        ("单据号", "金额", "状态"),
        ("ZF20260001", 8640, "退回"),
        ("ZF20260002", 9, "在途"),
    ):
        book.active.append(row)
    buffer = BytesIO()
    book.save(buffer)
    text = previewer.preview(kept(tmp_path, buffer.getvalue()), "明细.xlsx", chars=500)
    assert "ZF20260001" in text
    assert "退回" in text


def test_what_cannot_be_read_is_refused(previewer: DocumentPreviewer, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused):
        previewer.preview(kept(tmp_path, b"PK\x03\x04 broken"), "坏.docx", chars=500)


@pytest.mark.parametrize("charset", ["utf-8", "gb18030", "utf-8-sig"])
def test_plain_texts_are_read_in_either_charset(charset: str, tmp_path: Path) -> None:
    path = kept(tmp_path, ("日志：保存失败\n" * 900).encode(charset))
    text = read_plain(path, chars=1_000)
    assert text.startswith("日志：保存失败\n")
    assert len(text) == 1_000
    assert "\ufffd" not in text
