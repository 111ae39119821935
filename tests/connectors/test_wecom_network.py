"""A private deployment's own authority and its proxy: obeyed, and nothing else is trusted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.clock import utc_now
from connectors.base import TransientError
from connectors.fake_wecom.app import create_app
from connectors.fake_wecom.platform import FakeWecom
from connectors.fake_wecom.settings import FakeSettings, Member
from connectors.settings import WecomSettings
from connectors.wecom_api import WecomApi, make_client
from tests.connectors.authority import Authority, make_authority
from tests.connectors.local_proxy import PASSWORD, a_proxy
from tests.listening import listening

CORP, AGENT, SECRET = "ww1", 1000002, "the-secret-of-the-application"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@asynccontextmanager
async def platform(authority: Authority | None = None) -> AsyncIterator[str]:
    """The pretended platform's address, by HTTPS when there is an authority."""
    own: dict[str, Any] = (
        {"ssl_certfile": authority.certificate, "ssl_keyfile": authority.key} if authority else {}
    )
    known = FakeSettings(CORP, AGENT, SECRET, members={"lihua": Member("lihua", "Li Hua")})
    fake = FakeWecom(known, utc_now)
    async with listening(create_app(fake), **own) as port:
        yield f"{'https' if authority else 'http'}://127.0.0.1:{port}"


async def told(base_url: str, **more: object) -> str:
    """Who a code is of, through a client made as the product makes it."""
    settings = WecomSettings.model_validate(
        {"base_url": base_url, "corp_id": CORP, "agent_id": AGENT, "secret": SECRET, **more}
    )
    async with make_client(settings) as client:
        found = await WecomApi(client, settings, utc_now).get("/cgi-bin/user/get", userid="lihua")
    return str(found["userid"])


async def test_a_private_authority_is_trusted_where_it_is_set_and_only_there(
    authority: Authority,
) -> None:
    async with platform(authority) as address:
        assert await told(address, ca_bundle=authority.bundle) == "lihua"
        with pytest.raises(TransientError):
            await told(address)


async def test_calls_go_through_the_proxy_and_none_past_it() -> None:
    async with platform() as address, a_proxy() as proxy:
        through = f"http://caiwen:{PASSWORD}@127.0.0.1:{proxy.port}"
        assert await told(address, proxy=through) == "lihua"
        assert [line.split(" ")[1].startswith(address) for line in proxy.asked] == [True, True]
        with pytest.raises(TransientError) as refused:
            await told(address, proxy=through.replace(PASSWORD, "guessed"))
    assert "guessed" not in repr(refused.value)
