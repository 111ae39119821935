"""How fast messages are answered over HTTP, with Rasa and without, at 1, 20 and 100 conversations.

``python -m bench dialogue [HOME]`` copies a prepared workspace (default ``var``), serves it, and
lets so many users ask, each waiting for the bot's message on the event stream. Two ways: *paced*
users read an answer for some seconds before they ask again; users *in a closed loop* ask the
moment they are answered, which shows what the machine can do at most. The load comes from this
process, on the same cores as the product. Bounded in requests and time.
"""

import asyncio
import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles

from bench.processes import (
    Served,
    copied,
    cpu_seconds,
    has_rasa,
    is_prepared,
    megabytes,
    serving,
)
from bench.users import Figures, Load, answered_directly, run
from bot.settings import data_dir

#: Questions as users word them; those are asked that the workspace answers at once.
QUESTIONS = data_dir() / "evaluation" / "questions.tsv"
#: Users, messages of each, and the pause before each in seconds.
LOADS = (
    Load(1, 100),
    Load(20, 30),
    Load(100, 8),
    Load(20, 10, 1.0),
    Load(100, 6, 2.0),
)
#: Repetitions with users of other habits, added up: one round of few users says little.
ROUNDS = 2


def questions() -> tuple[str, ...]:
    """What could be asked: the development questions that have an answer."""
    with QUESTIONS.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return tuple(r["text"] for r in rows if r["split"] == "dev" and r["must"] == "answer")


def _percentiles(values: list[float]) -> str:
    if len(values) < 2:
        return "      -       -       -"
    cuts = quantiles(values, n=100, method="inclusive")
    return " ".join(f"{cuts[p - 1] * 1000:7.1f}" for p in (50, 95, 99))


def measure(served: Served, load: Load, asked: Sequence[str], seed: int) -> Figures:
    """All rounds of one load."""
    figures = Figures()
    for number in range(ROUNDS):
        figures.add(asyncio.run(run(served.port, load, asked, seed + number)))
    return figures


def show(served: Served, load: Load, figures: Figures, used: dict[str, float]) -> None:
    """One row of the table."""
    count = max(len(figures.answered), 1)
    rate = len(figures.answered) / figures.elapsed_s
    cpu = " ".join(
        f"{name} {(cpu_seconds(process) - used[name]) * 1000 / count:.1f}"
        for name, process in served.processes().items()
    )
    pace = f"{load.pause_s:.0f} s" if load.pause_s else "none"
    print(
        f"{load.users:5}  {pace:>5} {rate:7.1f}  {_percentiles(figures.accepted)}"
        f"         {_percentiles(figures.answered)}  {len(figures.errors):6}  {cpu}",
        flush=True,
    )


def main(arguments: list[str]) -> None:
    """Print a table for each way of understanding."""
    home = Path(arguments[0] if arguments else "var")
    if not is_prepared(home):
        return
    for rasa in (True, False) if has_rasa(home) else (False,):
        print(f"\nRasa {'on' if rasa else 'off'}")
        print(
            "users  pause  msgs/s   202: p50     p95     p99   answer: p50     p95     p99"
            "  errors  CPU ms per message"
        )
        with copied(home) as copy, serving(copy, rasa=rasa) as served:
            asked = asyncio.run(answered_directly(served.port, questions()))  # warms, too
            print(f"{len(asked)} questions that are answered at once", flush=True)
            for number, load in enumerate(LOADS, 1):
                used = {name: cpu_seconds(p) for name, p in served.processes().items()}
                show(served, load, measure(served, load, asked, 100 * number), used)
            for name, process in served.processes().items():
                print(f"memory of {name}: {megabytes(process):.0f} MiB")
            print("understood by:", served.understood())


if __name__ == "__main__":
    main(sys.argv[1:])
