"""From ``caiwen serve`` to the first ready answer, and the memory of an idle process."""

import sys
import time
from pathlib import Path

from bench.dialogue import product

RUNS = 3


def main(arguments: list[str]) -> None:
    """Print seconds and MiB of several starts."""
    home = Path(arguments[0] if arguments else "var")
    if not (home / "indexes" / "current").is_file():
        print(f"skipped: {home} is no prepared workspace; run `caiwen --home {home} init`")
        return
    for run in range(1, RUNS + 1):
        started = time.perf_counter()
        with product(home, rasa=False) as (_address, processes):
            ready = time.perf_counter() - started
            memory = processes[0].memory_info().rss / 2**20
            print(f"start {run}: ready after {ready:.1f} s, {memory:.0f} MiB")


if __name__ == "__main__":
    main(sys.argv[1:])
