"""A reader of pictures that knows what is on them, and pictures that differ."""

import threading
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image

from kb.errors import PictureUnread
from kb.ocr import Line, Recognition


def png(shade: int = 0, size: tuple[int, int] = (320, 200)) -> bytes:
    """A one-coloured picture; `shade` tells pictures apart."""
    buffer = BytesIO()
    Image.new("RGB", size, (shade, 90, 160)).save(buffer, "PNG")
    return buffer.getvalue()


def screen(*texts: str, height: int = 20) -> Recognition:
    """Lines one below the other, far enough apart to be lines of their own."""
    lines = tuple(
        Line(text, 0.95, 40, 40 + 3 * height * n, 40 + 20 * len(text), 40 + height + 3 * height * n)
        for n, text in enumerate(texts)
    )
    return Recognition(1_920, 1_080, lines)


@dataclass
class KnownPictures:
    """Says what it was told about a picture; a failure is raised; nothing is known of others."""

    known: dict[bytes, Recognition | PictureUnread] = field(default_factory=dict)
    #: Set to let readings finish.
    go_on: threading.Event = field(default_factory=threading.Event)
    read_count: int = 0
    interrupted: bool = False

    def __post_init__(self) -> None:
        self.go_on.set()

    def read(self, image: bytes) -> Recognition:
        self.read_count += 1
        self.go_on.wait(30)
        result = self.known.get(image, screen())
        if isinstance(result, PictureUnread):
            raise result
        return result

    def rest(self, after_s: float) -> bool:
        return False

    def interrupt(self) -> None:
        self.interrupted = True
        self.go_on.set()

    def close(self) -> None:
        self.go_on.set()
