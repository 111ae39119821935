"""Rasa's training format, read and written without Rasa."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nlu.errors import TrainingDataInvalid
from nlu.training_data import (
    Annotation,
    Example,
    parse_example,
    read_training_data,
    write_examples,
)
from nlu.types import EntityName, Intent
from tests.nlu.samples import DATA, write_small


def test_markup() -> None:
    marked = (
        '[支付单]{"entity": "module", "value": "支付申请"}报[502](error_text)了，[全市](scope:wide)'
    )
    example = parse_example(marked, "report_fault")
    assert example.text == "支付单报502了，全市"
    assert example.entities == (
        Annotation("module", "支付申请", 0, 3),
        Annotation("error_text", "502", 4, 7),
        Annotation("scope", "wide", 9, 11),
    )


def test_brackets_that_annotate_nothing_are_text() -> None:
    assert parse_example("点[保存]没反应(急)", "x").text == "点[保存]没反应(急)"


def test_everything_is_read(tmp_path: Path) -> None:
    data = read_training_data([write_small(tmp_path)])
    assert len(data.examples) == 40
    assert data.synonyms == {"门户": "统一门户", "指标": "预算指标管理"}
    assert data.lookups["module"][:2] == ("统一门户", "支付申请")
    assert data.regexes == {"document_number": (r"ZF\d{8,12}",)}


def test_examples_may_be_lists(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "nlu:\n- intent: greet\n  examples:\n  - text: 你好\n    metadata: {a: 1}\n  - 您好\n",
        encoding="utf-8",
    )
    data = read_training_data([tmp_path])
    assert [example.text for example in data.examples] == ["你好", "您好"]


def test_files_and_repetitions_merge(tmp_path: Path) -> None:
    write_small(tmp_path / "one")
    write_small(tmp_path / "two")
    assert len(read_training_data([tmp_path]).examples) == 40


@pytest.mark.parametrize(
    "content",
    [
        "nlu: [1, 2",
        "- a\n- b",
        "nlu: {a: b}",
        "nlu:\n- intent: greet\n  examples: 5",
        "nlu:\n- intent: greet\n  examples: |\n    你好",
        "nlu:\n- rule: x\n  examples: |\n    - 你好",
        "nlu:\n- regex: x\n  examples: |\n    - '['",
        'nlu:\n- intent: a\n  examples: |\n    - [b]{"value": "c"}',
        "nlu:\n- intent: a\n  examples: |\n    - [b]{not json}",
        "nlu:\n- 5",
        "nlu: !!python/object/apply:os.system ['true']",
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.yml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TrainingDataInvalid) as caught:
        read_training_data([tmp_path])
    assert caught.value.path == path


def test_binary_and_missing_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_bytes(b"\xff\xfe\x00nlu")
    with pytest.raises(TrainingDataInvalid):
        read_training_data([tmp_path])
    with pytest.raises(TrainingDataInvalid):
        read_training_data([tmp_path / "nowhere"])


def test_an_empty_file_is_no_data(tmp_path: Path) -> None:
    (tmp_path / "empty.yml").write_text("", encoding="utf-8")
    assert read_training_data([tmp_path]).examples == ()


@given(st.lists(st.tuples(st.text(max_size=40), st.sampled_from(["greet", "deny"])), max_size=8))
def test_written_examples_are_read_again(pairs: list[tuple[str, str]]) -> None:
    written = write_examples([Example(text, intent) for text, intent in pairs])
    entries = yaml.safe_load(written)["nlu"]
    lines = [line for entry in entries for line in entry["examples"].splitlines()]
    assert all(line.startswith("- ") for line in lines)
    assert not any(mark in line for line in lines for mark in "[]{}\\")


def test_written_examples_teach_the_same(tmp_path: Path) -> None:
    examples = [Example("点“保存”\n报错: #1", "report_fault"), Example("- 你好", "greet")]
    (tmp_path / "x.yml").write_text(write_examples(examples), encoding="utf-8")
    read = read_training_data([tmp_path]).examples
    assert {example.intent for example in read} == {"report_fault", "greet"}
    assert "点“保存” 报错: #1" in [example.text for example in read]


def test_the_shipped_data_speaks_of_our_intents_and_entities() -> None:
    data = read_training_data([DATA / "nlu"])
    assert {example.intent for example in data.examples} == set(Intent)
    named = {entity.name for example in data.examples for entity in example.entities}
    assert named == set(EntityName)
    for example in data.examples:
        for entity in example.entities:
            assert example.text[entity.start : entity.end].strip()
