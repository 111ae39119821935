"""The real engine in its own process: what it reads, and how it ends."""

import os
import signal
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image

from kb.errors import PictureUnread, UnreadReason
from kb.ocr import IsolatedTextReader, OcrLimits
from kb.ocr import isolation as process
from tests.conftest import need
from tests.kb.ocr.screens import ERROR, guide_picture, screen

LIMITS = OcrLimits(seconds=60)


@pytest.fixture(scope="module")
def reader() -> Iterator[IsolatedTextReader]:
    """One reading process for the tests that do not need another."""
    need(IsolatedTextReader.is_installed(), "RapidOCR")
    with IsolatedTextReader(LIMITS) as running:
        yield running


def refusal(reader: IsolatedTextReader, image: bytes) -> UnreadReason:
    with pytest.raises(PictureUnread) as unread:
        reader.read(image)
    return unread.value.reason


def test_an_error_is_read_with_its_place(reader: IsolatedTextReader) -> None:
    found = reader.read(screen("Batch 20260311", ERROR))
    assert [line.text.replace(" ", "") for line in found.lines] == [
        "Batch20260311",
        ERROR.replace(" ", ""),
    ]
    first, second = found.lines
    assert (found.width, found.height) == (700, 300)
    assert 20 <= first.left <= 40
    assert first.bottom <= second.top
    assert second.right <= 700
    assert min(first.confidence, second.confidence) > 0.8


def test_chinese_is_read(reader: IsolatedTextReader) -> None:
    text = reader.read(guide_picture("国库集中支付")).text()
    assert "国库集中支付" in text, text


def test_an_empty_picture_has_no_lines(reader: IsolatedTextReader) -> None:
    assert reader.read(screen()).lines == ()


def test_a_transparent_palette_picture_is_read(reader: IsolatedTextReader) -> None:
    words = Image.open(BytesIO(screen(ERROR))).convert("L")
    clear = Image.merge("RGBA", [Image.new("L", words.size)] * 3 + [words.point(lambda v: 255 - v)])
    buffer = BytesIO()
    clear.save(buffer, "WEBP", lossless=True)
    assert "ORA-00942" in reader.read(buffer.getvalue()).text()


@pytest.mark.parametrize("form", ["GIF", "WEBP", "BMP", "JPEG"])
def test_every_form_that_is_taken_is_read(reader: IsolatedTextReader, form: str) -> None:
    buffer = BytesIO()
    Image.open(BytesIO(screen(ERROR))).convert("RGB").save(buffer, form)
    assert "ORA-00942" in reader.read(buffer.getvalue()).text()


@pytest.mark.parametrize(
    "image", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n" + bytes(90), b"%PDF-1.7", screen(ERROR)[:900]]
)
def test_a_damaged_picture_is_refused_and_the_next_is_read(
    reader: IsolatedTextReader, image: bytes
) -> None:
    assert refusal(reader, image) is UnreadReason.BROKEN
    assert reader.read(screen(size=(60, 40))).lines == ()


def test_pixels_are_bounded(reader: IsolatedTextReader) -> None:
    buffer = BytesIO()
    Image.new("1", (7_000, 6_000)).save(buffer, "PNG")
    assert refusal(reader, buffer.getvalue()) is UnreadReason.TOO_LARGE


def test_bytes_are_bounded_without_starting_anything() -> None:
    reader = IsolatedTextReader(OcrLimits(image_bytes=10))
    assert refusal(reader, bytes(11)) is UnreadReason.TOO_LARGE
    assert not reader.rest(0)


def test_an_idle_process_is_let_go() -> None:
    need(IsolatedTextReader.is_installed(), "RapidOCR")
    with IsolatedTextReader(LIMITS) as reader:
        assert not reader.rest(0)
        assert refusal(reader, b"") is UnreadReason.BROKEN
        assert not reader.rest(3_600)
        assert reader.rest(0)
        assert reader._worker.process is None


def test_without_the_library_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process.importlib.util, "find_spec", lambda name: None)
    assert refusal(IsolatedTextReader(), screen()) is UnreadReason.ABSENT


def test_a_process_that_dies_or_hangs_costs_one_picture() -> None:
    need(IsolatedTextReader.is_installed(), "RapidOCR")
    # Larger than a pipe: neither side may wait for the other for ever.
    image = screen(size=(60, 40)) + bytes(200_000)
    with IsolatedTextReader(OcrLimits(seconds=3)) as reader:
        for blow in (signal.SIGSTOP, signal.SIGKILL):
            reader.read(image)
            running = reader._worker.process
            assert running is not None
            os.kill(running.pid, blow)
            if blow is signal.SIGSTOP:
                assert refusal(reader, image) is UnreadReason.TIMEOUT
            else:
                running.wait()
        assert reader.read(image).lines == ()
