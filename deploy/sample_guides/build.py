"""Builds the sample operation guides into ``data/guides`` from the Markdown sources beside it.

    python deploy/sample_guides/build.py                 build every guide
    python deploy/sample_guides/build.py 01 08           only those whose source begins so
    python deploy/sample_guides/build.py --list          count sections, figures and tables

Responsible for choosing the renderer and writing files whole; it refuses a file that grew past its
limit. Running it twice on one machine gives the same bytes, but for node numbers inside a PDF.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from docx_guide import render_docx  # noqa: E402
from guide_source import Figure, Heading, Source, Table, read_source, walk  # noqa: E402
from markdown_guide import render_markdown, render_markdown_zip  # noqa: E402
from screens import ScreenStudio  # noqa: E402
from sheet_guide import render_xlsx  # noqa: E402
from slides_guide import render_pptx  # noqa: E402
from web_guide import render_html, render_pdf  # noqa: E402

LARGEST_BYTES = 1_200_000
RENDERERS: dict[str, Callable[[Source, ScreenStudio], bytes]] = {
    "docx": render_docx,
    "pdf": render_pdf,
    "html": render_html,
    "md": render_markdown,
    "md.zip": render_markdown_zip,
    "xlsx": render_xlsx,
    "pptx": render_pptx,
}


def main(arguments: list[str] | None = None) -> int:
    """Command line; exit status 0 when every chosen guide was written."""
    parser = argparse.ArgumentParser(description="Build the sample operation guides.")
    parser.add_argument("which", nargs="*", help="beginnings of source names, e.g. 01")
    parser.add_argument("--output", type=Path, default=HERE.parents[1] / "data" / "guides")
    parser.add_argument("--cache", type=Path, default=HERE / ".cache")
    parser.add_argument("--list", action="store_true", help="count only, write nothing")
    options = parser.parse_args(arguments)
    sources = [
        read_source(path)
        for path in sorted((HERE / "sources").glob("*.md"))
        if not options.which or path.name.startswith(tuple(options.which))
    ]
    if not sources:
        parser.error("no source begins so")
    options.output.mkdir(parents=True, exist_ok=True)
    studio = ScreenStudio(options.cache)
    for source in sources:
        if not options.list:
            write(source, studio, options.output)
        print("\t".join(str(value) for value in counts(source, options.output)))
    return 0


def write(source: Source, studio: ScreenStudio, output: Path) -> None:
    """Render ``source`` and put it in ``output`` in one move."""
    data = RENDERERS[source.text("format")](source, studio)
    if len(data) > LARGEST_BYTES:
        raise SystemExit(f"{source.path.name}: {len(data)} bytes is too large")
    target = output / source.text("file")
    partial = target.with_name(target.name + ".part")
    partial.write_bytes(data)
    partial.replace(target)


def counts(source: Source, output: Path) -> tuple[str, int, int, int, int]:
    """File name, sections, figures, tables and bytes (0 when not built)."""
    blocks = list(walk(source.blocks))
    target = output / source.text("file")
    return (
        source.text("file"),
        sum(isinstance(block, Heading) for block in blocks),
        sum(isinstance(block, Figure) for block in blocks),
        sum(isinstance(block, Table) for block in blocks),
        target.stat().st_size if target.exists() else 0,
    )


if __name__ == "__main__":
    raise SystemExit(main())
