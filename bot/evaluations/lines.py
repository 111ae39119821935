"""An evaluation as lines for a terminal, in the words of the catalogue.

Refuses to leave anything out that the figures hold except plots; those are for the HTML report.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from bot.conversations.greeting import LOCAL
from bot.evaluations.records import (
    Comparison,
    EntityFigures,
    EvaluationReport,
    LabelFigures,
    RetrievalGroup,
    RetrievalReport,
    WorstQuery,
)
from bot.phrases import Phrases

#: How many of the worst queries a terminal shows.
WORST_SHOWN = 10
CONFUSIONS_SHOWN = 3
#: For the share that could be answered if only so many answers had to be right.
_WANTED_PRECISION = 0.95


def report_lines(
    report: EvaluationReport, comparison: Comparison | None, phrases: Phrases
) -> Iterator[str]:
    """The report from top to bottom."""
    changes = comparison.changes if comparison else {}
    yield phrases.say(
        "evaluation.line.head",
        source=set_name(phrases, report.source),
        answers=report.answers,
        revision=report.revision or "—",
        answer_cut=f"{report.answer_cut:.3f}",
        offer_cut=f"{report.offer_cut:.3f}",
        seconds=f"{report.seconds:.1f}",
    )
    if report.calibrated_at:
        key = "evaluation.line.stale" if report.is_stale else "evaluation.line.calibrated"
        yield phrases.say(key, at=local_minute(report.calibrated_at))
    if report.retrieval:
        yield from _retrieval(report.retrieval, changes, phrases)
    for label in (*report.intents, *report.triage):
        yield _label(label, changes, phrases)
        yield from _confusions(label, phrases)
    for entity in report.entities:
        yield _entity(entity, changes, phrases)
    if comparison:
        yield phrases.say(
            "evaluation.line.compared" if comparison.is_of_search else "evaluation.line.figures",
            at=moment(comparison.before),
            improved=comparison.improved,
            broken=comparison.broken,
        )
    else:
        yield phrases.say("evaluation.line.first")


def set_name(phrases: Phrases, name: str) -> str:
    """A set's name as people know it; a file's own name as it is."""
    parts = []
    for part in name.split(" "):
        key = f"evaluation.set.{part}"
        parts.append(phrases.say(key) if phrases.has(key) else part)
    return " · ".join(parts)


def moment(report: EvaluationReport) -> str:
    """When a report was made, in local time to the minute."""
    return local_minute(report.at)


def local_minute(at: str) -> str:
    """An ISO time with its zone in local time, to the minute."""
    return f"{datetime.fromisoformat(at).astimezone(LOCAL):%Y-%m-%d %H:%M}"


def label_name(phrases: Phrases, label: str) -> str:
    """A label as people know it; vocabulary values and intents are their own names."""
    key = f"evaluation.label.{label.lower()}"
    return phrases.say(key) if phrases.has(key) else label


def change(changes: Mapping[str, float], name: str) -> str:
    """The change of a figure since the earlier run with its sign; empty when there is none."""
    value = changes.get(name)
    return "" if value is None or abs(value) < 0.0005 else f"{value:+.3f}"


def _retrieval(
    report: RetrievalReport, changes: Mapping[str, float], phrases: Phrases
) -> Iterator[str]:
    for group in report.groups:
        yield phrases.say(
            "evaluation.line.group",
            name=set_name(phrases, group.name),
            answerable=group.answerable,
            unanswerable=group.unanswerable,
        )
        yield _ranking(group, changes, phrases)
        yield _decision(group, changes, phrases)
        if group.unmatched:
            yield phrases.say("evaluation.line.unmatched", count=group.unmatched)
    reachable = [one for one in report.curve if one.precision >= _WANTED_PRECISION]
    if reachable:
        best = max(reachable, key=lambda one: one.coverage)
        yield phrases.say(
            "evaluation.line.reachable",
            precision=f"{_WANTED_PRECISION:.2f}",
            coverage=f"{best.coverage:.3f}",
            cut=f"{best.cut:.3f}",
        )
    yield phrases.say("evaluation.line.reliability", error=f"{report.calibration_error:.3f}")
    if report.worst:
        yield phrases.say("evaluation.line.worst", count=len(report.worst))
    for query in report.worst[:WORST_SHOWN]:
        yield _worst(query, phrases)


def _ranking(group: RetrievalGroup, changes: Mapping[str, float], phrases: Phrases) -> str:
    names = ("hit1", "hit3", "hit5", "mrr")
    values = {name: f"{getattr(group.ours, name):.3f}" for name in names}
    plain = {f"plain_{name}": f"{getattr(group.baseline, name):.3f}" for name in names}
    moved = {f"change_{name}": _bracketed(changes, f"{group.name} {name}") for name in names}
    return phrases.say("evaluation.line.ranking", **values, **plain, **moved)


def _decision(group: RetrievalGroup, changes: Mapping[str, float], phrases: Phrases) -> str:
    values: dict[str, object] = {
        "coverage": f"{group.coverage:.3f}",
        "precision": _or_dash(group.precision),
        "refusal": _or_dash(group.refusal),
        "auroc": _or_dash(group.ours.auroc),
        "plain_auroc": _or_dash(group.baseline.auroc),
    }
    names = ("coverage", "precision", "refusal")
    moved = {f"change_{name}": _bracketed(changes, f"{group.name} {name}") for name in names}
    return phrases.say("evaluation.line.decision", **values, **moved)


def _label(label: LabelFigures, changes: Mapping[str, float], phrases: Phrases) -> str:
    start = f"{label.name} {label.task}"
    return phrases.say(
        "evaluation.line.label",
        name=set_name(phrases, label.name),
        task=phrases.say(f"evaluation.task.{label.task}"),
        count=label.count,
        accuracy=f"{label.accuracy:.3f}" + _bracketed(changes, f"{start} accuracy"),
        macro_f1=f"{label.macro_f1:.3f}" + _bracketed(changes, f"{start} macro_f1"),
    )


def _confusions(label: LabelFigures, phrases: Phrases) -> Iterator[str]:
    """What is taken for something else most often."""
    found = [
        (times, right, given)
        for right, row in zip(label.labels, label.matrix, strict=True)
        for given, times in zip(label.labels, row, strict=True)
        if times and right != given
    ]
    found.sort(key=lambda one: (-one[0], one[1:]))
    if found:
        pairs = (
            f"{label_name(phrases, right)} → {label_name(phrases, given)} {times}"
            for times, right, given in found[:CONFUSIONS_SHOWN]
        )
        yield phrases.say("evaluation.line.confusions", pairs="；".join(pairs))


def _entity(entity: EntityFigures, changes: Mapping[str, float], phrases: Phrases) -> str:
    return phrases.say(
        "evaluation.line.entity",
        name=set_name(phrases, entity.name),
        count=entity.expected,
        precision=f"{entity.precision:.3f}",
        recall=f"{entity.recall:.3f}",
        f1=f"{entity.f1:.3f}" + _bracketed(changes, f"{entity.name} entities f1"),
    )


def _worst(query: WorstQuery, phrases: Phrases) -> str:
    return phrases.say(
        "evaluation.line.query",
        miss=phrases.say(f"evaluation.miss.{query.miss.value}"),
        text=query.text,
        winner=query.winner or "—",
        score=f"{query.score:.3f}",
        expected=query.expected or phrases.say("evaluation.nothing_answers"),
        rank=query.rank or "—",
        missing=" ".join(query.missing) or "—",
    )


def _bracketed(changes: Mapping[str, float], name: str) -> str:
    moved = change(changes, name)
    return f" ({moved})" if moved else ""


def _or_dash(value: float | None) -> str:
    return "—" if value is None else f"{value:.3f}"
