"""How well reports of one fault are told from reports of another, and what a look costs.

Every two messages about a fault in ``data/evaluation/messages.tsv`` are compared as new tickets
are: two with the same answer are the same matter. Then every message that is no fault is asked
while one fault is open: how often would it be taken for that fault? Needs a prepared workspace.
"""

import csv
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.processes import is_prepared
from bot.dialogue.known_fault import QUESTION_ALIKE, REPORT_ALIKE
from bot.incidents.likeness import Reading, alike, read
from bot.knowledge import SearchedKnowledge
from bot.settings import Settings, data_dir
from kb.fresh_index import FreshIndex
from kb.index_holder import IndexHolder

CUTS = (0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65)
#: Open faults that questions are asked against, evenly taken from all reports.
OPEN_FAULTS = 40


@dataclass(frozen=True, slots=True)
class Message:
    """A message, the answer that it is about, and whether it reports a fault."""

    text: str
    ref: str
    is_fault: bool


def messages() -> list[Message]:
    """The shipped evaluation messages."""
    path = data_dir() / "evaluation" / "messages.tsv"
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Message(row["text"], row["ref"], row["category"] == "系统故障")
            for row in csv.DictReader(file, delimiter="\t")
        ]


def pairs(known: Sequence[Message], readings: Sequence[Reading]) -> Iterator[tuple[bool, float]]:
    """Whether each two are the same matter, and how alike they read."""
    for place, first in enumerate(readings[:-1]):
        scores = alike(first, readings[place + 1 :])
        for offset, score in enumerate(scores, place + 1):
            same = bool(known[place].ref) and known[place].ref == known[offset].ref
            yield same, score


def share(scores: Sequence[float], cut: float) -> float:
    """How many reach the cut."""
    return sum(score >= cut for score in scores) / max(1, len(scores))


def main(arguments: list[str]) -> None:
    """Print recall and false matches per cut, and milliseconds."""
    home = Path(arguments[0] if arguments else "var")
    if not is_prepared(home):
        return
    settings = Settings(home=home)
    index = FreshIndex(home, IndexHolder(home, settings.kb), refresh_seconds=3600)
    knowledge = SearchedKnowledge(index)
    every = messages()
    faults = [one for one in every if one.is_fault]
    now = datetime.now(UTC)
    readings = read(knowledge, [one.text for one in faults], now)
    found = list(pairs(faults, readings))
    same = [score for is_same, score in found if is_same]
    other = [score for is_same, score in found if not is_same]
    print(f"{len(faults)} reports: {len(same)} pairs of one matter, {len(other)} of two")
    print("cut   found  wrongly")
    for cut in CUTS:
        print(f"{cut:.2f}  {share(same, cut):.3f}  {share(other, cut):.4f}")
    _look(knowledge, faults, readings, now)
    _ask(knowledge, [one for one in every if not one.is_fault], readings, now)


def _look(
    knowledge: SearchedKnowledge,
    faults: Sequence[Message],
    readings: Sequence[Reading],
    now: datetime,
) -> None:
    """What a message costs more while faults are open, each with twenty tickets."""
    for count in (1, 3, 8):
        spoken = list(readings[: 20 * count])
        spent = []
        for message in faults[:60]:
            started = time.perf_counter()
            alike(read(knowledge, [message.text], now)[0], spoken)
            spent.append((time.perf_counter() - started) * 1000)
        spent.sort()
        print(f"{count} open: {spent[30]:.1f} ms a message, p95 {spent[57]:.1f}")


def _ask(
    knowledge: SearchedKnowledge,
    questions: Sequence[Message],
    faults: Sequence[Reading],
    now: datetime,
) -> None:
    step = max(1, len(faults) // OPEN_FAULTS)
    open_faults = faults[::step][:OPEN_FAULTS]
    taken = {REPORT_ALIKE: 0, QUESTION_ALIKE: 0}
    started = time.perf_counter()
    for question in questions:
        (asked,) = read(knowledge, [question.text], now)
        scores = [alike(asked, [fault])[0] for fault in open_faults]
        for cut in taken:
            taken[cut] += sum(score >= cut for score in scores)
    looks = len(questions) * len(open_faults)
    spent = (time.perf_counter() - started) * 1000 / looks
    print(f"{len(questions)} other messages, each against {len(open_faults)} single faults:")
    for cut, count in taken.items():
        print(f"taken for a fault from {cut:.2f}: {count / looks:.5f}")
    print(f"{spent:.2f} ms a comparison")


if __name__ == "__main__":
    main(sys.argv[1:])
