"""Pages of a PDF that are pictures: which they are, what they look like, and their lines once read.

Nothing is recognised here; the lines come from outside.
"""

from collections.abc import Sequence
from io import BytesIO
from statistics import median

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from kb.errors import ImportRefused, RefusalReason
from kb.importer.characters import fold_glyphs, tidy
from kb.importer.pdf.page import TextLine
from kb.importer.scans import ScannedLine

_LEAST_SHARE = 0.25  # of the page, covered by pictures
_LONGER_SIDE = 2_000  # pixels; the text reader shrinks what is larger
_LEAST_LETTERS = 5  # a stamped page number makes no page of text
_BOX_TO_TYPE = 0.8  # a recognised box has some air above and below the type
_SAME_SIZE = 0.25  # boxes differ that much with the letters in them


def scanned_pages(document: pdfium.PdfDocument) -> list[int]:
    """Numbers of the pages that hold a picture and next to no text, from 1."""
    found = []
    for index in range(len(document)):
        page = document[index]
        text = page.get_textpage()
        letters = len("".join(text.get_text_bounded().split()))
        if letters < _LEAST_LETTERS and _covered(page) >= _LEAST_SHARE:
            found.append(index + 1)
        text.close()
        page.close()
    return found


def render_page(document: pdfium.PdfDocument, number: int) -> bytes:
    """A page as a PNG picture, as a person sees it.

    Raises:
        ImportRefused: corrupt, when there is no such page.
    """
    if not 0 < number <= len(document):
        raise ImportRefused(RefusalReason.CORRUPT, f"no page {number}")
    page = document[number - 1]
    picture = page.render(scale=_LONGER_SIDE / max(*page.get_size(), 1.0), grayscale=True)
    buffer = BytesIO()
    picture.to_pil().save(buffer, "PNG", compress_level=1)
    page.close()
    return buffer.getvalue()


def placed_lines(
    rows: Sequence[ScannedLine], width: float, height: float, page: int
) -> list[TextLine]:
    """Recognised rows as lines of the page; sizes that hardly differ are one size."""
    sizes = [(row.bottom - row.top) * height * _BOX_TO_TYPE for row in rows]
    usual = median(sizes) if sizes else 0.0
    lines = (
        TextLine(
            text=tidy(fold_glyphs(row.text)),
            left=row.left * width,
            right=row.right * width,
            top=row.top * height,
            bottom=row.bottom * height,
            size=usual if abs(size - usual) <= usual * _SAME_SIZE else size,
            bold=False,
            page=page,
        )
        for row, size in zip(rows, sizes, strict=True)
    )
    return [line for line in lines if line.text]


def _covered(page: pdfium.PdfPage) -> float:
    """The largest part of the page that one picture covers."""
    wide, high = page.get_size()
    largest = 0.0
    for item in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=6):
        left, bottom, right, top = item.get_bounds()
        largest = max(largest, (right - left) * (top - bottom))
    return float(largest / max(wide * high, 1.0))
