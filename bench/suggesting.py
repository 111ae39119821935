"""How long suggestions take at the server: `python -m bench suggesting [HOME]`.

Starts the product on a copy of HOME (default `var`) and types the standard questions of its
knowledge base letter by letter, four people at once, over HTTP/1.1 connections that stay open.
The promise is a p95 of 50 ms. Skips where HOME has no index.
"""

import asyncio
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from kb.errors import IndexMismatch, IndexMissing
from kb.index_holder import IndexHolder
from kb.settings import KnowledgeSettings
from tests.postgres import free_port

PEOPLE, QUESTIONS, LETTERS = 4, 60, 8
PROMISE_MS = 50.0


def typed(questions: Sequence[str], chance: random.Random) -> list[str]:
    """What one person's browser asks for while they type."""
    chosen = chance.sample(list(questions), min(QUESTIONS, len(questions)))
    return [one[:n] for one in chosen for n in range(1, min(LETTERS, len(one)) + 1)]


async def ask(client: httpx.AsyncClient, texts: Sequence[str]) -> list[float]:
    """Milliseconds of every request of one person."""
    opened = (await client.post("/api/v1/conversations", json={})).json()
    path = f"/api/v1/conversations/{opened['conversation_id']}/suggestions"
    headers = {"Authorization": f"Bearer {opened['token']}"}
    times = []
    for text in texts:
        began = time.perf_counter()
        answer = await client.get(path, params={"q": text}, headers=headers)
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.text
    return times


async def measure(address: str, questions: Sequence[str]) -> list[float]:
    """Everybody types at once."""
    async with httpx.AsyncClient(base_url=address, timeout=30, trust_env=False) as client:
        for _ in range(600):
            try:
                await client.get("/healthz")
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                break
        people = [typed(questions, random.Random(n)) for n in range(PEOPLE)]
        found = await asyncio.gather(*(ask(client, texts) for texts in people))
    return [one for times in found for one in times]


def main(rest: Sequence[str]) -> None:
    """Measure and print."""
    home = Path(rest[0] if rest else "var")
    try:
        index = IndexHolder(home, KnowledgeSettings()).current()
    except (IndexMissing, IndexMismatch, FileNotFoundError):
        print(f"skipped: {home} has no index")
        return
    questions = sorted({answer.title for answer in index.published})
    with tempfile.TemporaryDirectory() as folder:
        copied = shutil.copytree(home, Path(folder) / "home")
        port = free_port()
        command = [sys.executable, "-m", "bot.cli", "--home", str(copied)]
        environment = {**os.environ, "CAIWEN_NLU__ENABLED": "false"}
        subprocess.run([*command, "migrate"], check=True, env=environment, capture_output=True)
        process = subprocess.Popen(
            [*command, "serve", "--port", str(port)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            times = asyncio.run(measure(f"http://127.0.0.1:{port}", questions))
        finally:
            process.terminate()
            process.wait()
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    print(
        f"{len(questions)} questions, {len(times)} requests, {PEOPLE} people: "
        f"p50 {cuts[49]:.1f} ms   p95 {cuts[94]:.1f} ms   max {max(times):.1f} ms "
        f"(promised p95 {PROMISE_MS:.0f} ms)"
    )
