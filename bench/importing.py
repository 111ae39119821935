"""Import: speed on a made-up guide, and the trees of real guides: `python -m bench importing`.

Measures (1) a Word guide of 60 pages with 150 screenshots, read in the isolated process and stored
with its pictures, (2) the sample guides, (3) if present, the real guides in `../shared/kb/guides`
(or $CAIWEN_SHARED): counts only are printed; their trees go to files in a folder of the temporary
directory, for a person to judge. The texts of real guides stay out of the repository.
"""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import docx
from PIL import Image as Pillow
from PIL import ImageDraw

from bench.faq import DATA, SHARED
from bot import schema  # noqa: F401 - every table that a guide's row may point to
from kb.errors import ImportRefused
from kb.importer import IsolatedImporter, Outcome, import_batch, import_file
from kb.sections import FaqTable, Guide, Table
from kb.service import store_guide
from store.base import Base
from store.session import Database
from tests.kb.importer.trees import written

PAGES = 60
PICTURES = 150
RUNS = 3
_PARAGRAPHS_A_PAGE = 18
_WINDOW = (1280, 720)


def main(_arguments: Sequence[str] = ()) -> None:
    """Run every part that has its data."""
    with tempfile.TemporaryDirectory() as folder:
        _speed(Path(folder))
    _show("sample guides", sorted((DATA / "guides").iterdir()))
    real = SHARED / "kb" / "guides"
    if not real.is_dir():
        print(f"\nskipped: no guides in {real}")
        return
    outcomes = _show(
        "real guides", [path for path in sorted(real.iterdir()) if path.suffix != ".tsv"]
    )
    print(f"trees to be judged: {_keep(outcomes)}")


def _speed(folder: Path) -> None:
    path = folder / "guide.docx"
    path.write_bytes(made_up())
    print(
        f"made-up guide: {PAGES} pages, {PICTURES} pictures, {path.stat().st_size / 2**20:.1f} MiB"
    )
    print("run | start s | read s | pages/s | store s | all s")
    for run in range(1, RUNS + 1):
        began = time.perf_counter()
        with IsolatedImporter() as importer:
            small = folder / "small.md"
            small.write_text("# 1\n2\n", encoding="utf-8")
            importer.read(small)
            started = time.perf_counter()
            guide = importer.read(path)
            read = time.perf_counter()
        assert isinstance(guide, Guide)
        assert len(guide.images) == PICTURES
        asyncio.run(_store(guide, folder / str(run)))
        done = time.perf_counter()
        figures = (started - began, read - started, PAGES / (read - started), done - read)
        print(f"{run} | " + " | ".join(f"{one:.2f}" for one in (*figures, done - began)))


async def _store(guide: Guide, folder: Path) -> None:
    folder.mkdir()
    database = Database(f"sqlite:///{folder / 'bench.db'}")
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with database.transaction() as session:
        await store_guide(
            session,
            guide,
            source_name="guide.docx",
            publish=True,
            now=datetime.now(UTC),
            media_dir=folder / "media",
        )
    await database.dispose()


def made_up() -> bytes:
    """A guide as Word writes it; its sentences are those of the sample guides."""
    sentences = _sentences()
    document = docx.Document()
    for page in range(PAGES):
        document.add_heading(
            f"{page // 6 + 1}. {next(sentences)[:12]}", 1
        ) if page % 6 == 0 else None
        document.add_heading(f"{page // 6 + 1}.{page % 6 + 1} {next(sentences)[:12]}", 2)
        for at in range(_PARAGRAPHS_A_PAGE):
            document.add_paragraph(next(sentences), style="List Number" if at % 3 else "Normal")
        first, last = page * PICTURES // PAGES, (page + 1) * PICTURES // PAGES
        for number in range(first, last):
            document.add_picture(BytesIO(screenshot(number)), width=docx.shared.Cm(15))
        document.add_page_break()
    buffer = BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def screenshot(number: int) -> bytes:
    """A window with a grid of cells, different in each."""
    window = Pillow.effect_noise(_WINDOW, 24).convert("RGB")
    draw = ImageDraw.Draw(window)
    for row in range(20):
        draw.rectangle((40, 40 + row * 32, 1240, 70 + row * 32), fill=(230, 235, 240))
        draw.text((60, 46 + row * 32), f"{number}-{row} " * 20, fill=(20, 30, 40))
    buffer = BytesIO()
    window.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def _sentences() -> Iterator[str]:
    """Sentences of the sample guides, again and again."""
    guide = import_file(next((DATA / "guides").glob("02-*")))
    assert isinstance(guide, Guide)
    lines = [line for line in written(guide).splitlines() if len(line.strip()) > 30]
    while True:
        yield from (line.strip() for line in lines)


def _show(name: str, paths: Iterable[Path]) -> list[Outcome]:
    print(f"\n{name}")
    print("file | kind | sections | pictures | tables | doubts | s")
    outcomes = list(import_batch(paths))
    for outcome in outcomes:
        label = outcome.path.name.partition("_")[0].partition("-")[0] + outcome.path.suffix
        print(f"{label} | {_counts(outcome)} | {outcome.seconds:.2f}")
    return outcomes


def _counts(outcome: Outcome) -> str:
    match outcome.result:
        case Guide() as guide:
            blocks = [block for _, section in guide.walk() for block in section.blocks]
            tables = sum(isinstance(block, Table) for block in blocks)
            sections = sum(1 for _ in guide.walk())
            counts = f"{guide.fmt} | {sections} | {len(guide.images)} | {tables}"
        case FaqTable() as table:
            counts = f"{table.fmt} | {len(table.entries)} entries | {len(table.images)} | –"
        case None:
            return f"refused: {_reason(outcome.refusal)} | – | – | – | –"
    doubts = Counter(notice.code.value for notice in outcome.result.warnings)
    said = ", ".join(f"{code} {count}" for code, count in sorted(doubts.items()))
    return f"{counts} | {said or '–'}"


def _reason(refusal: ImportRefused | None) -> str:
    return refusal.reason.value if refusal is not None else "?"


def _keep(outcomes: Sequence[Outcome]) -> Path:
    """Write the trees beside one another outside of the repository."""
    folder = Path(tempfile.mkdtemp(prefix="caiwen-trees-"))
    for outcome in outcomes:
        if outcome.result is not None:
            target = folder / f"{outcome.path.stem}.txt"
            target.write_text(written(outcome.result), encoding="utf-8")
    return folder


if __name__ == "__main__":
    main()
