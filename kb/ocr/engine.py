"""RapidOCR as we use it: pictures of screens, upright, Chinese and Latin, on the processor.

Runs in the worker process only. The models are in the package; nothing is ever fetched.
"""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError
from rapidocr import RapidOCR
from rapidocr.utils.output import RapidOCROutput

from kb.errors import PictureUnread, UnreadReason
from kb.ocr.lines import Line, Recognition

#: The engine shrinks what is longer than 2,000 pixels; a long phone screenshot would become
#: illegible. It is cut into pieces of at most this height instead, between lines of text.
PIECE_HEIGHT = 1_800
#: How far above the wanted cut an empty row of pixels is looked for.
_SEARCH = 200
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
_LEAST_CONFIDENCE = 0.5


class Engine:
    """The loaded models. Loading takes about a second and 200 MB."""

    def __init__(self, threads: int) -> None:
        self._ocr = RapidOCR(
            params={
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                # Screens are upright: looking for lines on their heads costs time and errs.
                "Global.use_cls": False,
                "Global.text_score": _LEAST_CONFIDENCE,
                "Global.log_level": "critical",
            }
        )

    def read(self, image: bytes, *, pixels: int) -> Recognition:
        """All lines of a picture with at most so many pixels. Raises :class:`PictureUnread`."""
        upright = decode(image, pixels=pixels)
        lines: list[Line] = []
        for top, bottom in pieces(upright):
            lines += self._lines(np.ascontiguousarray(upright[top:bottom]), top)
        height, width = upright.shape[:2]
        return Recognition(width, height, tuple(lines))

    def _lines(self, piece: NDArray[np.uint8], top: int) -> list[Line]:
        found = self._ocr(piece)
        if not isinstance(found, RapidOCROutput):
            return []
        if found.boxes is None or found.txts is None or found.scores is None:
            return []
        return [
            _line(box, str(text), float(score), top)
            for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
            if text.strip()
        ]


def decode(image: bytes, *, pixels: int) -> NDArray[np.uint8]:
    """A picture as the camera meant it: height × width × 3 in the order blue, green, red."""
    try:
        with Pillow.open(BytesIO(image), formats=_FORMATS) as opened:
            if opened.width * opened.height > pixels:
                raise PictureUnread(UnreadReason.TOO_LARGE, f"{opened.width}x{opened.height}")
            upright = ImageOps.exif_transpose(opened).convert("RGBA")
    except Pillow.DecompressionBombError as error:
        raise PictureUnread(UnreadReason.TOO_LARGE) from error
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError) as error:
        raise PictureUnread(UnreadReason.BROKEN, type(error).__name__) from error
    paper = Pillow.new("RGBA", upright.size, "white")
    paper.alpha_composite(upright)
    return np.asarray(paper.convert("RGB"), dtype=np.uint8)[:, :, ::-1]


def pieces(picture: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """From which row to which; cut where rows of pixels are most alike, so through no line."""
    height, width = picture.shape[:2]
    if height <= max(PIECE_HEIGHT, 2 * width):
        return [(0, height)]
    cuts = [0]
    while height - cuts[-1] > PIECE_HEIGHT:
        wanted = cuts[-1] + PIECE_HEIGHT
        unrest = picture[wanted - _SEARCH : wanted].std(axis=1).sum(axis=1)
        # The lowest of equally quiet rows: pieces become as high as they may.
        quietest = len(unrest) - 1 - int(np.argmin(unrest[::-1]))
        cuts.append(wanted - _SEARCH + quietest)
    return list(zip(cuts, [*cuts[1:], height], strict=True))


def _line(box: NDArray[np.float32], text: str, score: float, top: int) -> Line:
    left, upper = (int(value) for value in box.min(axis=0))
    right, lower = (int(value) for value in box.max(axis=0))
    return Line(text, round(score, 4), left, top + upper, right, top + lower)
