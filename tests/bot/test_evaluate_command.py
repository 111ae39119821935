"""``caiwen evaluate`` as people and programs use it, and the one-file report."""

import json
import re
from pathlib import Path

import pytest

from tests.bot.command import caiwen

pytestmark = pytest.mark.usefixtures("quiet_logs")

HOSTILE = "公务卡</style><script>alert(1)</script>怎么还钱"


def own_table(folder: Path) -> Path:
    path = folder / "own.tsv"
    rows = ("text\tref", "公务卡怎么还钱\tGW02", f"{HOSTILE}\tZF05", "晚上吃什么\t")
    path.write_text("\n".join(rows), "utf-8")
    return path


def test_the_report_is_printed_and_compared(home: Path, tmp_path: Path) -> None:
    table = own_table(tmp_path)
    first = caiwen(home, "evaluate", "--suite", "retrieval", "--file", table)
    assert first.exit_code == 0, first.output
    assert "[检索] own：应答 2 题，不应答 1 题" in first.stdout
    assert "首位 0.500（二元 BM25 0.500）" in first.stdout
    assert "第一次评测" in first.stdout
    again = caiwen(home, "evaluate", "--suite", "retrieval", "--file", table)
    assert "新答对 0 题，新答错 0 题" in again.stdout
    assert len(list((home / "evaluations").glob("*.json"))) == 2


def test_json_is_for_programs(home: Path, tmp_path: Path) -> None:
    done = caiwen(home, "evaluate", "--suite", "retrieval", "--json", "--file", own_table(tmp_path))
    report = json.loads(done.stdout)
    assert report["retrieval"]["groups"][0]["ours"]["hit1"] == 0.5
    assert report["answers"] > 10
    assert 0 < report["offer_cut"] < 1


def test_the_page_is_one_file_that_runs_and_loads_nothing(home: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    done = caiwen(
        *(home, "evaluate", "--suite", "retrieval", "--html", page),
        *("--file", own_table(tmp_path)),
    )
    assert done.exit_code == 0, done.output
    html = page.read_text("utf-8")
    assert "回答质量评测" in html
    assert html.count("<svg ") == 2
    assert 'name="viewport"' in html
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:|//|/)""", html)
    assert "@import" not in html


def test_everything_that_is_shipped_can_be_asked(home: Path) -> None:
    """The sets of the product over a workspace with ten answers: small talk and triage fit any."""
    done = caiwen(home, "evaluate")
    assert done.exit_code == 0, done.output
    for line in ("[检索] 用户消息", "[意图] 意图与实体", "[级别] 分级", "[实体] 意图与实体"):
        assert line in done.stdout
    assert "最常错认：" in done.stdout
    assert "False" not in done.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("question\n怎么报\n", "第 1 行"),
        ("text\tref\n别的内容\tQQ99\n", "没有可以评测的问题"),
        ("text\tintent\n你好\tno_such\n", "没有的意图"),
    ],
)
def test_what_cannot_be_asked_is_said(home: Path, tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "own.tsv"
    path.write_text(content, "utf-8")
    done = caiwen(home, "evaluate", "--file", path)
    assert done.exit_code == 1
    assert said in done.stderr
    assert "Traceback" not in done.output


def test_without_an_index_it_says_what_to_do(fresh: Path, tmp_path: Path) -> None:
    done = caiwen(fresh, "evaluate", "--suite", "retrieval", "--file", own_table(tmp_path))
    assert done.exit_code == 1
    assert "caiwen train --kb" in done.stderr


def test_a_page_that_cannot_be_written_is_said(home: Path, tmp_path: Path) -> None:
    done = caiwen(
        *(home, "evaluate", "--suite", "retrieval", "--html", tmp_path / "none" / "r.html"),
        *("--file", own_table(tmp_path)),
    )
    assert done.exit_code == 1
    assert "写不进" in done.stderr
