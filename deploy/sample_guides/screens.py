"""Draws the guides' screens: Jinja templates rendered by headless Chromium, stored as small PNG.

Every screen is a file ``screens/<name>.html`` built from the macros in ``_kit.html``; a comment
such as ``{# 1100x620 #}`` sets the window's size. Pictures are cached by the content of template
and kit, so that only changed screens are drawn again. Nothing here invents words: they are all
in the templates, with invented units and accounts only.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image, ImageChops

HERE = Path(__file__).resolve().parent
TEMPLATES = HERE / "screens"
SIZE = re.compile(r"\{#\s*(\d+)x(\d+)\s*#\}")
DEFAULT_SIZE = (1100, 540)
LARGEST_BYTES = 60_000
FOOT_PIXELS = 22
COLOURS = (128, 96, 64, 48, 32)


class ScreenError(RuntimeError):
    """A screen that is missing, too large, or that Chromium did not draw."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A finished picture: PNG bytes and its size in pixels."""

    name: str
    png: bytes
    width: int
    height: int


def chromium() -> str:
    """The browser's program; ``CHROMIUM`` in the environment overrides the search."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        raise ScreenError("no Chromium on this machine; set CHROMIUM to its path")
    return found


def run_chromium(*arguments: str) -> None:
    """One headless run with a throw-away profile; raises ScreenError when it fails."""
    with tempfile.TemporaryDirectory() as profile:
        command = [
            chromium(),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-extensions",
            "--no-first-run",
            "--force-device-scale-factor=1",
            "--font-render-hinting=none",
            "--lang=zh-CN",
            f"--user-data-dir={profile}",
            *arguments,
        ]
        done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    if done.returncode:
        raise ScreenError(done.stderr.decode(errors="replace")[-500:])


class ScreenStudio:
    """Gives each screen's picture by name, drawing what the cache does not hold."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        cache.mkdir(parents=True, exist_ok=True)
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701  our own words with markup, no visitor's input
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["lab"] = label
        # Blocks of a child template do not see its parent's imports; a global is seen everywhere.
        self._templates.globals["k"] = self._templates.get_template("_kit.html").module
        kit = b"".join(path.read_bytes() for path in sorted(TEMPLATES.glob("_*.html")))
        self._kit = hashlib.sha256(kit).digest()

    @staticmethod
    def names() -> list[str]:
        """Every screen there is, in alphabetical order."""
        return sorted(p.stem for p in TEMPLATES.glob("*.html") if not p.stem.startswith("_"))

    def screen(self, name: str) -> Screen:
        """The picture of screen ``name``; raises ScreenError."""
        template = TEMPLATES / f"{name}.html"
        if not template.exists():
            raise ScreenError(f"no screen {name}")
        digest = hashlib.sha256(self._kit + template.read_bytes()).hexdigest()[:20]
        kept = self._cache / f"{name}-{digest}.png"
        if not kept.exists():
            kept.write_bytes(self._draw(name, template.read_text(encoding="utf-8")))
        png = kept.read_bytes()
        with Image.open(io.BytesIO(png)) as image:
            return Screen(name, png, image.width, image.height)

    def _draw(self, name: str, source: str) -> bytes:
        found = SIZE.search(source)
        width, height = (int(found[1]), int(found[2])) if found else DEFAULT_SIZE
        html = self._templates.get_template(f"{name}.html").render()
        with tempfile.TemporaryDirectory() as folder:
            page, shot = Path(folder, "page.html"), Path(folder, "shot.png")
            page.write_text(html, encoding="utf-8")
            run_chromium(
                f"--window-size={width},{height}", f"--screenshot={shot}", page.resolve().as_uri()
            )
            if not shot.exists():
                raise ScreenError(f"{name}: Chromium drew nothing")
            return _smallest(name, shot)


def label(text: str) -> str:
    """``#3`` in a label becomes the red numbered mark that the steps refer to."""
    return re.sub(r"#(\d)", r'<i class="mk">\1</i>', text)


def _without_empty_foot(image: Image.Image) -> Image.Image:
    """Cut the rows at the bottom that only repeat the last one, but for a small margin."""
    last = image.crop((0, image.height - 1, image.width, image.height))
    changed = ImageChops.difference(image, last.resize(image.size)).getbbox()
    foot = min(image.height, (changed[3] if changed else image.height) + FOOT_PIXELS)
    return image.crop((0, 0, image.width, foot))


def _smallest(name: str, shot: Path) -> bytes:
    with Image.open(shot) as opened:
        image = _without_empty_foot(opened.convert("RGB"))
    for colours in COLOURS:
        out = io.BytesIO()
        image.quantize(colours, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
            out, "PNG", optimize=True
        )
        if out.tell() <= LARGEST_BYTES:
            return out.getvalue()
    raise ScreenError(f"{name}: {out.tell()} bytes after optimising")
