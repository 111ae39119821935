"""A proxy of our own: it passes plain requests on for those who know its password."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PASSWORD = "password-of-the-proxy"


@dataclass
class Proxy:
    """Passes plain requests on, and opens tunnels if it may, when it is told who asks."""

    port: int = 0
    tunnels: bool = False
    #: First lines that it was asked with.
    asked: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, _, rest = head.partition("\r\n")
        self.asked.append(line)
        method, target, _ = line.split(" ")
        known = base64.b64encode(f"caiwen:{PASSWORD}".encode()).decode()
        if f"proxy-authorization: Basic {known}".lower() not in head.lower():
            writer.write(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
        elif method == "CONNECT" and self.tunnels:
            await self._tunnel(target, reader, writer)
            return
        elif method == "CONNECT":
            writer.write(b"HTTP/1.1 403 No tunnels here\r\nContent-Length: 0\r\n\r\n")
        else:
            await self._pass_on(method, target, rest, reader, writer)
        await writer.drain()
        writer.close()

    @staticmethod
    async def _tunnel(
        target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        host, _, port = target.rpartition(":")
        there, back = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Go on\r\n\r\n")

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                sink.write(data)
                await sink.drain()
            sink.close()

        await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)

    @staticmethod
    async def _pass_on(
        method: str,
        target: str,
        rest: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        address = urlsplit(target)
        there, back = await asyncio.open_connection(address.hostname, address.port)
        length = next(
            (int(o.split(":")[1]) for o in rest.split("\r\n") if o.lower().startswith("content-l")),
            0,
        )
        place = f"{address.path}?{address.query}" if address.query else address.path
        headers = f"{method} {place} HTTP/1.1\r\nConnection: close\r\n{rest}"
        back.write(headers.encode() + await reader.readexactly(length))
        writer.write(await there.read())
        back.close()


@asynccontextmanager
async def a_proxy() -> AsyncIterator[Proxy]:
    proxy = Proxy()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    async with server:
        yield proxy
