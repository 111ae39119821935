"""Trains both interpreters from the same files, and says how the Rasa server is started.

Rasa lives in an environment of its own and is only ever run as a program; nothing of it is
imported. Its usage reporting is switched off. Refuses to serve anything itself.
"""

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlu.entities import EntityExtractor
from nlu.errors import TrainingFailed
from nlu.linear_training import LinearOptions, fit_linear
from nlu.similarity import SimilarityInterpreter
from nlu.text import Folding
from nlu.training_data import TrainingData, read_training_data
from nlu.types import Intent

#: Rasa finishes the default pipeline well within this, seconds.
RASA_TRAINING_LIMIT_S = 900.0
_LOG_TAIL_CHARS = 4_000


@dataclass(frozen=True, slots=True)
class RasaServer:
    """How to serve a model: on which port of this machine, and the token that callers must send."""

    port: int = 5005
    token: str = ""
    host: str = "127.0.0.1"


def train_interpreter(
    data_paths: Sequence[Path], out_dir: Path, *, options: LinearOptions | None = None
) -> SimilarityInterpreter:
    """Train the in-process interpreter and save it in ``out_dir``.

    Raises TrainingDataInvalid for unreadable files, TrainingFailed when they hold fewer than two
    of our intents or an intent that is not ours.
    """
    data = read_training_data(data_paths)
    interpreter = fit_interpreter(data, options=options)
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    interpreter.save(out_dir)
    return interpreter


def fit_interpreter(
    data: TrainingData, *, options: LinearOptions | None = None
) -> SimilarityInterpreter:
    """The in-process interpreter that this data teaches, unsaved."""
    foreign = {example.intent for example in data.examples} - set(Intent)
    if foreign:
        raise TrainingFailed(f"intents that are not ours: {', '.join(sorted(foreign))}")
    folding = Folding()
    texts = [folding.fold(example.text) for example in data.examples]
    model = fit_linear(texts, [example.intent for example in data.examples], options)
    return SimilarityInterpreter(model, EntityExtractor.from_training(data))


def train_rasa(
    rasa_executable: Path,
    config: Path,
    data_dir: Path,
    out_dir: Path,
    *,
    model_name: str = "nlu",
    timeout_s: float = RASA_TRAINING_LIMIT_S,
) -> Path:
    """Train a Rasa model in a process of its own; the path of the finished archive.

    The archive appears under its name only when it is complete. Raises TrainingFailed with the
    end of Rasa's log when the program is missing, fails, or takes longer than ``timeout_s``.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rasa-train-", dir=out_dir) as work:
        built = _run_training(
            _training_command(rasa_executable, config, data_dir, Path(work)), Path(work), timeout_s
        )
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


def rasa_environment(inherited: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of every Rasa program: quiet, no usage reports, one thread."""
    return {
        **(os.environ if inherited is None else inherited),
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "PYTHONWARNINGS": "ignore",
        "SANIC_WORKERS": "1",
        "SANIC_BACKLOG": "256",
        # One parse is too small to be shared among threads, and idle threads cost memory.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        "TF_INTRA_OP_PARALLELISM_THREADS": "1",
        "TF_INTER_OP_PARALLELISM_THREADS": "1",
    }


def _training_command(
    rasa_executable: Path, config: Path, data_dir: Path, work: Path
) -> tuple[str, ...]:
    return (
        str(rasa_executable.absolute()),
        "train",
        "nlu",
        "--config",
        str(config.resolve()),
        "--nlu",
        str(data_dir.resolve()),
        "--out",
        str(work / "models"),
        "--fixed-model-name",
        "built",
    )


def _run_training(command: Sequence[str], work: Path, timeout_s: float) -> Path:
    # Rasa keeps a cache below its working directory; the temporary one takes it away with it.
    environment = {**rasa_environment(), "RASA_CACHE_DIRECTORY": str(work / "cache")}
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
