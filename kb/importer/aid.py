"""What other programs did for the parser of one file, and what only they could do for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from PIL import Image as Pillow
from PIL import ImageChops

from kb.importer.scans import ScannedLine

_MOST_DRAWINGS = 100
_MARGIN = 8  # pixels
_MOST_PIXELS = 40_000_000
_MOST_DRAWING_BYTES = 5 * 1024 * 1024


@dataclass(slots=True)
class Aid:
    """`scanned` are lines of pages that are pictures, `drawings` a folder of drawn metafiles.

    A metafile that holds no bitmap, and is not in that folder as `SHA256.png`, is put into
    `undrawn` by its hash while the file is read, the first hundred of them.
    """

    scanned: Mapping[int, Sequence[ScannedLine]] = field(default_factory=dict)
    drawings: Path | None = None
    undrawn: dict[str, bytes] = field(default_factory=dict)

    def drawing(self, digest: str, metafile: bytes) -> bytes | None:
        """The picture that was drawn from a metafile, or None, and then it is asked for."""
        if self.drawings is not None:
            drawn = self.drawings / f"{digest}.png"
            if drawn.is_file():
                return without_margins(drawn.read_bytes())
        if len(self.undrawn) < _MOST_DRAWINGS and len(metafile) <= _MOST_DRAWING_BYTES:
            self.undrawn[digest] = metafile
        return None


def without_margins(drawn: bytes) -> bytes:
    """A drawing without the empty paper around it; a broken or huge one as it is."""
    try:
        with Pillow.open(BytesIO(drawn)) as opened:
            if opened.width * opened.height > _MOST_PIXELS:
                return drawn
            picture = opened.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError):
        return drawn
    paper = Pillow.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture)
    flat = paper.convert("RGB")
    box = ImageChops.invert(flat).getbbox()
    if box is None:
        return drawn
    left, top = max(box[0] - _MARGIN, 0), max(box[1] - _MARGIN, 0)
    right, bottom = min(box[2] + _MARGIN, flat.width), min(box[3] + _MARGIN, flat.height)
    buffer = BytesIO()
    flat.crop((left, top, right, bottom)).save(buffer, "PNG")
    return buffer.getvalue()
