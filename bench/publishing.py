"""From "publish" to "answerable" at 10,000 answers, and searches meanwhile.

``python -m bench publishing HOME`` takes a trained workspace for its model and weights,
multiplies its answers to the size wanted and publishes new ones one after another while another
thread searches: back to back, and at the pace of ``--every`` seconds. Quiet times before and after
each are what its searches are compared with; ``--laid`` answers are published beforehand.
"""

import argparse
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kb.articles import Corpus, IndexedAnswer
from kb.fresh_index import FreshIndex
from kb.index_holder import IndexHolder, indexes_dir, make_current, open_index, trained_model_dir
from kb.retriever import Retriever
from kb.search_index import Searchable, SearchIndex, Words
from kb.settings import KnowledgeSettings
from kb.units import search_texts

PUBLISHED = 20
#: Seconds of searching before and after each pace, with nothing published.
QUIET_S = 10.0


def grown(answers: tuple[IndexedAnswer, ...], size: int) -> Corpus:
    """The answers over and over, each time as those of another office."""
    made = []
    for number in range(size):
        one = answers[number % len(answers)]
        office = f"第{number // len(answers) + 1}所"
        made.append(
            replace(
                one,
                answer_id=f"{number:032x}",
                title=f"{office}{one.title}",
                questions=tuple(f"{office}{text}" for text in one.questions),
            )
        )
    return Corpus(tuple(made))


def build(home: Path, target: Path, size: int) -> int:
    """An index of that many answers with the model and weights of a trained one."""
    settings = KnowledgeSettings()
    trained = open_index(home, settings)
    articles = tuple(answer for answer in trained.answers if answer.questions)
    corpus = grown(articles or trained.answers, size)
    texts = search_texts(corpus, trained.normaliser)
    words = Words.build(texts, trained.searchable.coverage.everyday)
    searchable = Searchable.build(texts, trained.searchable.embedder, words)
    manifest = replace(
        trained.manifest, answers=size, units=len(searchable.vectors), corpus=corpus.revision
    )
    index = SearchIndex(manifest, corpus.answers, trained.normaliser, searchable, trained.fusion)
    index.save(indexes_dir(target) / manifest.revision)
    model = trained_model_dir(target, manifest.model)
    shutil.copytree(trained_model_dir(home, manifest.model), model)
    make_current(target, manifest.revision)
    return len(searchable.vectors)


def searches(index: FreshIndex, queries: list[str], stop: threading.Event) -> list[float]:
    """Milliseconds per search until told to stop."""
    retriever, times = Retriever(index), []
    while not stop.is_set():
        for query in queries:
            started = time.perf_counter()
            retriever.search(query)
            times.append((time.perf_counter() - started) * 1000)
    return times


def measure(target: Path, every: float, laid: int) -> dict[str, float]:
    """Publish one by one under load."""
    index = FreshIndex(target, IndexHolder(target, KnowledgeSettings()), refresh_seconds=1.0)
    base = index.current()
    for place in range(laid):
        like = base.answers[place % len(base.answers)]
        index.apply({f"laid-{place}": replace(like, answer_id=f"laid-{place}")})
    queries = [answer.title for answer in base.answers[:: max(len(base.answers) // 50, 1)]]
    figures: dict[str, float] = {}
    number = 0
    for name, pause in (("back_to_back", 0.0), ("paced", every)):
        quiet = under_load(index, queries, lambda: time.sleep(QUIET_S))
        waits: list[float] = []

        def work(pause: float = pause, waits: list[float] = waits, first: int = number) -> None:
            for place in range(PUBLISHED):
                waits.append(publish(index, base.answers[0], first + place))
                time.sleep(max(pause - waits[-1] / 1000, 0.0))

        busy = under_load(index, queries, work)
        quiet += under_load(index, queries, lambda: time.sleep(QUIET_S))
        number += PUBLISHED
        figures |= {
            f"{name}_publish_p50_ms": float(np.percentile(waits, 50)),
            f"{name}_publish_max_ms": max(waits),
            **percentiles(f"{name}_search_quiet", quiet),
            **percentiles(f"{name}_search", busy),
            f"{name}_search_max_ms": max(busy),
            f"{name}_search_p95_ratio": float(np.percentile(busy, 95) / np.percentile(quiet, 95)),
        }
    return figures


def percentiles(name: str, times: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile under a name."""
    middle, high = np.percentile(times, [50, 95])
    return {f"{name}_p50_ms": float(middle), f"{name}_p95_ms": float(high)}


def under_load(index: FreshIndex, queries: list[str], work: Callable[[], None]) -> list[float]:
    """Milliseconds of each search that another thread makes meanwhile."""
    stop, times = threading.Event(), []
    load = threading.Thread(target=lambda: times.extend(searches(index, queries, stop)))
    load.start()
    try:
        work()
    finally:
        stop.set()
        load.join()
    return times


def publish(index: FreshIndex, like: IndexedAnswer, number: int) -> float:
    """Milliseconds until the new answer is the first one found."""
    words = f"新设{number}号专户的印鉴卡怎么备案变更"
    answer = replace(like, answer_id=f"new-{number}", title=words, questions=(words,))
    started = time.perf_counter()
    index.apply({answer.answer_id: answer})
    found = Retriever(index).search(words).candidates
    waited = (time.perf_counter() - started) * 1000
    if not any(one.answer_id == answer.answer_id for one in found):
        raise RuntimeError(f"answer {number} was not found")
    return waited


def main(given: Sequence[str] | None = None) -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", nargs="?", type=Path, default=Path("var"))
    parser.add_argument("--answers", type=int, default=10_000)
    parser.add_argument("--every", type=float, default=3.0, help="seconds between publications")
    parser.add_argument("--laid", type=int, default=0, help="answers published since the build")
    arguments = parser.parse_args(given)
    with tempfile.TemporaryDirectory() as folder:
        units = build(arguments.home, Path(folder), arguments.answers)
        counts = {"answers": arguments.answers, "units": units, "laid": arguments.laid}
        figures = counts | measure(Path(folder), arguments.every, arguments.laid)
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}, indent=1))


if __name__ == "__main__":
    main()
