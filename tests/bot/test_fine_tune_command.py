"""``caiwen kb fine-tune``: what it says, writes and refuses."""

from pathlib import Path

import pytest

from tests.bot.command import caiwen, jsonl, lines
from tests.kb.test_any_model import saved_model
from tests.product import ENTRIES

pytestmark = pytest.mark.usefixtures("quiet_logs")


def test_a_model_is_tuned_on_the_workspace_and_used_by_the_next_build(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = saved_model(tmp_path, [text for entry in ENTRIES for text in entry])
    out = tmp_path / "tuned"
    told = caiwen(home, "kb", "fine-tune", out, "--model", model, "--rate", "0.001")
    assert told.exit_code == 0, told.output
    assert "已完成 100%" in told.stderr
    assert str(out) in told.stderr
    monkeypatch.setenv("CAIWEN_KB__EMBEDDER", str(out))
    built = caiwen(home, "train", "--kb")
    assert built.exit_code == 0, built.output
    asked = jsonl({"id": 1, "q": ENTRIES[0][0]})
    found = lines(caiwen(home, "kb", "search", "--jsonl", stdin=asked).stdout)
    assert found[0]["results"]
    again = caiwen(home, "kb", "fine-tune", out)
    assert again.exit_code == 1
    assert "已经存在" in again.stderr


def test_without_a_model_it_says_which_is_meant(home: Path, tmp_path: Path) -> None:
    told = caiwen(home, "kb", "fine-tune", tmp_path / "out")
    assert told.exit_code == 1
    assert "CAIWEN_KB__EMBEDDER" in told.stderr
    missing = caiwen(home, "kb", "fine-tune", tmp_path / "out", "--model", tmp_path / "none")
    assert missing.exit_code == 1
    assert "读不了" in missing.stderr
    assert "Traceback" not in missing.output
    assert not (tmp_path / "out").exists()
