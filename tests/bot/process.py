"""The product as a process of its own that may be killed, and a client that insists."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx


def start(home: Path, port: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "CAIWEN_NLU__ENABLED": "false"}
    command = [sys.executable, "-m", "bot.cli", "--home", str(home), "serve", "--port", str(port)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


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
