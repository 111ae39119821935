"""Sending to 政务微信 against a fake of it: once, in order, within limits."""

import asyncio
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from connectors.base import Channel, Delivery, Held, PermanentError, TransientError
from connectors.fake_wecom.network import FakeNetwork
from connectors.fake_wecom.platform import FakeWecom
from connectors.fake_wecom.settings import FakeSettings, Member
from connectors.settings import WecomSettings
from connectors.text_parts import in_parts
from connectors.wecom import TEXT_BYTES, WecomChannel
from connectors.wecom_api import NotSetUp, WecomApi, gateway_signature
from tests.connectors.channel_contract import ChannelContract, Rig, delivery
from tests.connectors.test_wecom_crypto import ANSWERS

SECRET = "app-secret-of-the-test"
SETTINGS = WecomSettings(
    enabled=True,
    corp_id="ww1",
    agent_id=7,
    secret=SECRET,
    token="T",
    encoding_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    base_url="http://gateway.test/ebus/app/",
)
OFFER = Delivery(
    "offer-1",
    "u1",
    "offer",
    "您想问的是哪一个？\n1. 甲\n2. 乙\n3. 都不是",
    {"candidates": [{"answer_id": "a1", "title": "甲"}, {"answer_id": "b2", "title": "乙"}]},
)


@dataclass
class Wecom:
    """A channel on a fake platform, with a clock that is moved by hand."""

    settings: WecomSettings = SETTINGS
    now: datetime = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    fake: FakeWecom = field(init=False)
    network: FakeNetwork = field(init=False)
    sender: WecomChannel = field(init=False)

    def __post_init__(self) -> None:
        self.fake = FakeWecom(FakeSettings("ww1", 7, SECRET), self.clock)
        self.network = FakeNetwork(self.fake)
        self.restart()

    def clock(self) -> datetime:
        return self.now

    def restart(self) -> None:
        """A new process: it remembers nothing."""
        api = WecomApi(self.network.client(), self.settings, self.clock)
        self.sender = WecomChannel(api, self.settings, self.clock)

    @property
    def channel(self) -> Channel:
        return self.sender

    def shown(self, external_user: str) -> list[str]:
        return self.fake.texts(external_user)

    def fail_next(self, error: TransientError | PermanentError) -> None:
        self.fake.script.append(-1 if isinstance(error, TransientError) else 60111)


class TestWecomChannel(ChannelContract):
    @pytest.fixture
    @override
    def rig(self) -> Rig:
        return Wecom()

    @pytest.mark.parametrize("text", ["", " ", "😀", "第一行\n第二行", "<b>&amp;</b>", "\x00\x1b"])
    @override
    async def test_odd_text_is_shown_or_refused_for_good(self, rig: Rig, text: str) -> None:
        """Without the long text: here it goes in parts, which the tests below look at."""
        await super().test_odd_text_is_shown_or_refused_for_good(rig, text)


@pytest.fixture
def wecom() -> Wecom:
    return Wecom()


async def test_long_text_goes_in_numbered_parts(wecom: Wecom) -> None:
    text = "这是一个很长的答案，需要分成几段。" * 150
    await wecom.sender.send(delivery("a", text))
    parts = wecom.shown("u1")
    assert len(parts) > 2
    assert all(len(part.encode()) <= TEXT_BYTES for part in parts)
    assert parts[0].endswith(f"。(1/{len(parts)})")
    assert "".join(re.sub(r"\(\d+/\d+\)$", "", part) for part in parts) == text


async def test_a_retry_goes_on_at_the_part_that_failed(wecom: Wecom) -> None:
    long = delivery("a", "长" * 2_000)
    wecom.fake.script = [0, -1]  # the first is taken without being shown, the second fails
    with pytest.raises(TransientError):
        await wecom.sender.send(long)
    await wecom.sender.send(long)
    assert [part[-5:] for part in wecom.shown("u1")] == ["(2/3)", "(3/3)"]


async def test_a_lost_answer_shows_once_even_to_a_new_process(wecom: Wecom) -> None:
    wecom.network.lose_answers = 1
    with pytest.raises(TransientError):
        await wecom.sender.send(delivery("a", "一次"))
    wecom.restart()
    await wecom.sender.send(delivery("a", "一次"))
    await wecom.sender.send(delivery("b", "一次"))
    assert wecom.shown("u1") == ["一次", "一次"]


async def test_fifty_at_once_fetch_one_token(wecom: Wecom) -> None:
    await asyncio.gather(*(wecom.sender.send(delivery(f"k{n}", user=f"u{n}")) for n in range(50)))
    assert wecom.fake.token_calls == 1
    assert len(wecom.fake.shown) == 50


async def test_a_token_that_ended_is_fetched_again_once(wecom: Wecom) -> None:
    await wecom.sender.send(delivery("a"))
    wecom.fake.revoke()
    await wecom.sender.send(delivery("b"))
    assert (wecom.fake.token_calls, wecom.shown("u1")) == (2, ["a", "b"])
    wecom.fake.script = [40014] * 5
    with pytest.raises(TransientError):
        await wecom.sender.send(delivery("c"))
    assert len(wecom.fake.script) == 3  # one try and one more


async def test_a_token_is_renewed_before_it_ends(wecom: Wecom) -> None:
    await wecom.sender.send(delivery("a"))
    wecom.now += timedelta(seconds=7_200 - 299)
    await wecom.sender.send(delivery("b"))
    assert wecom.fake.token_calls == 2


async def test_refused_credentials_rest_before_the_platform_bans_us(wecom: Wecom) -> None:
    wecom.fake.token_script = [40001, 40013]
    with pytest.raises(Held) as first:
        await wecom.sender.send(delivery("a"))
    assert first.value.wait_s == 30
    wecom.now += timedelta(seconds=31)
    with pytest.raises(Held) as second:
        await wecom.sender.send(delivery("a"))
    assert second.value.wait_s == 3_600
    for _ in range(20):
        with pytest.raises(Held):
            await wecom.sender.send(delivery("a"))
    assert wecom.fake.token_calls == 2
    wecom.now += timedelta(hours=1)
    await wecom.sender.send(delivery("a"))
    assert wecom.shown("u1") == ["a"]


async def test_nothing_is_sent_beyond_the_pace(wecom: Wecom) -> None:
    for n in range(30):
        await wecom.sender.send(delivery(f"k{n}"))
        wecom.now += timedelta(milliseconds=100)
    with pytest.raises(Held) as held:
        await wecom.sender.send(delivery("k30"))
    assert 56 <= held.value.wait_s <= 58
    await wecom.sender.send(delivery("other", user="u2"))
    wecom.now += timedelta(seconds=held.value.wait_s)
    await wecom.sender.send(delivery("k30"))
    assert wecom.fake.dropped == 0
    assert len(wecom.shown("u1")) == 31


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-1, TransientError),
        (6000, TransientError),
        (60020, NotSetUp),
        (45009, Held),
        (60111, PermanentError),
        (81013, PermanentError),
        (44004, PermanentError),
        (40008, PermanentError),
        (999_999, PermanentError),
    ],
)
async def test_codes_mean_what_the_table_says(
    wecom: Wecom, code: int, kind: type[Exception]
) -> None:
    wecom.fake.script = [code]
    with pytest.raises(kind) as raised:
        await wecom.sender.send(delivery("a"))
    assert type(raised.value) is kind


async def test_a_person_who_is_out_of_reach_is_told(wecom: Wecom) -> None:
    wecom.fake.settings.members = {"U1": Member("U1", "李华", visible=False)}
    for code, told in ((81013, "81013"), (0, "invaliduser")):
        wecom.fake.settings.all_invalid_code = code
        with pytest.raises(PermanentError, match=told):
            await wecom.sender.send(delivery("a", user="U1"))


async def test_candidates_are_buttons(wecom: Wecom) -> None:
    await wecom.sender.send(OFFER)
    await wecom.sender.send(OFFER)
    (card,) = wecom.fake.cards()
    assert [key for _, key in card.buttons] == ["1:choose:a1", "2:choose:b2", "3:none_of_these"]


async def test_where_buttons_are_refused_the_list_is_sent_and_remembered(wecom: Wecom) -> None:
    wecom.fake.settings.takes_cards = False
    await wecom.sender.send(OFFER)
    await wecom.sender.send(Delivery("offer-2", "u1", "offer", OFFER.text, OFFER.data))
    assert wecom.shown("u1") == [OFFER.text, OFFER.text]
    assert sum(b"template_card" in r.content for r in wecom.network.requests) == 1
    wecom.fake.settings.takes_cards = True
    wecom.now += timedelta(hours=25)
    await wecom.sender.send(Delivery("offer-3", "u1", "offer", OFFER.text, OFFER.data))
    assert len(wecom.fake.cards()) == 1


async def test_words_too_long_for_a_card_stay_a_list(wecom: Wecom) -> None:
    text = "您想问的是哪一个？\n" + "很长的标题" * 30
    await wecom.sender.send(Delivery("o", "u1", "offer", text, OFFER.data))
    assert wecom.fake.cards() == []


def test_the_gateway_signature_is_the_known_one() -> None:
    known = ANSWERS["gateway"]
    made = gateway_signature(known["token"], known["timestamp"], known["nonce"])
    assert made == known["signature"]


async def test_a_gateway_gets_its_prefix_and_headers() -> None:
    private = {"gateway_id": "pid", "gateway_token": "hush", "gateway_prefix": "x-rio"}
    wecom = Wecom(SETTINGS.model_copy(update=private))
    await wecom.sender.send(delivery("a"))
    for request in wecom.network.requests:
        assert str(request.url).startswith("http://gateway.test/ebus/app/cgi-bin/")
        headers = request.headers
        assert headers["x-rio-paasid"] == "pid"
        assert headers["x-rio-signature"] == gateway_signature(
            "hush", headers["x-rio-timestamp"], headers["x-rio-nonce"]
        )


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(502, text="bad gateway"),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[1]),
        httpx.Response(200, json={"errcode": "nonsense"}),
        httpx.Response(200, json={"errcode": 0}),
    ],
)
async def test_an_odd_answer_is_tried_again_and_tells_no_secret(answer: httpx.Response) -> None:
    client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer))
    wecom = Wecom()
    api = WecomApi(client, SETTINGS, wecom.clock)
    with pytest.raises(TransientError) as raised:
        await WecomChannel(api, SETTINGS, wecom.clock).send(delivery("a"))
    assert SECRET not in repr(raised.value)


async def test_no_error_and_no_log_tells_a_secret(wecom: Wecom) -> None:
    failing = httpx.ConnectError(f"cannot reach ?access_token=token-1&corpsecret={SECRET}")
    wecom.network.failures = [failing]
    with structlog.testing.capture_logs() as lines, pytest.raises(TransientError) as raised:
        await wecom.sender.send(delivery("a"))
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    for told in (str(raised.value), repr(lines), repr(SETTINGS)):
        assert SECRET not in told
        assert "token-1" not in told


@given(text=st.text(max_size=400), limit=st.integers(min_value=40, max_value=200))
def test_parts_make_up_the_text_again(text: str, limit: int) -> None:
    parts = in_parts(text, limit)
    assert all(len(part.encode()) <= limit for part in parts)
    if len(parts) > 1:
        ends = [f"({n}/{len(parts)})" for n in range(1, len(parts) + 1)]
        assert "".join(p.removesuffix(end) for p, end in zip(parts, ends, strict=True)) == text
    else:
        assert parts == [text]
