"""Counting right and wrong answers."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.errors import EvaluationDataInvalid
from nlu.evaluate import (
    Score,
    compare_entities,
    compare_intents,
    compare_labels,
    read_triage_cases,
)
from nlu.training_data import Annotation, Example
from nlu.types import Entity, EntityName, Intent, Understanding
from store.vocabulary import Category, Severity


def test_a_small_task_by_hand() -> None:
    report = compare_labels(["a", "a", "b", "c"], ["a", "b", "b", "b"])
    assert report.accuracy == 0.5
    assert report.by_label == {"a": Score(1, 1, 2), "b": Score(1, 3, 1), "c": Score(0, 0, 1)}
    assert report.macro_f1 == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert report.confusions == (("a", "b", 1), ("c", "b", 1))


def test_scores_where_there_is_nothing_to_divide() -> None:
    assert (Score(0, 0, 0).precision, Score(0, 0, 0).recall, Score(0, 0, 0).f1) == (1, 1, 1)


labels = st.lists(st.sampled_from("abc"), min_size=1, max_size=30)


@given(labels, st.randoms(use_true_random=False))
def test_figures_stay_in_bounds(expected: list[str], random) -> None:
    given_labels = [random.choice("abcd") for _ in expected]
    report = compare_labels(expected, given_labels)
    assert 0 <= report.macro_f1 <= 1
    assert sum(score.hits for score in report.by_label.values()) == round(
        report.accuracy * len(expected)
    )
    assert sum(times for _, _, times in report.confusions) == len(expected) - round(
        report.accuracy * len(expected)
    )


@given(labels)
def test_all_right_is_one(expected: list[str]) -> None:
    report = compare_labels(expected, expected)
    assert (report.accuracy, report.macro_f1, report.confusions) == (1.0, 1.0, ())


def test_unequal_or_empty_lists_are_refused() -> None:
    with pytest.raises(ValueError, match="argument"):
        compare_labels(["a"], [])
    with pytest.raises(ValueError, match="nothing"):
        compare_labels([], [])


def test_entities_count_by_kind_and_place() -> None:
    example = Example(
        "支付报502",
        "x",
        (Annotation("module", "支付", 0, 2), Annotation("error_text", "502", 3, 6)),
    )
    answer = Understanding(
        example.text,
        Intent.GREET,
        1.0,
        ((Intent.GREET, 1.0),),
        (Entity(EntityName.MODULE, "国库集中支付", 0, 2), Entity(EntityName.PHONE, "502", 3, 6)),
        "x",
    )
    report = compare_entities([example], [answer])
    assert report.overall == Score(1, 2, 2)
    assert report.by_name["phone"] == Score(0, 1, 0)
    assert compare_intents([example], [answer]).accuracy == 0.0


HEAD = "id\tsplit\ttext\tincident\tcategory\tseverity\n"


def test_cases_are_read_and_small_talk_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    path.write_text(
        f'{HEAD}1\tdev\t他说"好"\ttrue\t系统故障\t重大\n2\ttest\t你好\t\t\t\n', encoding="utf-8"
    )
    (case,) = read_triage_cases(path)
    assert (case.text, case.incident) == ('他说"好"', True)
    assert (case.category, case.severity) == (Category.FAULT, Severity.MAJOR)


@pytest.mark.parametrize(
    "row",
    [
        "1\tdev\tx\tmaybe\t系统故障\t重大",
        "1\tdev\tx\ttrue\t别的\t重大",
        "1\tdev\tx\ttrue\t系统故障\t严重",
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: str) -> None:
    path = tmp_path / "x.tsv"
    path.write_text(f"{HEAD}{row}\n", encoding="utf-8")
    with pytest.raises(EvaluationDataInvalid) as caught:
        read_triage_cases(path)
    assert caught.value.line == 2


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    path.write_text("id\tseverity\n1\t一般\n", encoding="utf-8")
    with pytest.raises(EvaluationDataInvalid):
        read_triage_cases(path)
