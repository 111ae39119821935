"""From ``caiwen serve`` to the first ready answer, and the memory of an idle process."""

import sys
import time
from pathlib import Path

from bench.processes import copied, is_prepared, megabytes, serving

RUNS = 3


def main(arguments: list[str]) -> None:
    """Print seconds and MiB of several starts."""
    home = Path(arguments[0] if arguments else "var")
    if not is_prepared(home):
        return
    with copied(home) as copy:
        for run in range(1, RUNS + 1):
            started = time.perf_counter()
            with serving(copy, rasa=False) as served:
                ready = time.perf_counter() - started
                print(f"start {run}: ready after {ready:.1f} s, {megabytes(served.web):.0f} MiB")


if __name__ == "__main__":
    main(sys.argv[1:])
