"""How fast messages are answered over HTTP, with Rasa and without, at 1, 20 and 100 conversations.

``python -m bench dialogue [HOME]`` copies a prepared workspace (default ``var``), serves it, and
lets so many users ask in turn, each waiting for the bot's message on the event stream. The load
comes from this process, the product runs in its own. Bounded in requests and time.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import httpx
import psutil

from bot.settings import data_dir
from nlu.train import RasaServer, rasa_command, rasa_environment

QUESTIONS = (
    "公务卡报销的操作流程是什么",
    "UKey插上没有反应怎么办",
    "支付申请送审后怎么撤回",
    "电子票据开错了怎么冲红",
    "指标可用余额不足怎么处理",
    "绩效自评在哪里填",
)
LEVELS = ((1, 60), (20, 12), (100, 4))
WEB_PORT, RASA_PORT = 8437, 5437


@dataclass
class Figures:
    """Seconds of every message of one level."""

    accepted: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    errors: int = 0


async def user(client: httpx.AsyncClient, n: int, count: int, into: Figures) -> None:
    """One conversation: ask, wait for the first word of the bot, ask again."""
    opened = (await client.post("/api/v1/conversations", json={})).json()
    path = f"/api/v1/conversations/{opened['conversation_id']}"
    headers = {"Authorization": f"Bearer {opened['token']}"}
    async with client.stream("GET", f"{path}/events", headers=headers) as stream:
        lines = stream.aiter_lines()
        await _bot_message(lines, 0)
        for i in range(count):
            body = {"client_msg_id": f"{n}-{i}", "text": QUESTIONS[(n + i) % len(QUESTIONS)]}
            started = time.perf_counter()
            sent = await client.post(f"{path}/messages", json=body, headers=headers)
            into.accepted.append(time.perf_counter() - started)
            if sent.status_code != 202:
                into.errors += 1
                continue
            await _bot_message(lines, sent.json()["seq"])
            into.answered.append(time.perf_counter() - started)


async def _bot_message(lines: object, after: int) -> None:
    async for line in lines:  # type: ignore[attr-defined]  # httpx's line iterator
        if line.startswith("data: "):
            message = json.loads(line[6:])
            if message.get("sender") == "bot" and message["seq"] > after:
                return


async def level(address: str, users: int, count: int) -> tuple[Figures, float]:
    """All users at once; figures and elapsed seconds."""
    figures = Figures()
    limits = httpx.Limits(max_connections=users * 2 + 10)
    async with httpx.AsyncClient(
        base_url=address, timeout=60, limits=limits, trust_env=False
    ) as client:
        started = time.perf_counter()
        await asyncio.gather(*(user(client, n, count, figures) for n in range(users)))
        return figures, time.perf_counter() - started


@contextmanager
def product(home: Path, *, rasa: bool) -> Iterator[tuple[str, list[psutil.Process]]]:
    """The product on a copy of the workspace; its processes, web first."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "home"
        shutil.copytree(home, copy)
        environment = {
            **os.environ,
            "CAIWEN_NLU__ENABLED": str(rasa).lower(),
            "CAIWEN_NLU__RASA_URL": f"http://127.0.0.1:{RASA_PORT}",
        }
        web = [sys.executable, "-m", "bot.cli", "--home", str(copy), "serve"]
        commands = [([*web, "--port", str(WEB_PORT)], environment)]
        if rasa:
            commands.append((_rasa(copy), rasa_environment()))
        running = [
            subprocess.Popen(c, env=e, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for c, e in commands
        ]
        try:
            _wait(f"http://127.0.0.1:{WEB_PORT}/readyz")
            if rasa:
                _wait(f"http://127.0.0.1:{RASA_PORT}/")
            yield f"http://127.0.0.1:{WEB_PORT}", [psutil.Process(p.pid) for p in running]
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait()


def _rasa(home: Path) -> list[str]:
    executable = data_dir().parent / ".venv-rasa" / "bin" / "rasa"
    token = (home / "rasa.token").read_text(encoding="utf-8").strip()
    model = home / "models" / "nlu" / "nlu.tar.gz"
    return list(rasa_command(executable, model, RasaServer(port=RASA_PORT, token=token)))


def _wait(address: str) -> None:
    for _ in range(1200):
        try:
            if httpx.get(address, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(address)


def _percentiles(values: list[float]) -> str:
    cuts = quantiles(values, n=100, method="inclusive")
    return " ".join(f"{cuts[p - 1] * 1000:7.1f}" for p in (50, 95, 99))


def main(arguments: list[str]) -> None:
    """Print a table for each way of understanding."""
    home = Path(arguments[0] if arguments else "var")
    if not (home / "indexes" / "current").is_file():
        print(f"skipped: {home} is no prepared workspace; run `caiwen --home {home} init`")
        return
    trained = (home / "models" / "nlu" / "nlu.tar.gz").is_file()
    for rasa in (True, False) if trained else (False,):
        print(f"\nRasa {'on' if rasa else 'off'}")
        print("users  msgs/s   202: p50     p95     p99   answer: p50     p95     p99  errors")
        with product(home, rasa=rasa) as (address, processes):
            asyncio.run(level(address, 2, 5))  # warm
            for users, count in LEVELS:
                figures, seconds = asyncio.run(level(address, users, count))
                rate = len(figures.answered) / seconds
                print(
                    f"{users:5} {rate:7.1f}  {_percentiles(figures.accepted)}"
                    f"         {_percentiles(figures.answered)}  {figures.errors}"
                )
            for name, process in zip(("web", "nlu"), processes, strict=False):
                print(f"memory of {name}: {process.memory_info().rss / 2**20:.0f} MiB")
            understood = [
                line
                for line in httpx.get(f"{address}/metrics", trust_env=False).text.splitlines()
                if line.startswith("caiwen_understood_total")
            ]
            print("understood by:", "; ".join(understood))


if __name__ == "__main__":
    main(sys.argv[1:])
