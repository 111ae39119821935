"""``caiwen train --kb`` asks golden questions of the new index before anybody else does."""

import asyncio
from pathlib import Path

import pytest

from bot.clock import utc_now
from bot.golden import repository as golden_repository
from bot.golden.tables import GoldenQuestionRow, GoldenRunRow
from store import audit
from store.session import Database
from tests.bot.command import caiwen, jsonl, lines
from tests.product import make_settings

pytestmark = pytest.mark.usefixtures("quiet_logs")

FORBIDDEN = "食堂的饭卡丢了怎么补办"
CANTEEN = f"question,similar,answer,ref\n{FORBIDDEN},饭卡补办|饭卡丢了,去食堂二楼,ST1\n"


def band(home: Path) -> str:
    query = jsonl({"id": 1, "q": FORBIDDEN})
    return str(lines(caiwen(home, "kb", "search", "--jsonl", stdin=query).stdout)[0]["band"])


async def forbid(home: Path) -> None:
    database = Database(make_settings(home).effective_database_url)
    async with database.transaction() as session:
        session.add(
            GoldenQuestionRow(
                text=FORBIDDEN, module="", region="", author="甲", created_at=utc_now()
            )
        )
    await database.dispose()


async def kept(home: Path) -> list[tuple[GoldenRunRow, bool]]:
    """The runs, newest first, and whether the audit trail has each."""
    database = Database(make_settings(home).effective_database_url)
    async with database.reading() as session:
        runs = await golden_repository.runs(session)
        told = [bool(await audit.entries_of(session, f"golden:{run.id}")) for run in runs]
    await database.dispose()
    return list(zip(runs, told, strict=True))


def test_an_index_that_breaks_golden_questions_waits_for_a_reason(
    home: Path, tmp_path: Path
) -> None:
    table = tmp_path / "食堂.csv"
    table.write_text(CANTEEN, "utf-8")
    assert caiwen(home, "kb", "import", table, "--publish").exit_code == 0
    asyncio.run(forbid(home))
    stopped = caiwen(home, "train", "--kb")
    assert stopped.exit_code == 1
    assert f"会变坏——{FORBIDDEN}" in stopped.stderr
    assert band(home) != "answer"
    passed = caiwen(home, "train", "--kb", "--override", "食堂也归我们管了")
    assert passed.exit_code == 0, passed.stderr
    assert "正确拒答 100.0% → 0.0%" in passed.stderr
    assert band(home) == "answer"
    runs = asyncio.run(kept(home))
    assert [(run.cause, run.blocked, run.override) for run, _ in runs] == [
        ("train", False, "食堂也归我们管了"),
        ("train", True, ""),
    ]
    assert all(told for _, told in runs)
