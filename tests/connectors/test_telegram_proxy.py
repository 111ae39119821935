"""The proxy setting: every call goes through it, none past it, and its password stays inside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.base import TransientError
from connectors.telegram_api import TelegramApi
from connectors.telegram_settings import TelegramSettings
from tests.connectors.fake_telegram import TOKEN, fake_telegram
from tests.connectors.local_proxy import PASSWORD, Proxy, a_proxy


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
