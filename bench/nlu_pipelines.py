"""Compares Rasa pipelines and the in-process interpreter on one machine, and prints a table.

Each pipeline is trained from ``data/nlu`` in a temporary folder, served by ``rasa run`` on a free
port of this machine, and asked every message of ``data/evaluation/nlu_test.yml`` through the same
:class:`nlu.rasa.RasaInterpreter` as in production, so that accuracy and latency are what users get.

    .venv/bin/python bench/nlu_pipelines.py [PIPELINE.yml …] [--rounds 3] [--json FILE]

Without arguments: every file in ``bench/pipelines`` and the default ``config.yml``.
"""

import argparse
import asyncio
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import psutil

from nlu.category_data import Categorised, asked_examples, read_faq_categories
from nlu.entities import EntityExtractor
from nlu.evaluate import compare_entities, compare_intents
from nlu.rasa import RasaInterpreter
from nlu.settings import NluSettings
from nlu.similarity import SimilarityInterpreter
from nlu.train import (
    RasaServer,
    rasa_command,
    rasa_environment,
    train_interpreter,
    train_rasa,
)
from nlu.training_data import Example, TrainingData, read_training_data
from nlu.types import Interpreter, Understanding

ROOT = Path(__file__).resolve().parent.parent
READY_LIMIT_S = 180.0
TRAINING_LIMIT_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. Times in seconds (training, ready) or milliseconds (the rest)."""

    pipeline: str
    training_s: float
    ready_s: float
    accuracy: float
    macro_f1: float
    entity_f1: float
    entity_f1_alone: float
    p50_ms: float
    p95_ms: float
    per_second: float
    memory_mb: float
    model_mb: float


@dataclass(frozen=True, slots=True)
class Material:
    """What every pipeline learns from and is asked."""

    data_dir: Path
    faq: tuple[Categorised, ...]
    test: tuple[Example, ...]


class NoEntities(EntityExtractor):
    """Finds nothing, so that only the learned entities are seen."""


async def measure(
    interpreter: Interpreter, examples: Sequence[Example], rounds: int
) -> tuple[list[Understanding], list[float]]:
    """The first round's answers, and every parse's duration in milliseconds, one at a time."""
    for example in examples[:20]:
        await interpreter.parse(example.text)
    answers, durations = [], []
    for _ in range(rounds):
        for example in examples:
            started = time.perf_counter()
            answers.append(await interpreter.parse(example.text))
            durations.append((time.perf_counter() - started) * 1_000)
    return answers[: len(examples)], durations


async def throughput(interpreter: Interpreter, examples: Sequence[Example], workers: int) -> float:
    """Parses per second with several callers at once."""
    queue = [example.text for example in examples]

    async def work(offset: int) -> None:
        for text in queue[offset::workers]:
            await interpreter.parse(text)

    started = time.perf_counter()
    await asyncio.gather(*(work(offset) for offset in range(workers)))
    elapsed: float = time.perf_counter() - started
    return len(queue) / elapsed


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_ready(process: subprocess.Popen[bytes], port: int) -> float:
    """Seconds until the server has parsed its first message."""
    started = time.perf_counter()
    while time.perf_counter() - started < READY_LIMIT_S:
        if process.poll() is not None:
            raise SystemExit(f"rasa run ended with {process.returncode}")
        try:
            url = f"http://127.0.0.1:{port}/model/parse"
            if httpx.post(url, json={"text": "你好"}, trust_env=False).is_success:
                return time.perf_counter() - started
        except httpx.HTTPError:
            time.sleep(0.1)
    raise SystemExit("rasa run did not become ready")


def memory_mb(process_id: int) -> float:
    """Resident memory of a process and its children."""
    process = psutil.Process(process_id)
    family = [process, *process.children(recursive=True)]
    return sum(member.memory_info().rss for member in family) / 1e6


async def ask(
    port: int, data: TrainingData, test: Sequence[Example], rounds: int
) -> dict[str, float]:
    """Accuracy and speed of a running server."""
    settings = NluSettings(
        rasa_url=f"http://127.0.0.1:{port}", deadline_s=10, breaker_failures=10_000
    )
    alone = RasaInterpreter(settings, NoEntities())
    learned, _ = await measure(alone, test, 1)
    await alone.close()
    interpreter = RasaInterpreter(settings, EntityExtractor.from_training(data))
    answers, durations = await measure(interpreter, test, rounds)
    per_second = await throughput(interpreter, list(test) * 2, workers=8)
    await interpreter.close()
    alone_f1 = compare_entities(test, learned).overall.f1
    return figures(test, answers, durations) | {
        "entity_f1_alone": alone_f1,
        "per_second": per_second,
    }


def figures(
    test: Sequence[Example], answers: list[Understanding], durations: list[float]
) -> dict[str, float]:
    """The table's figures that every interpreter has."""
    intents = compare_intents(test, answers)
    return {
        "accuracy": intents.accuracy,
        "macro_f1": intents.macro_f1,
        "entity_f1": compare_entities(test, answers).overall.f1,
        "p50_ms": statistics.median(durations),
        "p95_ms": statistics.quantiles(durations, n=20)[18],
    }


def measure_pipeline(config: Path, material: "Material", rounds: int) -> Row:
    """Train, serve and measure one pipeline."""
    rasa = ROOT / ".venv-rasa/bin/rasa"
    with tempfile.TemporaryDirectory(prefix="nlu-bench-") as work:
        started = time.perf_counter()
        model = train_rasa(
            rasa,
            config,
            material.data_dir,
            Path(work),
            extra=asked_examples(material.faq),
            threads=os.cpu_count() or 1,
            timeout_s=TRAINING_LIMIT_S,
        )
        training_s = time.perf_counter() - started
        port = free_port()
        with subprocess.Popen(
            rasa_command(rasa, model, RasaServer(port=port)),
            cwd=work,
            env=rasa_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                ready_s = wait_until_ready(process, port)
                data = read_training_data([material.data_dir])
                measured = asyncio.run(ask(port, data, material.test, rounds))
                memory = memory_mb(process.pid)
            finally:
                process.terminate()
                process.wait(20)
        model_mb = model.stat().st_size / 1e6
        return Row(
            config.stem, training_s, ready_s, memory_mb=memory, model_mb=model_mb, **measured
        )


def measure_similarity(material: "Material", rounds: int) -> Row:
    """The same for the in-process interpreter."""
    before = psutil.Process().memory_info().rss
    with tempfile.TemporaryDirectory(prefix="nlu-bench-") as work:
        folder = Path(work) / "interpreter"
        started = time.perf_counter()
        train_interpreter([material.data_dir], folder, categorised=material.faq)
        training_s = time.perf_counter() - started
        started = time.perf_counter()
        interpreter = SimilarityInterpreter.load(folder)
        ready_s = time.perf_counter() - started
        model_mb = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
    memory = (psutil.Process().memory_info().rss - before) / 1e6
    answers, durations = asyncio.run(measure(interpreter, material.test, rounds))
    per_second = asyncio.run(throughput(interpreter, list(material.test) * 2, workers=8))
    measured = figures(material.test, answers, durations)
    return Row(
        "similarity (in process)",
        training_s,
        ready_s,
        entity_f1_alone=measured["entity_f1"],
        per_second=per_second,
        memory_mb=memory,
        model_mb=model_mb,
        **measured,
    )


def show(rows: Sequence[Row]) -> None:
    """Print the table as Markdown."""
    print(
        "| pipeline | accuracy | macro-F1 | entity F1 (learned alone) | p50 / p95 ms | parses/s |",
        end="",
    )
    print(" training s | ready s | memory MB | model MB |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row.pipeline} | {row.accuracy:.3f} | {row.macro_f1:.3f} "
            f"| {row.entity_f1:.3f} ({row.entity_f1_alone:.3f}) "
            f"| {row.p50_ms:.1f} / {row.p95_ms:.1f} | {row.per_second:.0f} "
            f"| {row.training_s:.1f} | {row.ready_s:.1f} "
            f"| {row.memory_mb:.0f} | {row.model_mb:.1f} |"
        )


def main() -> None:
    """Measure what the command line names."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("pipelines", nargs="*", type=Path)
    arguments.add_argument("--data", type=Path, default=ROOT / "data/nlu")
    arguments.add_argument("--faq", type=Path, default=ROOT / "data/faq")
    arguments.add_argument("--test", type=Path, default=ROOT / "data/evaluation/nlu_test.yml")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--json", type=Path)
    chosen = arguments.parse_args()
    listed = chosen.pipelines or [
        *sorted((ROOT / "bench/pipelines").glob("*.yml")),
        ROOT / "config.yml",
    ]
    material = Material(
        chosen.data,
        read_faq_categories([chosen.faq]),
        read_training_data([chosen.test]).examples,
    )
    taught = len(read_training_data([chosen.data]).examples) + len(asked_examples(material.faq))
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    print(f"{taught} training messages, {len(material.test)} test messages\n", flush=True)
    rows = [measure_similarity(material, chosen.rounds)]
    for config in listed:
        rows.append(measure_pipeline(config, material, chosen.rounds))
        show(rows[-1:])
    show(rows)
    if chosen.json:
        chosen.json.write_text(
            json.dumps([asdict(row) for row in rows], indent=2), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
