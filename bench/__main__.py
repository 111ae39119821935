"""``python -m bench [NAME…]``: run the named benchmarks, or all of them, one after the other."""

import importlib
import sys
import traceback

#: In the order of their length; a benchmark that lacks its data says so and is skipped.
NAMES = ("startup", "dialogue", "search", "faq", "guides_qa")


def main() -> None:
    """Run them; one that fails does not stop the others."""
    failed = []
    for name in sys.argv[1:] or NAMES:
        print(f"\n=== {name}", flush=True)
        try:
            module = importlib.import_module(f"bench.{name}")
        except ModuleNotFoundError:
            print("skipped: no such benchmark")
            continue
        try:
            module.main([])
        except Exception:  # reported below, the others still run
            traceback.print_exc()
            failed.append(name)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
