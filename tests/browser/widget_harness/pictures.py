"""Drawn pictures that stand for screenshots."""

import io

from PIL import Image, ImageDraw


def picture(name: str) -> bytes:
    """A PNG; a name beginning with ``1c`` is a small icon, any other a screen."""
    icon = name.startswith("1c")
    image = Image.new("RGB", (48, 48) if icon else (1200, 640), "#ffffff")
    draw = ImageDraw.Draw(image)
    if icon:
        draw.rounded_rectangle((4, 4, 44, 44), 8, fill="#1b5fae")
        draw.line((14, 24, 34, 24), fill="white", width=5)
    else:
        draw.rectangle((0, 0, 1200, 64), fill="#2b5a93")
        draw.rectangle((0, 64, 200, 640), fill="#eef3f9")
        for row in range(8):
            top = 120 + row * 60
            draw.rectangle((230, top, 1170, top + 40), outline="#d9e0e8", width=2)
        draw.rounded_rectangle((1040, 84, 1160, 112), 6, fill="#c0392b")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
