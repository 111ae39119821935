"""The proxy setting: every call goes through it, none past it, and its password stays inside."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError

from connectors.base import TransientError
from connectors.telegram_api import TelegramApi
from connectors.telegram_settings import TelegramSettings
from tests.connectors.fake_telegram import TOKEN, fake_telegram

PASSWORD = "password-of-the-proxy"


@dataclass
class Proxy:
    """Passes plain requests on and opens no tunnel, if it is told who asks."""

    port: int = 0
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
        elif method == "CONNECT":
            writer.write(b"HTTP/1.1 403 No tunnels here\r\nContent-Length: 0\r\n\r\n")
        else:
            await self._pass_on(method, target, rest, reader, writer)
        await writer.drain()
        writer.close()

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
        headers = f"{method} {address.path} HTTP/1.1\r\nConnection: close\r\n{rest}"
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


@asynccontextmanager
async def an_api(proxy: Proxy, password: str, **more: Any) -> AsyncIterator[TelegramApi]:
    address = f"http://caiwen:{password}@127.0.0.1:{proxy.port}"
    settings = TelegramSettings(
        enabled=True, token=TOKEN, webhook_secret="s", proxy=address, **more
    )
    assert password not in repr(settings)
    api = TelegramApi(settings)
    yield api
    await api.close()


async def test_calls_and_files_go_through_the_proxy() -> None:
    async with a_proxy() as proxy, fake_telegram() as fake:
        fake.files = {"f": ("photos/a.png", b"picture")}
        async with an_api(proxy, PASSWORD, base_url=fake.url) as api:
            await api.check()
            await api.send("42", "你好", [], html=False)
            assert (await api.fetch("f")).content == b"picture"
        assert fake.texts("42") == ["你好"]
        assert len(proxy.asked) == 4
        assert all(f" {fake.url}/" in line for line in proxy.asked)


async def test_without_the_proxys_consent_nothing_leaves() -> None:
    async with a_proxy() as proxy, fake_telegram() as fake:
        async with an_api(proxy, PASSWORD) as api:
            with pytest.raises(TransientError) as refused:
                await api.check()
            assert proxy.asked == ["CONNECT api.telegram.org:443 HTTP/1.1"]
        async with an_api(proxy, "another", base_url=fake.url) as api:
            with pytest.raises(TransientError) as unknown:
                await api.check()
        assert fake.calls == []
        for told in (str(refused.value), str(unknown.value)):
            assert PASSWORD not in told
            assert TOKEN not in told


@pytest.mark.parametrize("address", ["socks5://127.0.0.1:1080", "127.0.0.1:3128", "http://a b"])
def test_a_proxy_that_cannot_be_used_is_refused_at_the_start(address: str) -> None:
    with pytest.raises(ValidationError):
        TelegramSettings(enabled=True, token=TOKEN, webhook_secret="s", proxy=address)
