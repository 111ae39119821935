"""The shape of the code: size, names, and arrows that only point down."""

import ast
import re
import subprocess
import sys

from tests.architecture.source import EVERYTHING, GENERATED, ROOT, modules, outside

MAX_LINES = 400
#: Names that say nothing about what is inside.
MEANINGLESS = re.compile(r"^(utils?|helpers?|common|misc|tools|stuff|base2|manager)s?$")


def test_no_module_is_too_long() -> None:
    """Split by responsibility, not by line count."""
    long = [
        f"{m.path}: {m.text.count(chr(10))} lines"
        for m in outside(modules(*EVERYTHING), GENERATED)
        if m.text.count("\n") > MAX_LINES
    ]
    assert not long, long


def test_every_module_and_folder_is_named_for_what_it_holds() -> None:
    parts = {
        (part.removesuffix(".py"), m.path)
        for m in modules(*EVERYTHING)
        for part in m.path.split("/")
    }
    assert [path for part, path in parts if MEANINGLESS.match(part)] == []
    assert MEANINGLESS.match("utils")
    assert MEANINGLESS.match("helper")


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        m.path
        for m in modules()
        if m.tree.body and not m.path.startswith(GENERATED) and not ast.get_docstring(m.tree)
    ]
    assert silent == []


def test_the_import_contracts_hold() -> None:
    """In a process of its own: the linter keeps a cache and prints."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kept = re.search(r"Contracts: (\d+) kept, 0 broken", done.stdout)
    assert kept, done.stdout
    assert int(kept[1]) >= 4
