"""The trees of the sample guides, kept as files that a person can read.

After a wanted change run `python -m tests.kb.importer.trees` and read the difference.
"""

from pathlib import Path

import pytest

from kb.importer import import_file
from kb.sections import Guide
from tests.kb.importer.trees import golden_pairs, structure

PAIRS = list(golden_pairs())


@pytest.mark.parametrize(("golden", "path"), PAIRS, ids=[golden.stem for golden, _ in PAIRS])
def test_a_sample_guide_keeps_its_tree(golden: Path, path: Path) -> None:
    guide = import_file(path)
    assert isinstance(guide, Guide)
    assert structure(guide) == golden.read_text(encoding="utf-8")


def test_there_are_golden_trees_of_every_format() -> None:
    assert {path.suffix for _, path in PAIRS} == {".docx", ".pdf", ".md", ".zip", ".html", ".pptx"}
