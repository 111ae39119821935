"""Pictures with known words, in the font that Pillow carries, and pictures of shipped guides."""

import zipfile
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from bot.settings import data_dir

ERROR = "ORA-00942: table or view does not exist"


def screen(*lines: str, size: tuple[int, int] = (700, 300), kind: str = "PNG") -> bytes:
    """Dark words on white, one below the other."""
    picture = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=24)
    for number, line in enumerate(lines):
        pen.text((30, 30 + 60 * number), line, fill="black", font=font)
    buffer = BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def guide_picture(name_part: str, size_over: int = 5_000) -> bytes:
    """The first picture of a shipped guide that is more than an icon."""
    guide = next(Path(data_dir() / "guides").glob(f"*{name_part}*"))
    with zipfile.ZipFile(guide) as archive:
        for member in archive.infolist():
            if member.filename.endswith(".png") and member.file_size > size_over:
                return archive.read(member)
    raise AssertionError(name_part)
