"""The trees of the sample guides and of made-up files, kept as files that a person can read.

After a wanted change run `python -m tests.kb.importer.trees` and read the difference.
"""

from pathlib import Path

import pytest

from kb.importer import ImportLimits, import_file
from kb.importer.reading import read_bytes
from kb.sections import Guide
from tests.kb.importer.synthetic import FILES
from tests.kb.importer.trees import SYNTHETIC, difference, golden_pairs, structure, written

PAIRS = list(golden_pairs())


@pytest.mark.parametrize(("golden", "path"), PAIRS, ids=[golden.stem for golden, _ in PAIRS])
def test_a_sample_guide_keeps_its_tree(golden: Path, path: Path) -> None:
    guide = import_file(path)
    assert isinstance(guide, Guide)
    changed = difference(golden.read_text(encoding="utf-8"), structure(guide))
    assert not changed, f"{golden.name}\n{changed}"


@pytest.mark.parametrize("stem", FILES)
def test_a_made_up_file_keeps_its_tree(stem: str) -> None:
    name, build = FILES[stem]
    found = written(read_bytes(build(), name, ImportLimits()))
    changed = difference((SYNTHETIC / f"{stem}.txt").read_text(encoding="utf-8"), found)
    assert not changed, f"{stem}\n{changed}"


def test_every_golden_tree_has_its_file() -> None:
    assert {path.stem for path in SYNTHETIC.glob("*.txt")} == set(FILES)


def test_there_are_golden_trees_of_every_format() -> None:
    formats = {path.suffix for _, path in PAIRS}
    assert formats == {".docx", ".pdf", ".md", ".zip", ".html", ".pptx"}
    made_up = {Path(name).suffix for name, _ in FILES.values()}
    assert made_up == {".docx", ".pdf", ".pptx", ".xlsx", ".zip", ".html"}


def test_a_difference_shows_the_lines_that_changed() -> None:
    shown = difference("甲\n乙\n丙\n", "甲\n丁\n丙\n").splitlines()
    assert [line for line in shown[3:] if line[0] in "+-"] == ["-乙", "+丁"]
