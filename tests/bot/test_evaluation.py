"""Evaluation asks what answers users, counts it right, and sees when that gets worse."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.conversations.greeting import LOCAL
from bot.dialogue.turn import Search
from bot.errors import EvaluationEmpty, EvaluationFileInvalid, EvaluationRunning
from bot.evaluations.asking import Live, evaluate_workspace, first_message, search_live
from bot.evaluations.records import Miss, Suite, compared
from bot.evaluations.store import EvaluationStore
from bot.evaluations.suites import Material, own
from bot.golden.tables import GoldenQuestionRow
from bot.settings import data_dir
from bot.understanding import learn_interpreter
from bot.workspace import Workspace
from kb.calibration_map import ScoreMap
from kb.calibration_store import Calibration, write_calibration
from kb.errors import IndexMissing
from kb.fresh_index import FreshIndex
from kb.fusion import Cuts
from kb.index_holder import IndexHolder
from kb.retriever import Retriever, SearchResult
from kb.settings import KnowledgeSettings
from nlu.category_data import read_faq_categories
from nlu.types import Understanding
from tests.product import NOW, Product

QUESTIONS = (
    ("公务卡怎么还钱", "GW02"),
    ("支付申请送审了想撤回来", "ZF05"),
    ("电子票开错了要冲红", "PJ01"),
    ("插了U盾没反应", "CA01"),
    ("菜单一个都没有了", "LG03"),
    ("今年没花完的钱结转到明年", "JZ01"),
    ("新来的人工资怎么加", "GZ02"),
    ("晚上去哪里吃火锅", ""),
    ("明天会下雨吗", ""),
)


def table(path: Path, rows: Sequence[Sequence[str]], header: str = "text\tref") -> Path:
    path.write_text("\n".join([header, *("\t".join(row) for row in rows)]) + "\n", "utf-8")
    return path


@pytest.fixture
def material(tmp_path: Path) -> Material:
    return own(table(tmp_path / "own.tsv", QUESTIONS))


def live(product: Product) -> Live:
    return product.services.evaluations.live


@pytest.mark.parametrize(
    "text", ["公务卡怎么还款", "怎么打印凭证？另外UKey没反应怎么办？", "你好", "退付申请怎么录入"]
)
async def test_the_search_is_that_of_a_conversation(product: Product, text: str) -> None:
    """Everything that a conversation gets of a first message, the evaluation counts."""
    parts = live(product)
    thought = await parts.thinker.think(first_message(text), NOW)
    asked: Search = thought.searches[0]
    ours = search_live(Retriever(parts.index), text, NOW.astimezone(LOCAL).date())
    assert [one.answer_id for one in asked.found] == [one.answer_id for one in ours.candidates]
    assert [one.score for one in asked.found] == [one.score for one in ours.candidates]
    assert asked.band.value == ours.band.value


async def test_conversations_and_evaluation_share_their_parts(product: Product) -> None:
    services = product.services
    assert services.evaluations.live.index is services.publishing.index
    assert services.evaluations.live.interpreter is services.interpreter
    assert services.evaluations.live.thinker is services.conversations._thinker


async def test_search_is_counted(product: Product, material: Material) -> None:
    report = await evaluate_workspace(
        live(product), material, [Suite.RETRIEVAL], actor="test", now=NOW
    )
    assert report.retrieval is not None
    (group,) = report.retrieval.groups
    assert (group.name, group.answerable, group.unanswerable, group.unmatched) == ("own", 7, 2, 0)
    assert group.ours.hit1 >= 0.85
    assert group.ours.hit1 >= group.baseline.hit1
    assert group.refusal == 1.0
    assert group.ours.auroc is not None
    assert group.ours.auroc > 0.9
    assert not report.intents
    assert not report.triage
    assert len(report.retrieval.passed) == len(QUESTIONS)


async def test_a_shuffled_search_is_seen(
    product: Product, material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The evaluation goes through `Retriever.search`: what that spoils, its figures show."""
    before = await evaluate_workspace(
        live(product), material, [Suite.RETRIEVAL], actor="test", now=NOW
    )
    search, chance = Retriever.search, np.random.default_rng(3)

    def shuffled(self: Retriever, query: str, **options: object) -> SearchResult:
        found = search(self, query, **options)  # type: ignore[arg-type]  # passed through
        order = chance.permutation(len(found.candidates))
        return replace(found, candidates=tuple(found.candidates[place] for place in order))

    monkeypatch.setattr(Retriever, "search", shuffled)
    after = await evaluate_workspace(
        live(product), material, [Suite.RETRIEVAL], actor="test", now=NOW
    )
    assert before.retrieval
    assert after.retrieval
    assert after.retrieval.groups[0].ours.hit1 <= before.retrieval.groups[0].ours.hit1 - 0.3
    comparison = compared(after, before)
    assert comparison.broken >= 3
    assert comparison.changes["own hit1"] < 0
    worst = after.retrieval.worst[0]
    assert worst.miss in (Miss.ANSWERED_WRONG, Miss.NOT_FIRST)
    assert worst.winner != worst.expected


async def test_triage_does_not_depend_on_a_calibration(product: Product) -> None:
    """The weight of similar answers in a category was fitted on scores as they were built."""
    parts = live(product)
    texts = ["公务卡怎么还款", "电子票据开错了", "菜单没了，登录不上"]
    before = [await parts.thinker.think(first_message(text), NOW) for text in texts]
    scores = [one.searches[0].found[0].score for one in before]
    cuts = Cuts(0.8, 0.5)
    calibration = Calibration(
        *(ScoreMap(3.0, 2.0), cuts, NOW.isoformat(), "r", "own", 99),
        **dict.fromkeys(("target", "precision", "bound", "coverage"), 0.9),
    )
    write_calibration(product.services.settings.home, calibration)
    for _ in range(500):
        if parts.index.current().fusion.cuts == cuts:
            break
        await asyncio.sleep(0.02)
    after = [await parts.thinker.think(first_message(text), NOW) for text in texts]
    assert [one.searches[0].found[0].score for one in after] != scores
    assert [one.triage for one in after] == [one.triage for one in before]


class Parrot:
    """Understands the same of everything, and remembers what it was asked."""

    name = "parrot"

    def __init__(self, answer: Understanding) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def parse(self, text: str) -> Understanding:
        self.asked.append(text)
        return replace(self.answer, text=text)

    async def close(self) -> None:
        """Nothing to release."""


async def test_intents_are_asked_of_the_live_interpreter(product: Product, tmp_path: Path) -> None:
    parts = live(product)
    parrot = Parrot(await parts.interpreter.parse("转人工"))
    rows = [("转人工", "request_human"), ("你好", "greet"), ("谢谢", "thanks")]
    report = await evaluate_workspace(
        replace(parts, interpreter=parrot),
        own(table(tmp_path / "intents.tsv", rows, "text\tintent")),
        [Suite.NLU],
        actor="test",
        now=NOW,
    )
    assert parrot.asked == [text for text, _ in rows]
    (figures,) = report.intents
    assert (figures.accuracy, figures.count) == (pytest.approx(1 / 3), 3)
    right = figures.labels.index("greet")
    assert figures.matrix[right][figures.labels.index("request_human")] == 1


async def test_triage_is_what_the_dialogue_thinks(product: Product, tmp_path: Path) -> None:
    rows = [
        ("全市所有单位都登不上系统，付款全停了", "1", "系统故障", "重大"),
        ("公务卡怎么还款", "0", "操作咨询", "一般"),
    ]
    path = table(tmp_path / "t.tsv", rows, "text\tincident\tcategory\tseverity")
    report = await evaluate_workspace(
        live(product), own(path), [Suite.TRIAGE], actor="test", now=NOW
    )
    assert [one.task for one in report.triage] == ["severity", "category", "incident"]
    assert [one.accuracy for one in report.triage] == [1.0, 1.0, 1.0]


async def test_nothing_to_ask_is_said(product: Product, tmp_path: Path) -> None:
    foreign = own(table(tmp_path / "foreign.tsv", [("别的内容", "QQ99"), ("不该答", "")]))
    with pytest.raises(EvaluationEmpty):
        await evaluate_workspace(live(product), foreign, list(Suite), actor="test", now=NOW)


async def test_without_an_index_there_is_nothing_to_search(
    product: Product, material: Material, tmp_path: Path
) -> None:
    settings = KnowledgeSettings()
    empty = FreshIndex(tmp_path, IndexHolder(tmp_path, settings), refresh_seconds=0)
    parts = replace(live(product), index=empty)
    with pytest.raises(IndexMissing):
        await evaluate_workspace(parts, material, [Suite.RETRIEVAL], actor="test", now=NOW)


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"", 1, "no_text_column"),
        (b"question,ref\na,b\n", 1, "no_text_column"),
        (b"text\tref\n", 2, "empty"),
        (b"text\tref\n\tLG01\n", 2, "no_text"),
        (b"text\tref\nok\tLG01\tmore\n", 2, "too_many_cells"),
        (b"text\n" + b"\xff\xfe\n", 0, "not_utf8"),
        (b"text\n" + b"x" * 10_001 + b"\n", 2, "too_long"),
        (b"text\n" + b"x" * 200_000 + b"\n", 2, "unreadable"),
    ],
)
def test_a_table_that_cannot_be_read_names_its_line(
    tmp_path: Path, content: bytes, line: int, reason: str
) -> None:
    path = tmp_path / "bad.tsv"
    path.write_bytes(content)
    with pytest.raises(EvaluationFileInvalid) as refused:
        own(path)
    assert (refused.value.line, refused.value.reason) == (line, reason)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationFileInvalid):
        own(tmp_path / "none.tsv")


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("text\tintent", ("a", "no_such_intent")),
        ("text\tincident\tcategory\tseverity", ("a", "maybe", "系统故障", "重大")),
        ("text\tincident\tcategory\tseverity", ("a", "1", "系统故障", "极重")),
    ],
)
async def test_unknown_labels_name_their_line(
    product: Product, tmp_path: Path, header: str, row: Sequence[str]
) -> None:
    with pytest.raises(EvaluationFileInvalid) as refused:
        await evaluate_workspace(
            live(product),
            own(table(tmp_path / "t.tsv", [row], header)),
            [Suite.NLU, Suite.TRIAGE],
            actor="test",
            now=NOW,
        )
    assert refused.value.line == 2


def test_rows_with_a_line_separator_inside_stay_whole(tmp_path: Path) -> None:
    path = table(tmp_path / "own.tsv", [("一句\u2028两行\x85", "LG01"), ("同一句", "LG01")])
    assert len(own(path).tables[0].rows) == 2


async def test_reports_are_kept_compared_and_survive_a_broken_file(
    product: Product, material: Material, tmp_path: Path
) -> None:
    store = EvaluationStore(tmp_path / "home")
    first = await evaluate_workspace(
        live(product), material, [Suite.RETRIEVAL], actor="test", now=NOW
    )
    store.keep(first)
    (store.folder / "zzzz.json").write_text('{"id": 3', "utf-8")
    assert store.newest() == [first]
    assert store.find(first.id) == first
    assert store.find("../../etc/passwd") is None
    assert store.find("a" * 32) is None
    second = replace(first, id="f" * 32)
    comparison = store.compare(second)
    assert comparison is not None
    assert comparison.before == first
    assert not any(comparison.changes.values())
    other = replace(second, questions="others")
    assert store.compare(other) is None


def test_only_one_runs_at_a_time(tmp_path: Path) -> None:
    store = EvaluationStore(tmp_path)
    assert not store.is_running()
    with store.running_alone():
        assert store.is_running()
        with pytest.raises(EvaluationRunning), store.running_alone():
            pass
    assert not store.is_running()


async def test_golden_questions_are_asked_too(product: Product) -> None:
    evaluations = product.services.evaluations
    before, _ = await evaluations.run([Suite.RETRIEVAL], actor="test")
    index = evaluations.live.index.current()
    right = next(one for one in index.answers if one.ref == "GW02")
    async with product.services.database.transaction() as session:
        for text, answer_id in (("公务卡怎么还钱", right.answer_id), ("晚上吃什么", None)):
            row = GoldenQuestionRow(text=text, answer_id=answer_id, author="t", created_at=NOW)
            session.add(row)
    report, comparison = await evaluations.run([Suite.RETRIEVAL], actor="test")
    assert comparison is None  # other questions than before
    assert report.retrieval is not None
    golden = next(group for group in report.retrieval.groups if group.name == "golden")
    assert (golden.answerable, golden.unanswerable, golden.ours.hit1) == (1, 1, 1.0)
    _, comparison = await evaluations.run([Suite.RETRIEVAL], actor="test")
    assert comparison is not None
    assert comparison.before.id == report.id
    assert report.questions != before.questions


def test_shipped_questions_are_learnt_once(tmp_path: Path) -> None:
    """A workspace with the sample content names the shipped questions again."""
    workspace = Workspace(tmp_path)
    plain = learn_interpreter(workspace)
    again = learn_interpreter(workspace, list(read_faq_categories([data_dir() / "faq"])))
    text = "我们学校的公务卡还不了款怎么办"
    assert again.understand(text) == plain.understand(text)
