"""A bot's long connection on the wire: authorities, proxies, silence, frames that are none."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.routing import Route

from bot.clock import utc_now
from connectors.errors import CallbackRefused
from connectors.fake_wecom.bot_sockets import PATH, FakeBotSocket
from connectors.settings import BotMode, WecomBotSettings
from connectors.wecom_api import gateway_signature
from connectors.wecom_bot_frames import MOST_BYTES, Ack, Callback, Command, Kicked, decoded
from connectors.wecom_bot_socket import (
    BROKEN,
    BotSocket,
    SubscriptionRefused,
    TakenOver,
    Unanswered,
    open_socket,
)
from tests.connectors.authority import Authority, make_authority
from tests.connectors.bot_platform import SECRET, a_bot_platform, socket_settings
from tests.connectors.local_proxy import PASSWORD, a_proxy
from tests.listening import listening


async def _ignore(_found: Callback) -> None:
    return None


@asynccontextmanager
async def subscribed(
    settings: WecomBotSettings, **more: Any
) -> AsyncIterator[tuple[BotSocket, asyncio.Task[None]]]:
    """A connection that is known, and its reading."""
    async with open_socket(settings, utc_now(), **more) as socket:
        reading = asyncio.create_task(socket.read(_ignore))
        try:
            await socket.subscribe(settings)
            yield socket, reading
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


async def test_a_private_authority_is_trusted_where_it_is_set_and_only_there(
    authority: Authority,
) -> None:
    async with a_bot_platform(authority) as platform:
        async with subscribed(socket_settings(platform, ca_bundle=authority.bundle)):
            assert platform.taken == 1
        with pytest.raises(BROKEN):
            async with subscribed(socket_settings(platform)):
                pass
        assert platform.tried == 1


async def test_a_gateway_gets_its_headers_with_the_connection() -> None:
    behind = {"gateway_id": "pid", "gateway_token": "hush", "gateway_prefix": "x-rio"}
    async with a_bot_platform() as platform:
        async with subscribed(socket_settings(platform, **behind)):
            told = platform.headers
        async with subscribed(socket_settings(platform)):
            assert not [name for name in platform.headers if name.startswith("x-")]
    assert told["x-rio-paasid"] == "pid"
    timestamp, nonce = told["x-rio-timestamp"], told["x-rio-nonce"]
    assert told["x-rio-signature"] == gateway_signature("hush", timestamp, nonce)
    assert abs(utc_now().timestamp() - int(timestamp)) < 180


async def test_it_goes_through_the_proxy_and_not_past_it() -> None:
    async with a_bot_platform() as platform, a_proxy() as proxy:
        through = f"http://caiwen:{PASSWORD}@127.0.0.1:{proxy.port}"
        settings = socket_settings(platform, proxy=through)
        with pytest.raises(BROKEN):
            async with subscribed(settings):
                pass
        assert platform.tried == 0
        proxy.tunnels = True
        async with subscribed(settings):
            assert platform.taken == 1
        with pytest.raises(BROKEN) as refused:
            async with subscribed(
                socket_settings(platform, proxy=through.replace(PASSWORD, "guessed"))
            ):
                pass
        assert "guessed" not in repr(refused.value)
    assert "password" not in repr(settings)


async def test_a_redirect_is_not_followed_with_the_secret() -> None:
    async with a_bot_platform() as platform:
        there = socket_settings(platform).socket_url

        async def send_away(_request: object) -> RedirectResponse:
            return RedirectResponse(there)

        async with listening(Starlette(routes=[Route(PATH, send_away)])) as port:
            away = socket_settings(platform, socket_url=f"ws://127.0.0.1:{port}{PATH}")
            with pytest.raises(BROKEN):
                async with subscribed(away):
                    pass
        assert platform.tried == 0


async def test_frames_are_in_no_log_at_any_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with (
        a_bot_platform() as platform,
        subscribed(socket_settings(platform)) as (socket, _),
    ):
        await platform.say("lihua", "words of a person")
        assert await socket.call(Command.PING) == 0
    ours = [one for one in caplog.records if not one.name.startswith("uvicorn")]
    told = "\n".join(one.getMessage() for one in ours)
    assert SECRET not in told
    assert "words of a person" not in told


async def test_refusals_silence_and_the_end_are_told_apart() -> None:
    async with a_bot_platform() as platform:
        settings = socket_settings(platform)
        with pytest.raises(SubscriptionRefused) as refused:
            async with subscribed(settings.model_copy(update={"secret": "wrong"})):
                pass
        assert refused.value.code == 853000
        async with subscribed(settings) as (socket, reading):
            assert await socket.call(Command.RESPOND, {}, "never-told") == 846604
            # Two under one name: one after the other, each with its own answer.
            platform.script.extend([1, 2])
            calls = (socket.call(Command.RESPOND, {}, "one-name") for _ in range(2))
            assert await asyncio.gather(*calls) == [1, 2]
            await asyncio.wait_for(_pinged(platform, socket), 30)
            platform.deaf, socket._ack_s = True, 0.1
            with pytest.raises(Unanswered):
                await socket.beat(0.01)
            platform.deaf = False
            await platform.kick()
            with pytest.raises(TakenOver):
                await reading
        async with subscribed(settings) as (socket, reading):
            await platform.cut()
            with pytest.raises(BROKEN):
                await reading
            with pytest.raises(BROKEN):
                await socket.call(Command.PING)


async def _pinged(platform: FakeBotSocket, socket: BotSocket) -> None:
    beating = asyncio.create_task(socket.beat(0.01))
    while platform.pings < 3:  # noqa: ASYNC110  # the other side counts
        await asyncio.sleep(0.01)
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)


async def test_a_frame_beyond_all_bounds_ends_the_connection_and_no_more() -> None:
    async with (
        a_bot_platform() as platform,
        subscribed(socket_settings(platform)) as (socket, reading),
    ):
        await platform.send("x" * (MOST_BYTES + 1))
        assert await socket.call(Command.PING) == 0
        assert socket.refused == 1
        await platform.send("x" * 5_000_000)
        with pytest.raises(BROKEN):
            await reading


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FRAMES = st.fixed_dictionaries(
    {},
    optional={
        "cmd": st.sampled_from(["aibot_msg_callback", "aibot_event_callback", "", "ping"]) | JSON,
        "headers": st.fixed_dictionaries({"req_id": JSON | st.text()}) | JSON,
        "body": JSON | st.just({"event": {"eventtype": "disconnected_event"}}),
        "errcode": JSON,
    },
)


@given(FRAMES.map(json.dumps) | st.binary() | st.text())
def test_whatever_comes_is_a_frame_or_refused(raw: str | bytes) -> None:
    try:
        found = decoded(raw)
    except CallbackRefused:
        return
    match found:
        case Ack(request_id, code):
            assert request_id.isascii()
            assert type(code) is int
        case Callback(request_id, body):
            assert request_id.isascii()
            assert isinstance(body, dict)
        case Kicked():
            assert b"disconnected_event" in (raw.encode() if isinstance(raw, str) else raw)


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": ""},
        {"bot_id": ""},
        {"bot_id": "a b"},
        {"socket_url": "https://openws.example"},
        {"socket_url": "wss://id:secret@openws.example"},
        {"socket_url": "wss://openws.example/?secret=1"},
        {"proxy": "socks5://proxy"},
        {"mode": "both"},
        {"retry_s": 0},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    good = {"enabled": True, "mode": "socket", "bot_id": "AIBOT1", "secret": "s"}
    assert WecomBotSettings.model_validate(good).mode is BotMode.SOCKET
    with pytest.raises(ValidationError):
        WecomBotSettings.model_validate(good | wrong)
