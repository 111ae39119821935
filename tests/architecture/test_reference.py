"""The generated reference pages say what the code says."""

from pathlib import Path

from docs.generate import PAGES, stale, write


def test_the_reference_is_current() -> None:
    assert stale() == [], "run `make docs`"


def test_a_stale_page_is_noticed(tmp_path: Path) -> None:
    assert set(write(tmp_path)) == set(PAGES)
    (tmp_path / "settings.md").write_text("old", encoding="utf-8")
    assert stale(tmp_path) == ["settings.md"]
