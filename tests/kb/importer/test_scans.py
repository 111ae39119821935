"""Scanned pages of PDF files: found, read from their pictures, put back among the others."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from threading import Event

import pypdfium2 as pdfium
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from kb.errors import ImportRefused, PictureUnread, RefusalReason, UnreadReason
from kb.importer import ImportLimits, IsolatedImporter
from kb.importer.aid import Aid
from kb.importer.pdf import open_pdf, render_page, scanned_pages
from kb.importer.pdf.scans import placed_lines
from kb.importer.reading import read_bytes
from kb.importer.scans import ScannedLine, read_pages
from kb.importer.wire import MalformedReply, decode_pictures, decode_scanned, encode, image_sizes
from kb.ocr import IsolatedTextReader, Line, Recognition
from kb.sections import Guide, WarningCode
from tests.conftest import need
from tests.kb.importer.pictures import png
from tests.kb.importer.test_office_and_pdf import Pages
from tests.kb.importer.trees import GUIDES, headings, tree

LIMITS = ImportLimits()


def row(text: str, top: float, *, high: float = 0.015, left: float = 0.15) -> ScannedLine:
    """A recognised row that ends in the middle of the page."""
    return ScannedLine(text, left, top, 0.5, top + high, sure=True)


def mixed() -> bytes:
    """A page of text, a page that is a picture, an empty page, a page with a small picture."""
    pages = Pages().line("一、甲", 90, 80, 22).line("这里是正文的一句话。", 90, 130).turn()
    pages.image(png(1, (600, 800)), 0, 0, 595, 841).turn().turn()
    return pages.image(png(2), 90, 90, 60, 40).build()


class Reader:
    """Reads every picture alike, except those it is told to fail on."""

    def __init__(self, *fails: int) -> None:
        self._fails = fails
        self.seen = 0

    def read(self, image: bytes) -> Recognition:
        self.seen += 1
        if self.seen in self._fails:
            raise PictureUnread(UnreadReason.TIMEOUT)
        lines = (
            Line("二、乙", 0.99, 100, 100, 200, 140),
            Line("左", 0.95, 100, 200, 150, 220),
            Line("右", 0.6, 300, 202, 350, 222),
        )
        return Recognition(1000, 2000, lines)


def test_pages_that_are_pictures_are_found_and_drawn() -> None:
    document = open_pdf(mixed())
    try:
        assert scanned_pages(document) == [2]
        with Pillow.open(BytesIO(render_page(document, 2))) as drawn:
            assert max(drawn.size) == 2000
        with pytest.raises(ImportRefused):
            render_page(document, 9)
    finally:
        document.close()


def test_rows_come_back_in_parts_of_the_page_and_unread_pages_stay_away() -> None:
    found = read_pages([4, 7], lambda number: b"", Reader(2), Event())
    assert list(found) == [4]
    heading, beside = found[4]
    assert heading == ScannedLine("二、乙", 0.1, 0.05, 0.2, 0.07, sure=True)
    assert (beside.text, beside.left, beside.right, beside.sure) == ("左  右", 0.1, 0.35, False)


def test_an_interrupted_reading_asks_for_no_further_page() -> None:
    stop, reader = Event(), Reader()
    stop.set()
    with pytest.raises(ImportRefused):
        read_pages([1, 2, 3], lambda number: b"", reader, stop)
    assert reader.seen == 1


def test_read_pages_join_the_others_and_are_doubted() -> None:
    scanned = {
        2: [
            row("二、乙", 0.1, high=22 / 0.8 / 841.89),
            row("点【保存】。", 0.15),
            row("再送审。", 0.2),
        ]
    }
    scanned[2][2] = replace(scanned[2][2], sure=False)
    guide = read_bytes(mixed(), "手册.pdf", LIMITS, aid=Aid(scanned))
    assert isinstance(guide, Guide)
    assert [line for line in tree(guide) if "图" not in line] == [
        "# 一、甲", "  这里是正文的一句话。", "# 二、乙", "  点【保存】。", "  再送审。",
    ]  # fmt: skip
    assert guide.sections[1].page == 2
    doubts = {(each.code, each.page): each.detail for each in guide.warnings}
    assert doubts[WarningCode.READ_FROM_PICTURE, 2] == "3 lines, 1 unsure"
    assert (WarningCode.PAGE_WITHOUT_TEXT, 2) not in doubts
    assert (WarningCode.PAGE_WITHOUT_TEXT, 3) in doubts


def test_boxes_that_hardly_differ_are_one_size_of_type() -> None:
    rows = [row("甲", 0.1, high=0.010), row("乙", 0.2, high=0.011), row("丙", 0.3, high=0.02)]
    first, second, third = placed_lines(rows, 600, 800, 3)
    assert first.size == second.size < third.size
    assert (first.left, first.right, first.top, first.page) == (90, 300, 80, 3)


@given(
    st.text(),
    st.tuples(*[st.floats(0, 1)] * 4),
    st.booleans(),
)
def test_a_row_crosses_the_pipe(text: str, box: tuple[float, ...], sure: bool) -> None:
    line = ScannedLine(text, *box, sure=sure)
    assert ScannedLine.from_json(line.to_json()) == line


def test_replies_about_pages_are_checked() -> None:
    head, images = encode({"page": b"picture"})
    found = dict(zip(image_sizes(head), images, strict=True))
    assert decode_pictures(head, found) == {"page": b"picture"}
    assert decode_scanned(encode([1, 3])[0], 2) == [1, 3]
    for reply in (
        b"[]",
        b"{}",
        b'{"scanned": [0]}',
        b'{"scanned": ["1"]}',
        b'{"scanned": [1,2,3]}',
    ):
        with pytest.raises(MalformedReply):
            decode_scanned(reply, 2)
    with pytest.raises(MalformedReply):
        decode_pictures(b"[]", {})
    refusal = encode(ImportRefused(RefusalReason.PASSWORD))[0]
    with pytest.raises(ImportRefused):
        decode_scanned(refusal, 2)


def scan_of_a_sample(folder: Path) -> Path:
    """A page of a shipped guide as a scanner makes it."""
    document = pdfium.PdfDocument(next(GUIDES.glob("03-*.pdf")))
    drawn = document[3].render(scale=2.2).to_pil().convert("L")
    document.close()
    path = folder / "扫描件.pdf"
    drawn.save(path, "PDF", resolution=158)
    return path


def test_a_scan_without_any_text_is_read(tmp_path: Path) -> None:
    need(IsolatedTextReader.is_installed(), "RapidOCR")
    with IsolatedImporter(LIMITS) as importer:
        guide = importer.read(scan_of_a_sample(tmp_path))
    assert isinstance(guide, Guide)
    found = "".join(headings(guide)).replace(" ", "")
    assert "第2章" in found
    assert "2.1安装前检查" in found
    assert [each.code for each in guide.warnings if each.page == 1] == [
        WarningCode.READ_FROM_PICTURE
    ]


def test_a_deployment_may_read_no_pictures(tmp_path: Path) -> None:
    with (
        IsolatedImporter(replace(LIMITS, scanned_pages=0)) as importer,
        pytest.raises(ImportRefused) as refused,
    ):
        importer.read(scan_of_a_sample(tmp_path))
    assert refused.value.reason is RefusalReason.NO_TEXT
