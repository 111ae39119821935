"""Training both interpreters; Rasa is replaced by small programs that misbehave."""

import os
import stat
import time
from pathlib import Path

import pytest

from nlu.category_data import (
    Categorised,
    asked_examples,
    intent_categories,
    read_faq_categories,
)
from nlu.errors import TrainingDataInvalid, TrainingFailed
from nlu.similarity import SimilarityInterpreter
from nlu.train import (
    RasaServer,
    fit_categories,
    rasa_command,
    rasa_environment,
    train_interpreter,
    train_rasa,
)
from nlu.training_data import Example, read_training_data
from nlu.types import Intent
from store.vocabulary import Category
from tests.nlu.samples import write_small

CONFIG = "recipe: default.v1\nlanguage: zh\npipeline: []\n"


@pytest.fixture
def material(tmp_path: Path) -> tuple[Path, Path]:
    """A configuration and a data folder."""
    config = tmp_path / "config.yml"
    config.write_text(CONFIG, encoding="utf-8")
    return config, write_small(tmp_path / "data")


def program(tmp_path: Path, script: str) -> Path:
    """A stand-in for the rasa program."""
    path = tmp_path / "rasa"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


GOOD = """
while [ $# -gt 0 ]; do case "$1" in --out) out=$2;; --nlu) nlu=$2;; esac; shift; done
mkdir -p "$out"; ls "$nlu" > "$out/built.tar.gz"
echo "$RASA_TELEMETRY_ENABLED" >> "$out/built.tar.gz"
"""


def test_a_model_appears_under_its_name(tmp_path: Path, material: tuple[Path, Path]) -> None:
    extra = [Example("工资怎么发", "ask_question")]
    model = train_rasa(
        program(tmp_path, GOOD), *material, tmp_path / "out", extra=extra, model_name="m"
    )
    assert model == tmp_path / "out" / "m.tar.gz"
    assert model.read_text("utf-8").split() == ["000-small.yml", "extra.yml", "false"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["m.tar.gz"]
    assert material[0].read_text("utf-8") == CONFIG


def test_a_failed_training_leaves_the_old_model(
    tmp_path: Path, material: tuple[Path, Path]
) -> None:
    out = tmp_path / "out"
    train_rasa(program(tmp_path, GOOD), *material, out)
    before = (out / "nlu.tar.gz").read_bytes()
    with pytest.raises(TrainingFailed) as caught:
        train_rasa(program(tmp_path, "echo no memory >&2; exit 3"), *material, out)
    assert "no memory" in caught.value.log_tail
    assert (out / "nlu.tar.gz").read_bytes() == before


@pytest.mark.parametrize("script", ["exit 0", "kill -9 $$"])
def test_no_model_is_a_failure(tmp_path: Path, material: tuple[Path, Path], script: str) -> None:
    with pytest.raises(TrainingFailed):
        train_rasa(program(tmp_path, script), *material, tmp_path / "out")


def test_a_missing_program_or_configuration(tmp_path: Path, material: tuple[Path, Path]) -> None:
    with pytest.raises(TrainingFailed):
        train_rasa(tmp_path / "nowhere", *material, tmp_path / "out")
    with pytest.raises(TrainingFailed):
        train_rasa(program(tmp_path, GOOD), tmp_path / "no", material[1], tmp_path / "out")
    with pytest.raises(TrainingDataInvalid):
        train_rasa(program(tmp_path, GOOD), material[0], tmp_path / "no", tmp_path / "out")


def test_training_that_hangs_is_ended_with_its_children(
    tmp_path: Path, material: tuple[Path, Path]
) -> None:
    script = f"sleep 60 & echo $! > {tmp_path}/child; wait"
    started = time.monotonic()
    with pytest.raises(TrainingFailed, match="longer than"):
        train_rasa(program(tmp_path, script), *material, tmp_path / "out", timeout_s=0.5)
    assert time.monotonic() - started < 10
    child = int((tmp_path / "child").read_text("utf-8"))
    for _ in range(50):
        if not Path(f"/proc/{child}").exists() or "Z" in _state(child):
            return
        time.sleep(0.05)
    pytest.fail("the child lives on")


def _state(process_id: int) -> str:
    try:
        return Path(f"/proc/{process_id}/stat").read_text("utf-8").split(")")[1].split()[0]
    except OSError:
        return "Z"


def test_rasa_serves_this_machine_only() -> None:
    command = rasa_command(Path("/opt/rasa"), Path("/m.tar.gz"), RasaServer(port=7, token="t"))
    assert command[:3] == ("/opt/rasa", "run", "--enable-api")
    assert command[command.index("--interface") + 1] == "127.0.0.1"
    assert command[command.index("--port") + 1] == "7"
    assert command[command.index("--auth-token") + 1] == "t"
    assert "--auth-token" not in rasa_command(Path("rasa"), Path("m"))
    assert "--cors" not in command


def test_rasa_reports_nothing_to_anybody() -> None:
    environment = rasa_environment({"PATH": "/bin", "RASA_TELEMETRY_ENABLED": "true"}, threads=2)
    assert environment["RASA_TELEMETRY_ENABLED"] == "false"
    assert (environment["PATH"], environment["OMP_NUM_THREADS"]) == ("/bin", "2")
    assert rasa_environment().keys() >= os.environ.keys()


def test_the_interpreter_is_replaced_whole(tmp_path: Path) -> None:
    data = write_small(tmp_path / "data")
    out = tmp_path / "deep" / "interpreter"
    train_interpreter([data], out)
    (out / "stale").write_text("x", encoding="utf-8")
    out.with_name("interpreter.new").mkdir()
    trained = train_interpreter([data], out)
    assert not (out / "stale").exists()
    assert [path.name for path in out.parent.iterdir()] == ["interpreter"]
    assert SimilarityInterpreter.load(out).understand("你好") == trained.understand("你好")


def test_foreign_intents_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text(
        "nlu:\n- intent: book_flight\n  examples: |\n    - a\n", encoding="utf-8"
    )
    with pytest.raises(TrainingFailed, match="book_flight"):
        train_interpreter([tmp_path], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_categories_come_from_faq_tables(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        'question,similar,answer,module,ref,category\n怎么登录,"登不上|登录点哪",看,m,L1,操作咨询\n'
        "没有类别,x,y,m,L2,\n别的类别,x,y,m,L3,其他\n",
        encoding="utf-8-sig",
    )
    (tmp_path / "b.tsv").write_text(
        "问题\t相似问\t答案\t类别\n报错\t\ty\t系统故障\n", encoding="utf-8"
    )
    (tmp_path / "c.csv").write_text("question,answer\n没有这一列,y\n", encoding="utf-8")
    read = read_faq_categories([tmp_path])
    assert [(item.text, item.category) for item in read] == [
        ("怎么登录", Category.HOW_TO),
        ("登不上", Category.HOW_TO),
        ("登录点哪", Category.HOW_TO),
        ("报错", Category.FAULT),
    ]


def test_an_unreadable_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xff\xfe\x00question")
    with pytest.raises(TrainingDataInvalid) as caught:
        read_faq_categories([tmp_path])
    assert caught.value.path == path
    with pytest.raises(TrainingDataInvalid):
        read_faq_categories([tmp_path / "nowhere.csv"])


def test_what_the_knowledge_base_teaches_about_intents() -> None:
    items = [
        Categorised("怎么登录", Category.HOW_TO),
        Categorised("密码忘了", Category.ACCOUNT),
        Categorised("页面报错", Category.FAULT),
        Categorised("标准是多少", Category.POLICY),
    ]
    assert [(example.text, example.intent) for example in asked_examples(items)] == [
        ("怎么登录", Intent.ASK_QUESTION),
        ("页面报错", Intent.REPORT_FAULT),
        ("标准是多少", Intent.POLICY_QUESTION),
    ]


def test_intents_that_are_a_category(tmp_path: Path) -> None:
    data = read_training_data([write_small(tmp_path)])
    categories = {item.category for item in intent_categories(data)}
    assert categories == {Category.POLICY}
    assert fit_categories(intent_categories(data)) is None


def told(folder: Path, category: str) -> Path:
    path = folder / "told.yml"
    path.write_text(
        "nlu:\n- intent: report_fault\n  metadata:\n"
        f"    category: {category}\n  examples: |\n    - 少了两笔\n"
        "- intent: greet\n  metadata: [x]\n  examples: |\n    - 你好\n",
        encoding="utf-8",
    )
    return path


def test_an_entry_may_name_its_category(tmp_path: Path) -> None:
    data = read_training_data([told(tmp_path, "数据问题")])
    assert intent_categories(data) == (Categorised("少了两笔", Category.DATA),)


def test_a_foreign_category_is_refused(tmp_path: Path) -> None:
    data = read_training_data([told(tmp_path, "杂项")])
    with pytest.raises(TrainingFailed, match="杂项"):
        intent_categories(data)
