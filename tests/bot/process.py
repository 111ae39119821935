"""The product as a process of its own that may be killed, and a client that insists."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

#: What makes no progress for so long will make none.
SILENCE_S = 120.0


def start(home: Path, port: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "CAIWEN_NLU__ENABLED": "false"}
    command = [sys.executable, "-m", "bot.cli", "--home", str(home), "serve", "--port", str(port)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


@dataclass
class Ours:
    """The real program with an environment of its own, started again whenever it was killed."""

    home: Path
    port: int
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    kills: int = 0

    def start(self) -> None:
        command = [sys.executable, "-m", "bot.cli", "--home", str(self.home), "serve"]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port)],
            env={**os.environ, **self.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.kills += 1

    def stop(self, *, go_on: bool = False) -> None:
        """Let it stand still, or go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT if go_on else signal.SIGSTOP)

    async def is_up(self, client: httpx.AsyncClient) -> None:
        async with asyncio.timeout(SILENCE_S):
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"http://127.0.0.1:{self.port}/healthz")).is_success:
                        return
                await asyncio.sleep(0.05)


async def patiently(
    client: httpx.AsyncClient, method: str, path: str, **over: Any
) -> httpx.Response:
    """Like a channel: try again until there is an answer."""
    for _ in range(2_400):
        try:
            answer = await client.request(method, path, **over)
        except httpx.TransportError:
            await asyncio.sleep(0.05)
            continue
        if answer.status_code < 500:
            return answer
        await asyncio.sleep(0.05)
    raise AssertionError("the product never came back")
