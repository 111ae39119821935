"""A workspace as `caiwen init` makes it reaches the floors of our own set, and a bad one does not.

The floors (`data/evaluation/floors.tsv`) lie a little below what was measured (docs/quality.md).
"""

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.assembly import Services, assemble
from bot.errors import EvaluationFileInvalid
from bot.evaluations.asking import evaluate_workspace
from bot.evaluations.floors import read_floors, shortfalls
from bot.evaluations.records import EvaluationReport, Suite
from bot.evaluations.suites import Material, shipped
from bot.settings import Settings, data_dir
from kb.distinct import DOUBTED
from kb.fusion import Band
from kb.index_holder import IndexHolder
from kb.retriever import Retriever, SearchResult
from kb.settings import KnowledgeSettings
from nlu.settings import NluSettings
from tests.bot.command import caiwen
from tests.product import NOW

FLOORS = data_dir() / "evaluation" / "floors.tsv"


@pytest.fixture(scope="module")
def sample_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample content, imported and trained as every new workspace is."""
    home = tmp_path_factory.mktemp("sample") / "home"
    done = caiwen(home, "init")
    assert done.exit_code == 0, done.output
    return home


@pytest.fixture
async def services(sample_home: Path) -> AsyncIterator[Services]:
    settings = Settings(home=sample_home, nlu=NluSettings(enabled=False))
    made = assemble(settings)
    yield made
    await made.channels.close()
    await made.interpreter.close()
    await made.database.dispose()


async def evaluated(services: Services, material: Material, *suites: Suite) -> EvaluationReport:
    live = services.evaluations.live
    return await evaluate_workspace(live, material, suites or list(Suite), actor="test", now=NOW)


async def test_a_new_workspace_reaches_every_floor(services: Services) -> None:
    report = await evaluated(services, shipped(data_dir() / "evaluation"))
    assert shortfalls(report, read_floors(FLOORS)) == []


def test_one_character_apart_nobody_is_given_the_other_answer(sample_home: Path) -> None:
    retriever = Retriever(IndexHolder(sample_home, KnowledgeSettings()))
    payment = retriever.search("支付申请怎么录入")
    assert (payment.band, payment.candidates[0].ref) == (Band.ANSWER, "ZF01")
    refund = retriever.search("退付申请怎么录入")
    assert refund.band is Band.OFFER or "退付" in refund.candidates[0].text
    assert all(one.score <= DOUBTED for one in refund.candidates if one.ref == "ZF01")


async def test_a_shuffled_ranking_falls_through(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, chance = Retriever.search, random.Random(5)

    def shuffled(self: Retriever, query: str, **options: object) -> SearchResult:
        found = search(self, query, **options)  # type: ignore[arg-type]  # passed through
        return replace(
            found, candidates=tuple(chance.sample(found.candidates, len(found.candidates)))
        )

    monkeypatch.setattr(Retriever, "search", shuffled)
    report = await evaluated(services, shipped(data_dir() / "evaluation"), Suite.RETRIEVAL)
    missed = {one.figure for one in shortfalls(report, read_floors(FLOORS)) if one.found}
    for name in ("messages dev", "messages test", "questions dev", "questions test"):
        assert f"{name} hit1" in missed
    assert {"messages dev precision", "messages test precision"} <= missed


async def test_shuffled_messages_fall_through(services: Services) -> None:
    """The same labels for other messages: understanding and triage must miss their floors."""
    material = shipped(data_dir() / "evaluation")
    chance = random.Random(5)
    tables = []
    for table in material.tables:
        texts = [row["text"] for row in table.rows]
        chance.shuffle(texts)
        rows = [{**row, "text": text} for row, text in zip(table.rows, texts, strict=True)]
        tables.append(replace(table, rows=tuple(rows)))
    report = await evaluated(
        services, replace(material, tables=tuple(tables)), Suite.NLU, Suite.TRIAGE
    )
    missed = {one.figure for one in shortfalls(report, read_floors(FLOORS)) if one.found}
    for name in ("messages dev", "messages test", "triage dev", "triage test"):
        assert f"{name} severity macro_f1" in missed
        assert f"{name} category macro_f1" in missed
    assert {"messages dev intent accuracy", "messages test intent accuracy"} <= missed


async def test_a_figure_that_was_not_measured_misses_its_floor(services: Services) -> None:
    material = shipped(data_dir() / "evaluation")
    nothing = replace(material, tables=material.tables[:1])
    report = await evaluated(services, nothing, Suite.RETRIEVAL)
    missed = shortfalls(report, {"questions dev hit1": 0.0, "messages dev hit1": 0.0})
    assert [(one.figure, one.found) for one in missed] == [("questions dev hit1", None)]


@pytest.mark.parametrize(
    ("content", "line"),
    [("", 1), ("a\tb\n", 1), ("figure\tleast\nx\n", 2), ("figure\tleast\nx\tnan\n", 2)],
)
def test_a_broken_table_of_floors_names_its_line(tmp_path: Path, content: str, line: int) -> None:
    path = tmp_path / "floors.tsv"
    path.write_text(content, "utf-8")
    with pytest.raises(EvaluationFileInvalid) as refused:
        read_floors(path)
    assert refused.value.line == line


def test_the_command_ends_with_one_below_a_floor(
    home: Path, tmp_path: Path, quiet_logs: None
) -> None:
    questions, floors = tmp_path / "own.tsv", tmp_path / "floors.tsv"
    questions.write_text("text\tref\n公务卡怎么还钱\tGW02\n", "utf-8")
    asked = ("evaluate", "--suite", "retrieval", "--file", questions, "--floors", floors)
    floors.write_text("figure\tleast\nown hit1\t0.9\n", "utf-8")
    assert caiwen(home, *asked).exit_code == 0
    floors.write_text("figure\tleast\nown hit1\t1.1\n", "utf-8")
    done = caiwen(home, *asked)
    assert done.exit_code == 1
    assert "own hit1 是 1.000，至少应为 1.100" in done.stderr
