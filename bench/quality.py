"""Public intent suites: `python -m bench quality` (or `bench/quality.py [--rasa] [--folds N] …`).

BANKING77, CLINC150 and HWU64 from `../shared/datasets` (or $CAIWEN_SHARED; skipped where absent),
with the model of the in-process interpreter, and with ``--rasa`` with the pipeline of `config.yml`
where only the tokenizer is another one: Chinese is cut by a dictionary, English at its blanks.
``--pipeline bench/pipelines/diet_sparse.yml`` asks that pipeline instead.
Printed beside published figures. The thresholds for CLINC150's foreign questions are chosen on its
validation part, never on a test part.
"""

import argparse
import csv
import gzip
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml

from bench.nlu_pipelines import free_port, wait_until_ready
from nlu.evaluate import compare_labels
from nlu.linear import LinearModel
from nlu.linear_training import fit_linear
from nlu.text import Folding
from nlu.train import RasaServer, rasa_command, rasa_environment, train_rasa
from nlu.training_data import Example, write_examples

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("CAIWEN_SHARED", ROOT.parent / "shared"))
DATASETS = SHARED / "datasets"
OOS = "oos"
#: Best published figures for comparable means, as the papers give them.
PUBLISHED = {
    "banking77": "LinearSVC 0.908",
    "hwu64": "DIET sparse 0.8819 F1, DIET with ConveRT 0.9018 F1 (ten folds); LinearSVC 0.875",
    "clinc150": "Rasa 0.915, foreign found 0.453 (Larson 2019); LinearSVC 0.918",
}
#: Own accuracy of the published pair for CLINC150: what is found is only comparable there.
PUBLISHED_OWN = 0.915
_STEPS = tuple(step / 100 for step in range(100))
#: Published pipelines of neural networks take long on few cores.
_TRAINING_LIMIT_S = 3_600.0
_ENTITY = re.compile(r"\[([^\]]+)\]\([^)]*\)")

Labelled = tuple[str, str]
#: A text's intent and how sure that is.
Guess = Callable[[str], tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Suite:
    """One training and test part; `foreign` ones are asked beside, `tuning` chooses a threshold."""

    name: str
    published: str
    train: list[Labelled]
    test: list[Labelled]
    foreign: tuple[Labelled, ...] = ()
    tuning: tuple[Labelled, ...] = ()


def read_table(name: str) -> list[Labelled]:
    """Rows of a packed table with the columns text and intent."""
    with gzip.open(DATASETS / name, "rt", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(row["text"], row["intent"]) for row in rows]


def read_markdown(name: str) -> list[Labelled]:
    """Examples of Rasa's former training format without their entities."""
    found: list[Labelled] = []
    intent = ""
    with gzip.open(DATASETS / name, "rt", encoding="utf-8") as file:
        for line in file:
            if line.startswith("##"):
                intent = line.removeprefix("## intent:").strip() if "intent:" in line else ""
            elif line.startswith("- ") and intent:
                found.append((_ENTITY.sub(r"\1", line[2:].strip()), intent))
    return found


def suites(folds: int) -> list[Suite]:
    """Every suite that is there; of HWU64's folds at most so many."""
    found = []
    if (DATASETS / "banking77").exists():
        train, test = read_table("banking77/train.tsv.gz"), read_table("banking77/test.tsv.gz")
        found.append(Suite("banking77", PUBLISHED["banking77"], train, test))
    ready = sorted((DATASETS / "hwu64").glob("diet_10fold/*_train.md.gz"))
    for path in ready[:folds]:
        fold = path.name.removesuffix("_train.md.gz")
        parts = [read_markdown(f"hwu64/diet_10fold/{fold}_{part}.md.gz") for part in _PARTS]
        found.append(Suite(f"hwu64 {fold}", PUBLISHED["hwu64"], *parts))
    if (DATASETS / "clinc150").exists():
        found.append(_clinc150())
    return found


_PARTS = ("train", "test")


def _clinc150() -> Suite:
    return Suite(
        "clinc150",
        PUBLISHED["clinc150"],
        read_table("clinc150/train.tsv.gz") + read_table("clinc150/oos_train.tsv.gz"),
        read_table("clinc150/test.tsv.gz"),
        foreign=tuple(read_table("clinc150/oos_test.tsv.gz")),
        tuning=(*read_table("clinc150/val.tsv.gz"), *read_table("clinc150/oos_val.tsv.gz")),
    )


def in_process(suite: Suite) -> tuple[Guess, float]:
    """The interpreter's model over this suite's intents, and the seconds it took to train."""
    folding = Folding()
    started = time.perf_counter()
    texts = [folding.fold(text) for text, _ in suite.train]
    model = fit_linear(texts, [intent for _, intent in suite.train])
    seconds = time.perf_counter() - started
    return lambda text: _best(model, folding.fold(text)), seconds


def _best(model: LinearModel, folded: str) -> tuple[str, float]:
    shares = model.probabilities(folded)
    place = int(shares.argmax())
    return model.labels[place], float(shares[place])


def report(suite: Suite, name: str, guess: Guess, seconds: float) -> None:
    """Ask everything, one at a time, and print."""
    for text, _ in suite.test[:50]:
        guess(text)
    durations, given = [], []
    for text, _ in suite.test:
        started = time.perf_counter()
        given.append(guess(text))
        durations.append((time.perf_counter() - started) * 1_000)
    right = [intent for _, intent in suite.test]
    labels = compare_labels(right, [intent for intent, _ in given])
    print(
        f"{suite.name:16} {name:12} accuracy {labels.accuracy:.4f} macro-F1 {labels.macro_f1:.4f}"
        f"  p50 {statistics.median(durations):.2f} p95 "
        f"{statistics.quantiles(durations, n=20)[18]:.2f} ms  training {seconds:.0f} s"
        f"  | {suite.published}",
        flush=True,
    )
    if suite.foreign:
        foreign(suite, name, guess, given)


def foreign(suite: Suite, name: str, guess: Guess, given: Sequence[tuple[str, float]]) -> None:
    """Foreign questions: as a class of its own, then with a threshold from the tuning part."""
    tuned = [(intent, guess(text)) for text, intent in suite.tuning]
    found = [guess(text) for text, _ in suite.foreign]
    for what, least in (
        ("class", 0.0),
        ("threshold at published accuracy", _keeping(tuned, PUBLISHED_OWN)),
        ("threshold, best mean", _balanced(tuned)),
    ):
        inside = _share(given, [intent for _, intent in suite.test], least)
        outside = _share(found, [OOS] * len(found), least)
        print(
            f"{suite.name:16} {name:12} foreign by {what} ({least:.2f}): "
            f"own accuracy {inside:.4f}, foreign found {outside:.4f}",
            flush=True,
        )


def _keeping(tuned: Sequence[tuple[str, tuple[str, float]]], accuracy: float) -> float:
    """The highest at which own questions of the tuning part still get this accuracy."""
    given = [one for intent, one in tuned if intent != OOS]
    right = [intent for intent, _ in tuned if intent != OOS]
    kept = [least for least in _STEPS if _share(given, right, least) >= accuracy]
    return max(kept, default=0.0)


def _balanced(tuned: Sequence[tuple[str, tuple[str, float]]]) -> float:
    """Where the mean of both shares on the tuning part is highest."""
    own = [(intent, one) for intent, one in tuned if intent != OOS]
    other = [one for intent, one in tuned if intent == OOS]

    def mean(least: float) -> float:
        inside = _share([one for _, one in own], [intent for intent, _ in own], least)
        return inside + _share(other, [OOS] * len(other), least)

    return max(_STEPS, key=mean)


def _share(given: Sequence[tuple[str, float]], right: Sequence[str], least: float) -> float:
    answers = [intent if share >= least else OOS for intent, share in given]
    return sum(one == other for one, other in zip(answers, right, strict=True)) / len(right)


def english_pipeline(source: Path, folder: Path) -> Path:
    """A pipeline with a tokenizer for languages that put blanks between words."""
    content = yaml.safe_load(source.read_text(encoding="utf-8"))
    content["language"] = "en"
    for part in content["pipeline"]:
        if part["name"] == "JiebaTokenizer":
            part["name"] = "WhitespaceTokenizer"
    path = folder / "config.yml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def with_rasa(suite: Suite, pipeline: Path) -> None:
    """Train, serve and ask a Rasa pipeline."""
    rasa = ROOT / ".venv-rasa/bin/rasa"
    with tempfile.TemporaryDirectory(prefix="quality-") as work:
        folder = Path(work)
        (folder / "data").mkdir()
        examples = [Example(text, intent) for text, intent in suite.train]
        (folder / "data" / "nlu.yml").write_text(write_examples(examples), encoding="utf-8")
        started = time.perf_counter()
        model = train_rasa(
            rasa,
            english_pipeline(pipeline, folder),
            folder / "data",
            folder / "models",
            threads=os.cpu_count() or 1,
            timeout_s=_TRAINING_LIMIT_S,
        )
        seconds = time.perf_counter() - started
        port = free_port()
        with subprocess.Popen(
            rasa_command(rasa, model, RasaServer(port=port)),
            cwd=work,
            env=rasa_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                wait_until_ready(process, port)
                with httpx.Client(trust_env=False, timeout=30) as client:
                    url = f"http://127.0.0.1:{port}/model/parse"
                    report(suite, pipeline.name, lambda text: _ask(client, url, text), seconds)
            finally:
                process.terminate()
                process.wait(20)


def _ask(client: httpx.Client, url: str, text: str) -> tuple[str, float]:
    intent = client.post(url, json={"text": text}).json()["intent"]
    return intent["name"], float(intent["confidence"])


def main(arguments: Sequence[str] = ()) -> None:
    """Print the named suites, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suites", nargs="*", help="banking77, hwu64, clinc150; default all")
    parser.add_argument("--folds", type=int, default=2, help="of HWU64 at most so many folds")
    parser.add_argument("--rasa", action="store_true", help="the Rasa pipeline too; minutes each")
    parser.add_argument("--pipeline", type=Path, help="another Rasa pipeline than config.yml")
    chosen = parser.parse_args(list(arguments))
    found = suites(chosen.folds)
    if not found:
        print(f"skipped: no suites in {DATASETS}")
    for suite in found:
        if chosen.suites and suite.name.split()[0] not in chosen.suites:
            continue
        report(suite, "in process", *in_process(suite))
        if chosen.rasa or chosen.pipeline:
            with_rasa(suite, chosen.pipeline or ROOT / "config.yml")


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
