"""Trains both interpreters from the same files, and says how the Rasa server is started.

Rasa lives in an environment of its own and is only ever run as a program; nothing of it is
imported. Its usage reporting is switched off. Refuses to serve anything itself.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlu.category_data import Categorised, asked_examples, intent_categories
from nlu.composing import compose
from nlu.entities import EntityExtractor
from nlu.errors import TrainingFailed
from nlu.level_model import Rated, fit_levels, rated_examples
from nlu.linear import LinearModel
from nlu.memory import remember
from nlu.similarity import SimilarityInterpreter
from nlu.text import Folding
from nlu.training_data import (
    Example,
    TrainingData,
    read_training_data,
    training_files,
    write_examples,
)
from nlu.triage import CATEGORIES_FOLDER, LEVELS_FOLDER
from nlu.types import Intent

#: Rasa finishes the default pipeline well within this, seconds.
RASA_TRAINING_LIMIT_S = 900.0
_LOG_TAIL_CHARS = 4_000
#: Composed messages for each example; tried up to 0.3.
COMPOSED_SHARE = 0.06
#: Intents are learned for messages as people write them: the rare ones count a little less than
#: the frequent ones do, and a long example more than a short one (by its length against this many
#: characters, within limits). Chosen by cross-validation over the told messages.
INTENT_BALANCE = 0.75
USUAL_CHARS = 12
LEAST_WEIGHT, MOST_WEIGHT = 0.5, 3.0
#: Categories want a simpler model than intents; 0.5 and 1.0 were tried on the dev parts.
CATEGORY_PENALTY_INVERSE = 0.5


@dataclass(frozen=True, slots=True)
class RasaServer:
    """How to serve a model: on which port of this machine, and the token that callers must send."""

    port: int = 5005
    token: str = ""
    host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Corrections:
    """What people have set right on matters that were judged: their categories and levels."""

    categorised: tuple[Categorised, ...] = ()
    rated: tuple[Rated, ...] = ()


def train_interpreter(
    data_paths: Sequence[Path],
    out_dir: Path,
    *,
    categorised: Sequence[Categorised] = (),
    corrections: Corrections | None = None,
) -> SimilarityInterpreter:
    """Train the in-process interpreter and the models of triage, and save all in ``out_dir``.

    ``categorised`` are messages whose category people have set (see :mod:`nlu.category_data`);
    they teach categories, and how people ask. ``corrections`` teach triage alone.
    ``out_dir`` is replaced as a whole, once everything is written. Raises TrainingDataInvalid for
    unreadable files, TrainingFailed when they hold fewer than two intents, or one that is not ours.
    """
    data = read_training_data(data_paths)
    interpreter = fit_interpreter(data, extra=asked_examples(categorised))
    put_right = corrections or Corrections()
    known = (*categorised, *put_right.categorised)
    model = fit_categories((*known, *intent_categories(data)))
    levels = fit_levels((*put_right.rated, *rated_examples(data)))
    fresh = out_dir.with_name(f"{out_dir.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    interpreter.save(fresh)
    if model:
        (fresh / CATEGORIES_FOLDER).mkdir()
        model.save(fresh / CATEGORIES_FOLDER)
        remember(model, known).save(fresh / CATEGORIES_FOLDER)
    if levels:
        (fresh / LEVELS_FOLDER).mkdir()
        levels.save(fresh / LEVELS_FOLDER)
    _replace(fresh, out_dir)
    return interpreter


def fit_interpreter(data: TrainingData, *, extra: Sequence[Example] = ()) -> SimilarityInterpreter:
    """The in-process interpreter that this data teaches, unsaved. Raises TrainingFailed."""
    from nlu.linear_training import LinearOptions, fit_linear  # noqa: PLC0415  # large and rarely used

    examples = (*data.examples, *extra)
    foreign = {example.intent for example in examples} - set(Intent)
    if foreign:
        raise TrainingFailed(f"intents that are not ours: {', '.join(sorted(foreign))}")
    folding = Folding()
    taught = (*examples, *compose(examples, round(COMPOSED_SHARE * len(examples))))
    texts = [folding.fold(example.text) for example in taught]
    model = fit_linear(
        texts,
        [str(example.intent) for example in taught],
        LinearOptions(balance=INTENT_BALANCE),
        weights=[min(max(len(text) / USUAL_CHARS, LEAST_WEIGHT), MOST_WEIGHT) for text in texts],
    )
    return SimilarityInterpreter(model, EntityExtractor.from_training(data))


def fit_categories(categorised: Sequence[Categorised]) -> LinearModel | None:
    """The category model that these messages teach; None when a single category is all there is."""
    from nlu.linear_training import LinearOptions, fit_linear  # noqa: PLC0415  # large and rarely used

    if len({example.category for example in categorised}) < 2:
        return None
    folding = Folding()
    texts = [folding.fold(example.text) for example in categorised]
    labels = [str(example.category) for example in categorised]
    return fit_linear(texts, labels, LinearOptions(penalty_inverse=CATEGORY_PENALTY_INVERSE))


def train_rasa(
    rasa_executable: Path,
    config: Path,
    data_dir: Path,
    out_dir: Path,
    *,
    extra: Sequence[Example] = (),
    threads: int = 1,
    model_name: str = "nlu",
    timeout_s: float = RASA_TRAINING_LIMIT_S,
) -> Path:
    """Train a Rasa model in a process of its own; the path of the finished archive.

    ``extra`` are examples beside those of ``data_dir``, such as the knowledge base's questions;
    ``threads`` is how many the numeric libraries may use, while others work on the same machine.
    The archive appears under its name only when it is complete. Raises TrainingFailed with the
    end of Rasa's log when the program is missing, fails, or takes longer than ``timeout_s``.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rasa-train-", dir=out_dir) as folder:
        work = Path(folder)
        _gather(config, data_dir, extra, work)
        command = _training_command(rasa_executable, work)
        built = _run_training(command, work, threads, timeout_s)
        finished = out_dir / f"{model_name}.tar.gz"
        built.replace(finished)
    return finished


def rasa_command(
    rasa_executable: Path, model: Path, server: RasaServer | None = None
) -> tuple[str, ...]:
    """The program and arguments that serve a model over HTTP, on this machine only by default."""
    chosen = server or RasaServer()
    command = (
        str(rasa_executable),
        "run",
        "--enable-api",
        "--model",
        str(model),
        "--interface",
        chosen.host,
        "--port",
        str(chosen.port),
        "--request-timeout",
        "5",
        "--response-timeout",
        "5",
        "--quiet",
    )
    return (*command, "--auth-token", chosen.token) if chosen.token else command


def rasa_environment(
    inherited: Mapping[str, str] | None = None, *, threads: int = 1
) -> dict[str, str]:
    """The environment of every Rasa program: quiet, no usage reports, few threads."""
    return {
        **(os.environ if inherited is None else inherited),
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "PYTHONWARNINGS": "ignore",
        "SANIC_WORKERS": "1",
        "SANIC_BACKLOG": "256",
        # One parse is too small to be shared among threads, and idle threads cost memory.
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "TF_INTRA_OP_PARALLELISM_THREADS": str(threads),
        "TF_INTER_OP_PARALLELISM_THREADS": str(threads),
        "MALLOC_ARENA_MAX": "2",
    }


def _replace(fresh: Path, folder: Path) -> None:
    """Put the fresh folder in the old one's place. A crash between leaves one of them whole."""
    old = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _gather(config: Path, data_dir: Path, extra: Sequence[Example], work: Path) -> None:
    """The configuration and one folder with all training data, as Rasa takes only one."""
    target = work / "data"
    target.mkdir()
    try:
        # A copy: Rasa writes an assistant_id into a configuration that has none.
        shutil.copyfile(config, work / "config.yml")
    except OSError as missing:
        raise TrainingFailed(f"{config}: {missing.strerror}") from missing
    for number, path in enumerate(training_files([data_dir])):
        shutil.copyfile(path, target / f"{number:03d}-{path.name}")
    if extra:
        (target / "extra.yml").write_text(write_examples(extra), encoding="utf-8")


def _training_command(rasa_executable: Path, work: Path) -> tuple[str, ...]:
    return (
        str(rasa_executable.absolute()),
        "train",
        "nlu",
        "--config",
        str(work / "config.yml"),
        "--nlu",
        str(work / "data"),
        "--out",
        str(work / "models"),
        "--fixed-model-name",
        "built",
    )


def _run_training(command: Sequence[str], work: Path, threads: int, timeout_s: float) -> Path:
    # Rasa keeps a cache below its working directory; the temporary one takes it away with it.
    environment = {**rasa_environment(threads=threads), "RASA_CACHE_DIRECTORY": str(work / "cache")}
    log = work / "log"
    try:
        with log.open("wb") as output:
            code = _run_group(command, work, environment, output.fileno(), timeout_s)
    except OSError as missing:
        raise TrainingFailed(f"{command[0]}: {missing.strerror}") from missing
    except subprocess.TimeoutExpired as late:
        raise TrainingFailed(f"took longer than {timeout_s:.0f} s", log_tail=_tail(log)) from late
    built = work / "models" / "built.tar.gz"
    if code != 0 or not built.is_file():
        raise TrainingFailed(f"rasa train ended with {code}", log_tail=_tail(log))
    return built


def _run_group(
    command: Sequence[str],
    work: Path,
    environment: Mapping[str, str],
    output: int,
    timeout_s: float,
) -> int:
    """Run to the end; on a time-out end the whole process group, children included."""
    with subprocess.Popen(  # noqa: S603  # the program comes from settings, no shell
        command,
        cwd=work,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            return process.wait(timeout_s)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def _tail(log: Path) -> str:
    return log.read_text("utf-8", errors="replace")[-_LOG_TAIL_CHARS:]
