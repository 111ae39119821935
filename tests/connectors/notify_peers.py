"""Other sides of notifications for tests, on real sockets of this machine."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Network
from typing import Any

from aiohttp import web

from connectors.ssrf import AddressGuard, guarded_client

HERE = AddressGuard((IPv4Network("127.0.0.0/8"),))


def client() -> Any:
    """A guarded client that may connect to this machine."""
    return guarded_client(HERE, ssl.create_default_context(), 2.0)


@dataclass
class Taken:
    """One request as it arrived."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    at: datetime

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class HttpPeer:
    """Answers what it is told to: a body, or (status, body), or seconds to stay silent."""

    answers: list[Any] = field(default_factory=list)
    always: Any = field(default_factory=lambda: {"errcode": 0, "errmsg": "ok", "code": 0})
    taken: list[Taken] = field(default_factory=list)
    address: str = ""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def arrived_times(self, count: int) -> None:
        """Wait until this many requests have arrived."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.taken) >= count)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.taken.append(
            Taken(
                request.path,
                dict(request.query),
                dict(request.headers),
                body,
                datetime.now(UTC),
            )
        )
        self.arrived.set()
        async with self._news:
            self._news.notify_all()
        answer = self.answers.pop(0) if self.answers else self.always
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            answer = self.always
        status, content, headers = 200, answer, {}
        if isinstance(answer, tuple):
            status, content, *rest = answer
            headers = rest[0] if rest else {}
        if isinstance(content, bytes):
            return web.Response(status=status, body=content, headers=headers)
        return web.json_response(content, status=status, headers=headers)


@asynccontextmanager
async def http_peer(**values: Any) -> AsyncIterator[HttpPeer]:
    """An HTTP server on a free port."""
    peer = HttpPeer(**values)
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", peer.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    peer.address = f"http://127.0.0.1:{port}"
    try:
        yield peer
    finally:
        await runner.cleanup()


@dataclass
class SmtpPeer:
    """A mail relay that takes mails and refuses by script: verb -> answer."""

    script: dict[str, str] = field(default_factory=dict)
    mails: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())

        say(self.script.get("CONNECT", "220 test relay"))
        try:
            while line := (await reader.readline()).decode().strip():
                verb = line.split(" ", maxsplit=1)[0].upper()
                if verb == "QUIT":
                    say("221 bye")
                    break
                await self._answer(verb, line, reader, say)
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    async def _answer(
        self, verb: str, line: str, reader: asyncio.StreamReader, say: Callable[[str], None]
    ) -> None:
        if verb in self.script:
            say(self.script[verb])
        elif verb == "EHLO":
            say("250-test")
            say("250 AUTH PLAIN LOGIN")
        elif verb == "AUTH":
            _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
            self.logins.append((user, password))
            say("235 welcome")
        elif verb == "RCPT":
            self.recipients.append(line)
            say("250 ok")
        elif verb == "DATA":
            say("354 go on")
            mail = b""
            while (part := await reader.readline()) != b".\r\n":
                mail += part
            self.mails.append(mail)
            say(self.script.get("END", "250 taken"))
        else:
            say("250 ok")


@asynccontextmanager
async def smtp_peer(**values: Any) -> AsyncIterator[SmtpPeer]:
    """A mail relay on a free port."""
    peer = SmtpPeer(**values)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        await server.wait_closed()
