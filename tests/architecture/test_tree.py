"""What must never be under version control, and what tests must never read."""

import ast
import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.architecture.source import PACKAGES, ROOT, findings, modules, said, tracked_files
from tests.conftest import need

#: Written in pieces, so that this file does not hold what it looks for.
MACHINE_PATHS = "|".join(("/" + "work/", "/" + "farm/", "/" + "root/", "/" + "home/[a-z]"))
REGISTRIES = "|".join(
    ("pypi" + r"\.org", "python" + "hosted", r"registry\.np" + "mjs", "deb" + r"\.debian")
)
FORBIDDEN = re.compile(rf"(?<![A-Za-z0-9_.])(?:{MACHINE_PATHS})|{REGISTRIES}")
OUTSIDE_FOLDER = "/".join(("..", "shared"))
MAX_FILE_BYTES = 2 * 1024 * 1024
#: Private keys and the like, by how they begin.
SECRETS = re.compile("-----BEGIN [A-Z ]*PRIVATE " + "KEY-----|AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{36}")


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Every tracked file that is text."""
    need(_is_repository(), "a git working tree")
    found = {}
    for name in tracked_files():
        path = ROOT / name
        if path.suffix == ".svg" or not path.is_file():
            continue
        content = path.read_bytes()
        if b"\0" not in content[:8000]:
            found[name] = content.decode("utf-8", errors="replace")
    assert len(found) > 100
    return found


def _is_repository() -> bool:
    try:
        done = subprocess.run(["git", "rev-parse"], cwd=ROOT, capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def matches(pattern: re.Pattern[str], texts: dict[str, str]) -> list[str]:
    """``file:line: text`` of every match."""
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in texts.items()
        if pattern.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_path_of_one_machine_and_no_registry(texts: dict[str, str]) -> None:
    assert matches(FORBIDDEN, texts) == []
    assert FORBIDDEN.search("see /" + "root/x")
    assert FORBIDDEN.search("https://pypi" + ".org/simple")
    assert not FORBIDDEN.search("docs/work/plan and a.b/home/x")


def test_no_secret(texts: dict[str, str]) -> None:
    assert matches(SECRETS, texts) == []


def test_no_tracked_file_is_heavy() -> None:
    need(_is_repository(), "a git working tree")
    sizes = {
        name: (ROOT / name).stat().st_size for name in tracked_files() if (ROOT / name).is_file()
    }
    assert {name: size for name, size in sizes.items() if size > MAX_FILE_BYTES} == {}


def outside_reading(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Constants that lead out of the repository to material that a fresh clone lacks."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if OUTSIDE_FOLDER in node.value or "CAIWEN" + "_SHARED" in node.value:
            yield node.lineno, node.value[:60]


def test_only_benchmarks_read_outside_the_repository() -> None:
    found = findings(outside_reading, modules(*PACKAGES, "tests", "deploy"))
    assert not found, said(found)
    assert list(outside_reading(ast.parse(f"open('{OUTSIDE_FOLDER}/x')")))
