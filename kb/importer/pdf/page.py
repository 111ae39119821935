"""What stands on one PDF page: lines with their place and type, pictures, ruled tables.

pdfium (as in Chrome) reads characters and pictures; pdfplumber is asked only for pages with ruled
lines, since it alone finds tables but takes ten times as long.
"""

import ctypes
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from kb.importer.characters import fold_glyphs, tidy
from kb.importer.intake import Intake
from kb.importer.labels import read_label
from kb.sections import Image, WarningCode

_BOLD_WEIGHT = 600
_BOLD_NAMES = ("bold", "hei", "黑", "heavy", "black")
_LEAST_PICTURE_POINTS = 18.0
_BACKGROUND_SHARE = 0.9
_DEEPEST_FORM = 6
_WORD_GAP = 1.6  # of the font size; the half-empty box of a Chinese comma is part of it
_HAN = re.compile("[\u3000-\u9fff\uff00-\uffef]{2}")


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line; coordinates in points from the top left corner."""

    text: str
    left: float
    right: float
    top: float
    bottom: float
    size: float
    bold: bool
    page: int


@dataclass(frozen=True, slots=True)
class PlacedImage:
    """A picture and its upper and lower edge."""

    image: Image
    top: float
    bottom: float
    page: int


@dataclass(slots=True)
class _Run:
    """Characters of a line in the making."""

    chars: list[str] = field(default_factory=list)
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    box_at: dict[int, tuple[float, float, float, float]] = field(default_factory=dict)
    sizes: Counter[float] = field(default_factory=Counter)
    bold: int = 0
    solid: int = 0


class PageReader:
    """Reads one page of an open document."""

    def __init__(self, page: pdfium.PdfPage, number: int) -> None:
        self._page = page
        self._number = number
        self.width, self.height = page.get_size()

    def lines(self) -> list[TextLine]:
        """Lines in reading order: down the page, unless the page has columns."""
        found = [line for line in self._runs() if line is not None]
        return found if _has_columns(found) else sorted(found, key=lambda line: line.top)

    def pictures(self, intake: Intake) -> Iterator[PlacedImage]:
        """Pictures large enough to show something and smaller than the page."""
        for item in self._page.get_objects(
            filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=_DEEPEST_FORM
        ):
            left, bottom, right, top = item.get_bounds()
            wide, high = right - left, top - bottom
            if max(wide, high) < _LEAST_PICTURE_POINTS:
                continue
            if wide * high >= self.width * self.height * _BACKGROUND_SHARE:
                continue
            image = self._extract(item, intake)
            if image is not None:
                yield PlacedImage(image, self.height - top, self.height - bottom, self._number)

    def has_rules(self, least: int) -> bool:
        """Whether enough strokes are drawn for a table."""
        strokes = 0
        for path in self._page.get_objects(
            filter=[pdfium_c.FPDF_PAGEOBJ_PATH], max_depth=_DEEPEST_FORM
        ):
            strokes += max(pdfium_c.FPDFPath_CountSegments(path.raw), 0)
            if strokes >= least:
                return True
        return False

    def _extract(self, item: pdfium.PdfImage, intake: Intake) -> Image | None:
        wide, high = item.get_px_size()
        name = f"page{self._number}"
        if wide * high > intake.limits.image_pixels:
            intake.note(WarningCode.IMAGE_TOO_LARGE, name, page=self._number)
            return None
        try:
            data = _image_bytes(item)
        except (pdfium.PdfiumError, OSError, ValueError):
            intake.note(WarningCode.UNREADABLE_IMAGE, name, page=self._number)
            return None
        return intake.picture(data, name, page=self._number)

    def _runs(self) -> Iterator[TextLine | None]:
        page = self._page.get_textpage()
        fonts = _Fonts()
        run = _Run()
        for index in range(page.count_chars()):
            code = pdfium_c.FPDFText_GetUnicode(page, index)
            if code in {10, 13}:
                yield self._line(run)
                run = _Run()
            elif 0 < code < 0x110000 and not 0xD800 <= code < 0xE000:
                _add(run, page, index, chr(code), fonts)
        yield self._line(run)
        page.close()

    def _line(self, run: _Run) -> TextLine | None:
        text = _with_spaced_label(tidy("".join(_without_justification(run))))
        if not text or not run.boxes:
            return None
        lefts, rights, bottoms, tops = zip(*run.boxes, strict=True)
        return TextLine(
            text=text,
            left=min(lefts),
            right=max(rights),
            top=self.height - max(tops),
            bottom=self.height - min(bottoms),
            size=run.sizes.most_common(1)[0][0],
            bold=run.bold > run.solid / 2,
            page=self._number,
        )


class _Fonts:
    """Whether a character's font is a bold one, asked once per font."""

    def __init__(self) -> None:
        self._buffer = ctypes.create_string_buffer(128)
        self._flags = ctypes.c_int()
        self._known: dict[bytes, bool] = {}

    def is_bold(self, page: pdfium.PdfTextPage, index: int) -> bool:
        pdfium_c.FPDFText_GetFontInfo(page, index, self._buffer, 128, self._flags)
        raw = self._buffer.value
        if raw not in self._known:
            name = raw.decode("utf-8", "ignore") + raw.decode("gb18030", "ignore")
            self._known[raw] = any(word in name.lower() for word in _BOLD_NAMES)
        return self._known[raw] or pdfium_c.FPDFText_GetFontWeight(page, index) >= _BOLD_WEIGHT


def _add(run: _Run, page: pdfium.PdfTextPage, index: int, char: str, fonts: _Fonts) -> None:
    run.chars.append(char)
    if char.isspace() or pdfium_c.FPDFText_IsGenerated(page, index):
        return
    edges = [ctypes.c_double() for _ in range(4)]
    pdfium_c.FPDFText_GetCharBox(page, index, *edges)
    left, right, bottom, top = (edge.value for edge in edges)
    run.boxes.append((left, right, bottom, top))
    run.box_at[len(run.chars) - 1] = run.boxes[-1]
    run.sizes[round(_font_size(page, index, top - bottom) * 2) / 2] += 1
    run.solid += 1
    run.bold += fonts.is_bold(page, index)


def _without_justification(run: _Run) -> Iterator[str]:
    """The characters without blanks between Chinese ones that only stretch the line."""
    size = run.sizes.most_common(1)[0][0] if run.sizes else 0.0
    last = len(run.chars) - 1
    for at, char in enumerate(run.chars):
        if char == " " and 0 < at < last and _HAN.match(run.chars[at - 1] + run.chars[at + 1]):
            left, right = run.box_at.get(at - 1), run.box_at.get(at + 1)
            if left and right and right[0] - left[1] < size * _WORD_GAP:
                continue
        yield char


def _with_spaced_label(text: str) -> str:
    """`第一章 总则`: the one blank between Chinese characters that means something."""
    label = read_label(text)
    if label is None or label.text[-1] not in "章节篇编" or not label.rest:
        return text
    return f"{label.text} {label.rest}"


def _font_size(page: pdfium.PdfTextPage, index: int, height: float) -> float:
    """The nominal size; files that scale a 1-point font are measured by the glyph instead."""
    size = float(pdfium_c.FPDFText_GetFontSize(page, index))
    if size > 2.0:
        return size
    matrix = pdfium_c.FS_MATRIX()
    if pdfium_c.FPDFText_GetMatrix(page, index, matrix):
        return size * max(abs(float(matrix.d)), abs(float(matrix.b)))
    return height


def _image_bytes(item: pdfium.PdfImage) -> bytes:
    """The embedded JPEG as it is, anything else as PNG."""
    if item.get_filters(skip_simple=True) == ["DCTDecode"]:
        data = bytes(item.get_data(decode_simple=True))
        if data.startswith(b"\xff\xd8\xff") and not _is_cmyk(data):
            return data
    buffer = BytesIO()
    item.get_bitmap(render=False).to_pil().save(buffer, "PNG")
    return buffer.getvalue()


def _is_cmyk(jpeg: bytes) -> bool:
    """Four components in the frame header; browsers show such files in false colours."""
    at = 2
    while at + 9 < len(jpeg) and jpeg[at] == 0xFF:
        marker, size = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if marker in {0xC0, 0xC1, 0xC2}:
            return jpeg[at + 9] == 4
        at += 2 + size
    return False


def _has_columns(lines: Sequence[TextLine]) -> bool:
    """Many lines stand beside another one."""
    beside = 0
    for above, below in pairwise(lines):
        overlap = min(above.bottom, below.bottom) - max(above.top, below.top)
        apart = below.left > above.right or above.left > below.right
        far = abs(below.top - above.top) > 3 * (above.bottom - above.top)
        beside += (overlap > 0 and apart) or (below.top < above.top and far)
    return beside > len(lines) * 0.2


def clean(text: str | None) -> str:
    """A table cell's text with glyphs folded, line ends kept."""
    return fold_glyphs(text or "").strip()
