"""``caiwen kb calibrate``: what it says, writes and refuses."""

from pathlib import Path

import pytest

from kb.calibration_store import read_calibration
from tests.bot.command import caiwen, jsonl, lines
from tests.product import ENTRIES

pytestmark = pytest.mark.usefixtures("quiet_logs")

POLITE = ("{}", "请问{}", "老师，{}", "想问一下{}", "您好，{}啊", "{}，急", "我想知道{}")
FOREIGN = ("{}好吃吗", "{}几点关门", "{}怎么坐车去", "{}的票价是多少")
PLACES = ("白云山", "动物园", "博物馆", "大剧院", "植物园", "海心沙", "火车站")


def own_table(folder: Path) -> Path:
    rows = [
        f"{form.format(question)}\t{ref}"
        for _, ref, similar, _ in ENTRIES
        for question in similar.split("|")
        for form in POLITE
    ]
    rows += [f"{form.format(place)}\t" for form in FOREIGN for place in PLACES]
    path = folder / "own.tsv"
    path.write_text("\n".join(["text\tref", *rows]) + "\n", "utf-8")
    return path


def band(home: Path, text: str) -> str:
    found = lines(caiwen(home, "kb", "search", "--jsonl", stdin=jsonl({"id": 1, "q": text})).stdout)
    return str(found[0]["band"])


def test_cuts_are_chosen_put_in_force_and_forgotten(home: Path, tmp_path: Path) -> None:
    table, page = own_table(tmp_path), tmp_path / "c.html"
    tried = caiwen(home, "kb", "calibrate", "--file", table, "--dry-run")
    assert tried.exit_code == 0, tried.output
    assert read_calibration(home) is None
    done = caiwen(home, "kb", "calibrate", "--file", table, "--html", page)
    assert done.exit_code == 0, done.output
    assert "门槛：直接回答" in done.stdout
    assert "█" in done.stdout
    assert "已生效" in done.stderr
    found = read_calibration(home)
    assert found is not None
    assert found.source == "own.tsv"
    assert found.precision >= 0.95
    html = page.read_text("utf-8")
    assert html.count("<svg ") == 4
    assert "<script" not in html
    report = caiwen(home, "evaluate", "--suite", "retrieval", "--file", table)
    assert "caiwen kb calibrate 于" in report.stdout
    assert "答对不低于 0.95 时最多能直接回答" in report.stdout
    assert f"直接回答门槛 {found.cuts.answer:.3f}" in report.stdout
    assert caiwen(home, "kb", "calibrate", "--forget").exit_code == 0
    assert read_calibration(home) is None
    assert "没有校准过" in caiwen(home, "kb", "calibrate", "--forget").stderr


def test_the_live_search_judges_by_it(home: Path, tmp_path: Path) -> None:
    from kb.calibration_map import ScoreMap
    from kb.calibration_store import Calibration, write_calibration
    from kb.fusion import Cuts

    assert band(home, "公务卡怎么还款") == "answer"
    strict = Calibration(
        ScoreMap(),
        Cuts(0.9999999, 0.9999999),
        "2026-11-21T00:00:00+00:00",
        "r",
        "x",
        1,
        0.95,
        1,
        1,
        1,
    )
    write_calibration(home, strict)
    assert band(home, "公务卡怎么还款") == "none"


def test_training_anew_keeps_it_and_says_so(home: Path, tmp_path: Path) -> None:
    assert caiwen(home, "kb", "calibrate", "--file", own_table(tmp_path)).exit_code == 0
    before = read_calibration(home)
    trained = caiwen(home, "train", "--kb")
    assert trained.exit_code == 0, trained.output
    assert "再运行一次 caiwen kb calibrate" in trained.stderr
    assert read_calibration(home) == before
    report = caiwen(home, "evaluate", "--suite", "retrieval", "--file", own_table(tmp_path))
    assert "在旧索引上校准" in report.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text\tref\n公务卡怎么还钱\tGW02\n", "题太少，没有校准：应答 1 题"),
        ("text\tref\n别的\tQQ99\n", "没有可以评测的问题"),
        ("text\n别的\n", "没有可以评测的问题"),
        ("question\n别的\n", "第 1 行"),
    ],
)
def test_what_cannot_be_fitted_is_said(home: Path, tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "own.tsv"
    path.write_text(content, "utf-8")
    done = caiwen(home, "kb", "calibrate", "--file", path)
    assert done.exit_code == 1
    assert said in done.stderr
    assert read_calibration(home) is None


def test_without_an_index_it_says_what_to_do(fresh: Path) -> None:
    done = caiwen(fresh, "kb", "calibrate")
    assert done.exit_code == 1
    assert "caiwen train --kb" in done.stderr


@pytest.mark.parametrize("precision", ["0.2", "1", "nan", "viel"])
def test_an_impossible_precision_is_wrong_use(home: Path, precision: str) -> None:
    done = caiwen(home, "kb", "calibrate", "--precision", precision)
    assert done.exit_code == 2
