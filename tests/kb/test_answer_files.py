"""Files of answers: told by content, harmless, kept once, and named as people know them."""

import zipfile
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from docx import Document
from hypothesis import given
from hypothesis import strategies as st

from kb import repository
from kb.answer_files import MAX_BYTES, TYPES, keep_file, kind_of
from kb.answer_markup import answer_blocks, attachments, plain_text
from kb.errors import AnswerInvalid
from store.session import Database

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
SHA = "a" * 64


def docx() -> bytes:
    stream = BytesIO()
    Document().save(stream)
    return stream.getvalue()


def xlsx() -> bytes:
    stream = BytesIO()
    openpyxl.Workbook().save(stream)
    return stream.getvalue()


def zipped(**members: bytes) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return stream.getvalue()


def with_macro(content: bytes) -> bytes:
    stream = BytesIO(content)
    with zipfile.ZipFile(stream, "a") as file:
        file.writestr("word/vbaProject.bin", b"x")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (PDF, "手册.exe", "pdf"),
        (docx(), "模板", "docx"),
        (xlsx(), "表.docx", "xlsx"),
        ("单位,金额\n一小,1".encode(), "样表.csv", "csv"),
        ("说明".encode("gb18030"), "说明.TXT", "txt"),
        (zipped(OFD_dot_xml=b"<x/>"), "文件.ofd", "ofd"),
    ],
    ids=("pdf", "docx", "xlsx", "csv", "txt", "ofd"),
)
def test_the_content_tells_what_it_is(content: bytes, name: str, kind: str) -> None:
    assert kind_of(content, name) == kind
    assert kind in TYPES


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"", "空.pdf", "file_empty"),
        (b"MZ\x90\x00", "表.xlsx", "file_unsupported"),
        (b"<html><script>alert(1)</script></html>", "说明.txt", "file_unsupported"),
        (b"\x89PNG\r\n\x1a\n", "图.pdf", "file_unsupported"),
        (zipped(a_dot_exe=b"MZ"), "包.zip", "file_unsupported"),
        (b"hello", "hello.sh", "file_unsupported"),
        (with_macro(docx()), "模板.docx", "file_macro"),
        (b"PK\x03\x04broken", "坏.docx", "file_unsupported"),
        (b"%TSD-Header-###%xxxx", "密.docx", "file_drm"),
        (b"%PDF-" + b"0" * MAX_BYTES, "大.pdf", "too_large"),
    ],
    ids=("empty", "program", "page", "picture", "zip", "script", "macro", "broken", "drm", "large"),
)
def test_what_could_run_or_is_no_document_is_refused(
    content: bytes, name: str, reason: str
) -> None:
    with pytest.raises(AnswerInvalid) as refused:
        kind_of(content, name)
    assert (refused.value.field, refused.value.reason) == ("file", reason)


@given(st.binary(max_size=400), st.text(max_size=20))
def test_any_bytes_are_told_or_refused(content: bytes, name: str) -> None:
    with suppress(AnswerInvalid):
        assert kind_of(content, name) in TYPES


async def test_the_same_file_is_kept_once_under_its_mark(
    database: Database, tmp_path: Path
) -> None:
    marks = []
    for name in ("../../报销[申请]表.doc", "申请表.pdf"):
        async with database.transaction() as session:
            marks.append(await keep_file(session, PDF, name=name, media_dir=tmp_path, now=NOW))
    [first], [second] = attachments(marks[0]), attachments(marks[1])
    assert (first.name, second.name) == ("报销（申请）表.pdf", "申请表.pdf")
    assert first.sha256 == second.sha256
    async with database.reading() as session:
        row = await repository.media(session, first.sha256)
    assert row is not None
    assert (row.name, row.size) == ("报销（申请）表.pdf", len(PDF))
    assert len(list(tmp_path.rglob("*.bin"))) == 1


def test_a_mark_of_a_file_is_listed_and_leaves_its_name_in_the_text() -> None:
    text = f"1. 填写[申请表.docx](/media/{SHA})。\n[申请表.docx](/media/{SHA})\n完成。"
    [one] = attachments(text)
    assert one.sha256 == SHA
    assert "/media/" not in plain_text(text)
    shown = [getattr(block, "text", "") for block in answer_blocks(text)]
    assert len(shown) == 2
    assert "申请表.docx" in shown[0]


def test_pictures_and_other_addresses_are_no_files() -> None:
    text = f"![图](/media/{SHA}) [x](https://example.com/a.pdf) [y](/etc/passwd) [z](//evil)"
    assert attachments(text) == ()
