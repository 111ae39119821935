"""How well messages are understood and judged: intents, entities, severity, category, incidents.

Trains the in-process interpreter and the category model as ``caiwen train`` does, and asks the
evaluation sets of ``data/evaluation``. With ``--home`` (a workspace with a built index) triage also
hears the knowledge base's best answers, as it does in a conversation.

    .venv/bin/python -m bench.nlu_quality [--home var]
"""

import argparse
import csv
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from nlu.category_data import read_faq_categories
from nlu.evaluate import (
    LabelReport,
    TriageReport,
    compare_entities,
    compare_intents,
    compare_labels,
    compare_triage,
    read_triage_cases,
)
from nlu.similarity import SimilarityInterpreter
from nlu.train import train_interpreter
from nlu.training_data import read_training_data
from nlu.triage import Triager
from nlu.triage_types import Similar
from store.vocabulary import Category, Severity

ROOT = Path(__file__).resolve().parent.parent
EVALUATION = ROOT / "data" / "evaluation"
SETS = ("triage.tsv", "messages.tsv")

Resembling = Callable[[str], Sequence[Similar]]


def knowledge(home: Path) -> Resembling:
    """The categories of the best answers of a workspace's index."""
    from kb.index_holder import IndexHolder  # noqa: PLC0415  # only with --home
    from kb.retriever import Retriever  # noqa: PLC0415
    from kb.settings import KnowledgeSettings  # noqa: PLC0415

    retriever = Retriever(IndexHolder(home, KnowledgeSettings()))
    known = {str(category) for category in Category}

    def resembling(text: str) -> Sequence[Similar]:
        found = retriever.search(text).candidates
        return [Similar(Category(c.category), c.score) for c in found if c.category in known]

    return resembling


def line(name: str, report: LabelReport) -> None:
    """Print one task's figures."""
    print(f"{name:36} n={report.count:5} accuracy {report.accuracy:.3f}", end="")
    print(f" macro-F1 {report.macro_f1:.3f}")


def triage_lines(name: str, report: TriageReport) -> None:
    """Print the three tasks of triage, and the level that matters most."""
    line(f"{name} incident", report.incident)
    line(f"{name} category", report.category)
    line(f"{name} severity", report.severity)
    for level in Severity:
        score = report.severity.by_label.get(str(level))
        if score:
            print(f"    {level}: recall {score.recall:.3f} precision {score.precision:.3f}")


def understanding(interpreter: SimilarityInterpreter) -> None:
    """Intents and entities."""
    test = read_training_data([EVALUATION / "nlu_test.yml"]).examples
    answers = [interpreter.understand(example.text) for example in test]
    line("nlu_test.yml intents", compare_intents(test, answers))
    entities = compare_entities(test, answers)
    print(
        f"nlu_test.yml entities F1 {entities.overall.f1:.3f} precision "
        f"{entities.overall.precision:.3f} recall {entities.overall.recall:.3f}"
    )
    for split in ("dev", "test"):
        rows = [row for row in messages() if row["split"] == split]
        given = [str(interpreter.understand(row["text"]).intent) for row in rows]
        line(f"messages.tsv {split} intents", compare_labels([r["intent"] for r in rows], given))


def messages() -> list[dict[str, str]]:
    """The rows of the messages' evaluation set."""
    with (EVALUATION / "messages.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def judging(interpreter: SimilarityInterpreter, triager: Triager, resembling: Resembling) -> None:
    """Incidents, categories and severities."""
    for name in SETS:
        cases = read_triage_cases(EVALUATION / name)
        for split in ("dev", "test"):
            chosen = [case for case in cases if case.split == split]
            judged = [
                triager.triage(
                    case.text,
                    understanding=interpreter.understand(case.text),
                    similar=resembling(case.text),
                )
                for case in chosen
            ]
            triage_lines(f"{name} {split}", compare_triage(chosen, judged))


def main() -> None:
    """Train in a temporary folder, then print everything."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--home", type=Path, help="a workspace with a built index")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="nlu-quality-") as work:
        folder = Path(work) / "interpreter"
        faq = read_faq_categories([ROOT / "data/faq"])
        train_interpreter([ROOT / "data/nlu"], folder, categorised=faq)
        interpreter, triager = SimilarityInterpreter.load(folder), Triager.load(folder)
    understanding(interpreter)
    judging(interpreter, triager, knowledge(chosen.home) if chosen.home else lambda _text: ())


if __name__ == "__main__":
    main()
