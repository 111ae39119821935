"""The repository's own source, read once. A rule that looks at nothing fails."""

import ast
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bot", "connectors", "handoff", "kb", "nlu", "store")
#: Everything of ours that is Python.
EVERYTHING = (*PACKAGES, "bench", "deploy", "docs", "tests")
#: Written by a tool, one file per schema change, and never edited afterwards.
GENERATED = "store/migrations/versions/"


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file: its path below the root, its text and its tree."""

    path: str
    text: str
    tree: ast.Module

    def is_in(self, *places: str) -> bool:
        """Whether the file is one of these, or below one that ends with a slash."""
        return any(
            self.path == place or (place.endswith("/") and self.path.startswith(place))
            for place in places
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """A line that breaks a rule."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


#: Lines of a tree that break a rule, and what is wrong with each.
Check = Callable[[ast.Module], Iterator[tuple[int, str]]]


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """Every module of these top-level folders; all of the product's packages by default."""
    found = [
        _read(path)
        for folder in folders or PACKAGES
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "node_modules" not in path.parts
    ]
    assert found, f"no module in {folders}: the rule looks at nothing"
    return tuple(found)


def _read(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    return Module(path.relative_to(ROOT).as_posix(), text, ast.parse(text))


def findings(check: Check, among: tuple[Module, ...]) -> list[Finding]:
    """Every breach of a rule in these modules; there must be some to look at."""
    assert among, "the rule looks at nothing"
    return [Finding(m.path, line, what) for m in among for line, what in check(m.tree)]


def outside(among: tuple[Module, ...], *places: str) -> tuple[Module, ...]:
    """The modules that are in none of these places; each place must exist."""
    for place in places:
        assert any(m.is_in(place) for m in among), f"{place} is allowed but does not exist"
    return tuple(m for m in among if not m.is_in(*places))


def said(found: list[Finding]) -> str:
    """Findings as a test's message."""
    return "\n" + "\n".join(map(str, found))


def name_of(node: ast.expr) -> str:
    """``a.b.c`` of a name or attribute; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = name_of(node.value)
        return f"{owner}.{node.attr}" if owner else node.attr
    return ""


def tracked_files() -> list[str]:
    """Paths of everything under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = [name for name in listed.stdout.split("\0") if name]
    assert len(names) > 100, "the list of tracked files is not ours"
    return names
