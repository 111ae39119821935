"""Writes the reference pages from the code, or says which of them are stale.

``python -m docs.generate`` writes; ``--check`` changes nothing and exits with 1 when a page
differs. Each page has a module of its own beside this one. Refuses to hold any fact itself.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from docs import api_page, cli_page, errors_page, settings_page
from handoff import incident_reference
from handoff.reference import transitions_page

REFERENCE = Path(__file__).parent / "reference"
PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings_page.page,
    "cli.md": cli_page.page,
    "api.md": api_page.page,
    "errors.md": errors_page.page,
    "ticket-transitions.md": transitions_page,
    "incident-transitions.md": incident_reference.transitions_page,
}


def stale(folder: Path = REFERENCE) -> list[str]:
    """Names of pages that differ from the code, or are missing."""
    return [name for name, page in PAGES.items() if _written(folder / name) != page()]


def write(folder: Path = REFERENCE) -> list[str]:
    """Write every page; the names of those that changed."""
    changed = stale(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in changed:
        (folder / name).write_text(PAGES[name](), encoding="utf-8")
    return changed


def _written(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; 1 when stale")
    check = parser.parse_args(arguments).check
    names = stale() if check else write()
    said = "stale, run `make docs`" if check else "written"
    for name in names:
        sys.stdout.write(f"docs/reference/{name}: {said}\n")
    return 1 if check and names else 0


if __name__ == "__main__":
    sys.exit(main())
