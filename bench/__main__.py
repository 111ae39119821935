"""``python -m bench [NAME…] [HOME]``: the named benchmarks, or all, one after the other."""

import importlib
import sys
import traceback
from pathlib import Path

#: In the order of their length; a benchmark that lacks its data says so and is skipped.
NAMES = ("importing", "startup", "dialogue", "search", "faq", "guides_qa", "quality")


KNOWN = {path.stem for path in Path(__file__).parent.glob("[a-z]*.py")}


def main() -> None:
    """Run them; one that fails does not stop the others."""
    failed = []
    names = [argument for argument in sys.argv[1:] if argument in KNOWN]
    rest = [argument for argument in sys.argv[1:] if argument not in KNOWN]
    for name in names or NAMES:
        print(f"\n=== {name}", flush=True)
        try:
            module = importlib.import_module(f"bench.{name}")
        except ModuleNotFoundError:
            print("skipped: no such benchmark")
            continue
        try:
            module.main(rest)
        except Exception:  # reported below, the others still run
            traceback.print_exc()
            failed.append(name)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
