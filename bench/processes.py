"""The real product as processes on free ports: web, and Rasa where a trained model lies."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from bot.settings import data_dir
from bot.workspace import Workspace
from nlu.train import RasaServer, rasa_command, rasa_environment

RASA = data_dir().parent / ".venv-rasa" / "bin" / "rasa"
READY_LIMIT_S = 240.0


@dataclass(frozen=True, slots=True)
class Served:
    """A web process that serves a copy of a workspace, and its Rasa process if it has one."""

    port: int
    web: psutil.Process
    rasa: psutil.Process | None

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def processes(self) -> dict[str, psutil.Process]:
        """By name, web first."""
        found = {"web": self.web}
        if self.rasa is not None:
            found["rasa"] = self.rasa
        return found

    def understood(self) -> dict[str, int]:
        """How many messages each interpreter has understood, from the product's own figures."""
        found = {}
        for line in httpx.get(f"{self.address}/metrics", trust_env=False).text.splitlines():
            if line.startswith("caiwen_understood_total{"):
                name, _, count = line.partition('"')[2].rpartition('"')
                found[name] = int(float(count.lstrip("} ")))
        return found


def is_prepared(home: Path) -> bool:
    """Whether the workspace can be served; says what to do when not."""
    if (home / "indexes" / "current").is_file():
        return True
    print(f"skipped: {home} is no prepared workspace; run `caiwen --home {home} init`")
    return False


def has_rasa(home: Path) -> bool:
    """Whether Rasa is installed and the workspace has a model for it."""
    return RASA.is_file() and Workspace(home).rasa_model.is_file()


def megabytes(process: psutil.Process) -> float:
    """Resident memory of a process and its children, MiB."""
    family = [process, *process.children(recursive=True)]
    return sum(member.memory_info().rss for member in family) / 2**20


def cpu_seconds(process: psutil.Process) -> float:
    """CPU time that a process and its living children have used."""
    family = [process, *process.children(recursive=True)]
    return sum(sum(member.cpu_times()[:2]) for member in family)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def copied(home: Path) -> Iterator[Path]:
    """A copy of a workspace that may be written to."""
    with tempfile.TemporaryDirectory(prefix="caiwen-bench-") as folder:
        copy = Path(folder) / "home"
        shutil.copytree(home, copy)
        yield copy


@contextmanager
def serving(home: Path, *, rasa: bool) -> Iterator[Served]:
    """Serve this workspace until the end of the block; ready when it begins."""
    web_port, rasa_port = free_port(), free_port()
    running: list[subprocess.Popen[bytes]] = []
    try:
        if rasa:
            running.append(_start(_rasa(home, rasa_port), rasa_environment()))
        web = _start(
            [
                sys.executable,
                "-m",
                "bot.cli",
                "--home",
                str(home),
                "serve",
                "--port",
                f"{web_port}",
            ],
            _environment(rasa_port if rasa else None),
        )
        running.append(web)
        _wait(f"http://127.0.0.1:{web_port}/readyz", web)
        if rasa:
            _wait(f"http://127.0.0.1:{rasa_port}/", running[0])
        beside = psutil.Process(running[0].pid) if rasa else None
        yield Served(web_port, psutil.Process(web.pid), beside)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)


def _start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _environment(rasa_port: int | None) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("CAIWEN_")}
    if rasa_port is None:
        return {**own, "CAIWEN_NLU__ENABLED": "false"}
    return {
        **own,
        "CAIWEN_NLU__ENABLED": "true",
        "CAIWEN_NLU__RASA_URL": f"http://127.0.0.1:{rasa_port}",
    }


def _rasa(home: Path, port: int) -> tuple[str, ...]:
    workspace = Workspace(home)
    token = workspace.secret.read_text(encoding="utf-8").strip()
    return rasa_command(RASA, workspace.rasa_model, RasaServer(port=port, token=token))


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    ended = time.monotonic() + READY_LIMIT_S
    while time.monotonic() < ended:
        if process.poll() is not None:
            raise RuntimeError(f"the process behind {address} ended with {process.returncode}")
        try:
            if httpx.get(address, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.02)
    raise TimeoutError(address)
