"""What reading screenshots costs, and what it costs others: `python -m bench ocr [HOME]`.

Draws screens of 1920 × 1080 from the sample guides' templates with Chromium, reads each with the
product's own reader, and, where HOME (default `var`) has an index, measures search alone and while
pictures are read without a pause. Skips without Chromium or RapidOCR.
"""

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

from kb.errors import IndexMismatch, IndexMissing
from kb.importer import import_file
from kb.index_holder import IndexHolder
from kb.ocr import IsolatedTextReader, OcrLimits
from kb.retriever import Retriever
from kb.sections import FaqTable
from kb.settings import KnowledgeSettings
from tests.browser.widget_harness.chromium import ARGUMENTS, executable

ROOT = Path(__file__).parents[1]
SCREENS = ("zf-balance-error", "zf-entry", "pj-red-error", "hs-auto-fail", "ca-mismatch", "gz-fail")
WIDTH, HEIGHT = 1920, 1080
ROUNDS = 5
QUERIES = 300


def draw() -> list[bytes]:
    """The screens as PNG."""
    sys.path.insert(0, str(ROOT / "deploy" / "sample_guides"))
    import screens  # type: ignore[import-not-found]  # noqa: PLC0415  # beside its templates

    with tempfile.TemporaryDirectory() as cache, sync_playwright() as playwright:
        templates = screens.ScreenStudio(Path(cache))._templates  # noqa: SLF001  # as it draws
        browser = playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        drawn = []
        for name in SCREENS:
            page.set_content(templates.get_template(f"{name}.html").render())
            drawn.append(page.screenshot())
        browser.close()
    return drawn


def milliseconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def spread(times: Sequence[float]) -> str:
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return f"p50 {cuts[49]:.1f} ms   p95 {cuts[94]:.1f} ms   max {max(times):.1f} ms"


def measure(reader: IsolatedTextReader, pictures: Sequence[bytes], threads: int) -> None:
    """Every picture several times; the process is warm."""
    began = milliseconds(lambda: reader.read(pictures[0]))
    (worker,) = (
        one for one in psutil.Process().children() if "kb.ocr.worker" in " ".join(one.cmdline())
    )
    used = worker.cpu_times()
    times = [milliseconds(lambda p=picture: reader.read(p)) for picture in pictures * ROUNDS]  # type: ignore[misc]
    now = worker.cpu_times()
    processor = (now.user + now.system - used.user - used.system) / len(times)
    memory = worker.memory_info().rss / 1024**2
    print(f"reading, {threads} thread(s), {len(times)} pictures of {WIDTH} x {HEIGHT}")
    print(f"  first, with loading {began:.0f} ms; then {spread(times)}")
    print(f"  processor {processor * 1000:.0f} ms a picture; the process keeps {memory:.0f} MB")


def beside(home: Path, reader: IsolatedTextReader, pictures: Sequence[bytes]) -> None:
    """Search alone, and while the reader has always a picture in hand."""
    try:
        retriever = Retriever(IndexHolder(home, KnowledgeSettings()))
        retriever.search("试一下")
    except (IndexMissing, IndexMismatch):
        print(f"  search beside it: skipped, no index in {home}")
        return
    questions = []
    for path in sorted((ROOT / "data" / "faq").glob("*.csv")):
        table = import_file(path)
        assert isinstance(table, FaqTable)
        questions += [entry.question for entry in table.entries]
    questions = (questions * QUERIES)[:QUERIES]
    alone = [milliseconds(lambda q=q: retriever.search(q)) for q in questions]  # type: ignore[misc]
    ended = threading.Event()

    def read_on() -> None:
        while not ended.is_set():
            for picture in pictures:
                reader.read(picture)
                if ended.is_set():
                    return

    reading = threading.Thread(target=read_on)
    reading.start()
    meanwhile = [milliseconds(lambda q=q: retriever.search(q)) for q in questions]  # type: ignore[misc]
    ended.set()
    reading.join()
    print(f"  search alone       {spread(alone)}")
    print(f"  search meanwhile   {spread(meanwhile)}")


def main(arguments: Sequence[str] = ()) -> None:
    """One thread, as deployed, and two."""
    if not IsolatedTextReader.is_installed() or executable() is None:
        print("skipped: needs RapidOCR and Chromium")
        return
    home = Path(arguments[0]) if arguments else ROOT / "var"
    pictures = draw()
    for threads in (1, 2):
        with IsolatedTextReader(OcrLimits(threads=threads, seconds=120)) as reader:
            measure(reader, pictures, threads)
            beside(home, reader, pictures)


if __name__ == "__main__":
    main(sys.argv[1:])
