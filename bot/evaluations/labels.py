"""Figures of labelled messages, from the counts of `nlu.evaluate`, as they are kept and plotted.

Refuses to count anything itself.
"""

from collections.abc import Sequence

from bot.evaluations.records import EntityFigures, LabelFigures
from nlu.evaluate import LabelReport, TriageCase, compare_entities, compare_labels, compare_triage
from nlu.training_data import Example
from nlu.triage_types import Triage
from nlu.types import Understanding


def intent_figures(name: str, expected: Sequence[str], given: Sequence[str]) -> LabelFigures:
    """What messages want; raises ValueError for no message."""
    return _figures(name, "intent", compare_labels(expected, given))


def triage_figures(
    name: str, cases: Sequence[TriageCase], judged: Sequence[Triage]
) -> list[LabelFigures]:
    """The three tasks of triage."""
    report = compare_triage(cases, judged)
    return [
        _figures(name, "severity", report.severity),
        _figures(name, "category", report.category),
        _figures(name, "incident", report.incident),
    ]


def entity_figures(
    name: str, examples: Sequence[Example], answers: Sequence[Understanding]
) -> EntityFigures:
    """All kinds of entities together."""
    overall = compare_entities(examples, answers).overall
    return EntityFigures(name, overall.expected, overall.precision, overall.recall, overall.f1)


def _figures(name: str, task: str, report: LabelReport) -> LabelFigures:
    labels = tuple(report.by_label)
    places = {label: place for place, label in enumerate(labels)}
    matrix = [[0] * len(labels) for _ in labels]
    for label, score in report.by_label.items():
        matrix[places[label]][places[label]] = score.hits
    for right, given, times in report.confusions:
        matrix[places[right]][places[given]] = times
    return LabelFigures(
        name=name,
        task=task,
        count=report.count,
        accuracy=report.accuracy,
        macro_f1=report.macro_f1,
        labels=labels,
        precision=tuple(score.precision for score in report.by_label.values()),
        recall=tuple(score.recall for score in report.by_label.values()),
        matrix=tuple(map(tuple, matrix)),
    )
