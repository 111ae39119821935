"""HTTP/1.1 over bare streams: requests one after another, and event streams that are held open.

Load shares two cores with the product that it measures: a full client library would take more
processor time per message than the product does. Refuses everything that the product does not send.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

HOST = "127.0.0.1"
#: How long one answer is waited for, seconds.
PATIENCE_S = 60.0
#: The server hangs up on a connection that is silent for five seconds; one that was nearly so long
#: is not tried again.
SILENCE_S = 3.0


class Line:
    """A connection that is kept for one request after the other."""

    def __init__(self, port: int, token: str = "") -> None:
        self._port, self.token = port, token
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._used = 0.0

    async def post(self, path: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and JSON of the answer; status 0 when none came in time."""
        status, content = await self._ask("POST", path, json.dumps(body).encode())
        return status, json.loads(content) if content else {}

    async def get(self, path: str) -> tuple[int, bytes]:
        """Status and content of the answer; status 0 when none came in time."""
        return await self._ask("GET", path)

    async def _ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        silent = time.perf_counter() - self._used
        if self._streams is None or silent > SILENCE_S or self._streams[0].at_eof():
            self.close()
            self._streams = await asyncio.open_connection(HOST, self._port)
        reader, writer = self._streams
        writer.write(request(method, path, self.token, body))
        try:
            async with asyncio.timeout(PATIENCE_S):
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.partition("content-length:")[2].partition("\r\n")[0] or 0)
                content = await reader.readexactly(length)
        except TimeoutError:
            self.close()
            self._streams = None
            return 0, b""
        self._used = time.perf_counter()
        return int(head.split(" ", 2)[1]), content

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()


async def follow(port: int, path: str, token: str) -> AsyncIterator[bytes]:
    """The events of a stream as they come, until it ends; hangs up when nobody asks for more."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(request("GET", path, token))
        await reader.readuntil(b"\r\n\r\n")
        rest = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            *events, rest = (rest + (await reader.readexactly(size + 2))[:-2]).split(b"\n\n")
            for event in events:
                yield event
    finally:
        writer.close()


def request(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", f"Content-Length: {len(body)}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines.append("Content-Type: application/json")
    return "\r\n".join([*lines, "", ""]).encode() + body


def message_of(event: bytes) -> dict[str, Any] | None:
    """The message that an event of a conversation carries; ``None`` for states and pings."""
    if b"event: " in event or b"data: " not in event:
        return None
    found: dict[str, Any] = json.loads(event.partition(b"data: ")[2])
    return found
