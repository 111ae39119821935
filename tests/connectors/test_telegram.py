"""Sending through the Bot API to a fake of it on this machine: once, in order, within limits."""

import logging
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from connectors.base import Channel, Delivery, Enclosed, Held, PermanentError, TransientError
from connectors.telegram import TelegramChannel, buttons
from connectors.telegram_api import TelegramApi
from connectors.telegram_settings import TelegramSettings
from tests.connectors.channel_contract import ChannelContract, Rig, delivery
from tests.connectors.fake_telegram import TOKEN, FakeTelegram, fake_telegram

OFFER = Delivery(
    "offer-1",
    "42",
    "offer",
    "您想问的是哪一个？\n1. 甲\n2. 乙\n3. 都不是",
    {
        "candidates": [
            {"answer_id": "a" * 32, "title": "甲"},
            {"answer_id": "b" * 32, "title": "乙"},
        ]
    },
)

PRIVATE = {"id": 42, "type": "private"}


@dataclass
class Telegram:
    """A channel on a fake Bot API, with a clock that sleeping moves on."""

    fake: FakeTelegram
    settings: TelegramSettings
    now: datetime = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)
    api: TelegramApi = field(init=False)
    sender: TelegramChannel = field(init=False)

    def __post_init__(self) -> None:
        self.api = TelegramApi(self.settings)
        self.sender = TelegramChannel(
            self.api, self.settings, lambda: self.now, self._sleep, contents
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    @property
    def channel(self) -> Channel:
        return self.sender

    def shown(self, external_user: str) -> list[str]:
        return self.fake.texts(external_user)

    def fail_next(self, error: TransientError | PermanentError) -> None:
        transient = isinstance(error, TransientError)
        status, words = (502, "Bad Gateway") if transient else (400, "Bad Request: chat not found")
        self.answer_next(status, description=words)

    def answer_next(self, status: int, **body: Any) -> None:
        self.fake.script.append((status, {"ok": False, "error_code": status, **body}))


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with fake_telegram() as running:
        yield running


@pytest.fixture
async def telegram(fake: FakeTelegram) -> AsyncIterator[Telegram]:
    rig = Telegram(fake, fake.settings())
    yield rig
    await rig.api.close()


class TestTelegramChannel(ChannelContract):
    @pytest.fixture
    @override
    def rig(self, telegram: Telegram) -> Rig:
        return telegram

    @pytest.mark.parametrize("text", ["", " ", "😀", "第一行\n第二行", "<b>&amp;</b>", "\x00\x1b"])
    @override
    async def test_odd_text_is_shown_or_refused_for_good(self, rig: Rig, text: str) -> None:
        """Without the long text: here it goes in parts, which the tests below look at."""
        await super().test_odd_text_is_shown_or_refused_for_good(rig, text)


async def test_long_text_goes_in_numbered_parts_with_buttons_below_the_last(
    telegram: Telegram,
) -> None:
    text = "这是一个很长的答案😀，需要分成几段。" * 400
    await telegram.sender.send(Delivery("a", "42", "answer", text, seq=7))
    parts = telegram.shown("42")
    assert len(parts) > 1
    assert "".join(re.sub(r"\(\d+/\d+\)$", "", part) for part in parts) == text
    keyboards = [keyboard for _, _, keyboard in telegram.fake.shown]
    assert [bool(keyboard) for keyboard in keyboards] == [*([False] * (len(parts) - 1)), True]
    assert keyboards[-1][0][0]["callback_data"] == "helpful:7"


async def test_a_retry_goes_on_at_the_part_that_failed(telegram: Telegram) -> None:
    long = delivery("a", "长" * 9_000, user="42")
    telegram.fake.script = [(200, {"ok": True, "result": True})]
    telegram.answer_next(500, description="Internal")
    with pytest.raises(TransientError):
        await telegram.sender.send(long)
    await telegram.sender.send(long)
    assert [part[-5:] for part in telegram.shown("42")] == ["(2/3)", "(3/3)"]


async def test_candidates_are_buttons_with_their_lines(telegram: Telegram) -> None:
    await telegram.sender.send(OFFER)
    ((_, text, keyboard),) = telegram.fake.shown
    assert text == OFFER.text
    assert [[one["text"] for one in row] for row in keyboard] == [
        ["1. 甲"],
        ["2. 乙"],
        ["3. 都不是"],
    ]
    assert keyboard[0][0]["callback_data"] == f"choose:{'a' * 32}"
    assert keyboard[-1][0]["callback_data"] == "none_of_these"


def test_buttons_name_what_they_stand_for() -> None:
    ask = Delivery("k", "42", "ask", "哪一个？", {"options": ["指标", "额" * 90]}, seq=5)
    assert buttons(ask) == [[("指标", "say:5:0")], [("额" * 60, "say:5:1")]]
    assert buttons(Delivery("k", "42", "ask", "哪一个？", {"options": ["指标"]})) == []
    assert buttons(Delivery("k", "42", "rating_request", "请评价"))[0][4] == ("5★", "rate:5")
    solved = Delivery("k", "42", "resolved", "已解决", {"number": "CW20261121-0001"})
    assert buttons(solved)[0][1] == ("❌", "reopen:CW20261121-0001")
    assert buttons(Delivery("k", "42", "offer", "没有候选", {})) == []


async def test_a_title_is_bold_and_plain_when_the_markup_is_refused(telegram: Telegram) -> None:
    answer = Delivery(
        "a", "42", "answer", "打印<凭证>\n1. 点“打印 & 预览”", {"title": "打印<凭证>"}
    )
    await telegram.sender.send(answer)
    sent = telegram.fake.called("sendMessage")[0]
    assert (sent["parse_mode"], sent["text"].split("\n")[0]) == ("HTML", "<b>打印&lt;凭证&gt;</b>")
    telegram.fake.refuses_markup = True
    again = Delivery("b", "42", "answer", answer.text, answer.data)
    await telegram.sender.send(again)
    assert telegram.shown("42") == [answer.text, answer.text]


SCREEN = Enclosed("a" * 64, "截图.png", "image/png", 9, "收不了“截图.png”")
MANUAL = Enclosed("b" * 64, "操作说明.pdf", "application/pdf", 9, "收不了“操作说明.pdf”")
BYTES = {SCREEN.sha256: b"a picture", MANUAL.sha256: b"a manual."}


async def contents(sha256: str) -> bytes | None:
    return BYTES.get(sha256)


def reply(*files: Enclosed, captioned: bool = True) -> Delivery:
    return Delivery("f", "42", "attachment", "按图里的做", files=files, captioned=captioned)


async def test_an_engineers_files_follow_the_words(telegram: Telegram) -> None:
    telegram.answer_next(200, ok=True, result={"message_id": 1, "date": 1, "chat": PRIVATE})
    telegram.answer_next(502, description="Bad Gateway")
    with pytest.raises(TransientError):
        await telegram.sender.send(reply(SCREEN, MANUAL))
    await telegram.sender.send(reply(SCREEN, MANUAL))
    assert telegram.fake.received == [
        ("42", "sendPhoto", "截图.png", b"a picture"),
        ("42", "sendDocument", "操作说明.pdf", b"a manual."),
    ]
    assert len(telegram.fake.called("sendMessage")) == 1


async def test_a_picture_that_is_no_photo_goes_as_a_file_and_alone(telegram: Telegram) -> None:
    telegram.answer_next(400, description="Bad Request: PHOTO_INVALID_DIMENSIONS")
    await telegram.sender.send(reply(SCREEN, captioned=False))
    assert telegram.fake.received == [("42", "sendDocument", "截图.png", b"a picture")]
    assert telegram.shown("42") == []


async def test_a_file_that_is_refused_is_told(telegram: Telegram) -> None:
    telegram.answer_next(200, ok=True, result={"message_id": 1, "date": 1, "chat": PRIVATE})
    telegram.answer_next(400, description="Bad Request: file must be non-empty")
    gone = replace(SCREEN, sha256="c" * 64, instead="收不了“没有了”")
    await telegram.sender.send(reply(MANUAL, gone))
    assert telegram.fake.received == []
    assert telegram.shown("42") == [MANUAL.instead, gone.instead]


async def test_files_keep_the_pace_too(fake: FakeTelegram) -> None:
    rig = Telegram(fake, fake.settings(pause_s=1))
    await rig.sender.send(reply(SCREEN, MANUAL))
    assert len(rig.slept) == 2
    await rig.api.close()


async def test_one_person_is_sent_to_once_a_second(fake: FakeTelegram) -> None:
    rig = Telegram(fake, fake.settings(pause_s=1))
    for n in range(3):
        await rig.sender.send(delivery(f"k{n}", user="42"))
    assert rig.slept == [1.0, 1.0]
    await rig.sender.send(delivery("other", user="43"))
    assert len(rig.slept) == 2
    await rig.api.close()


async def test_a_long_pause_gives_the_row_back(fake: FakeTelegram) -> None:
    rig = Telegram(fake, fake.settings(pause_s=30))
    await rig.sender.send(delivery("a", user="42"))
    with pytest.raises(Held) as held:
        await rig.sender.send(delivery("b", user="42"))
    assert held.value.wait_s == pytest.approx(30)
    await rig.api.close()


@pytest.mark.parametrize(
    ("status", "body", "raised"),
    [
        (429, {"description": "Too Many Requests", "parameters": {"retry_after": 7}}, Held),
        (401, {"description": "Unauthorized"}, Held),
        (403, {"description": "Forbidden: bot was blocked by the user"}, PermanentError),
        (400, {"description": "Bad Request: chat not found"}, PermanentError),
        (500, {"description": "Internal"}, TransientError),
    ],
)
async def test_refusals_are_told_apart(
    telegram: Telegram, status: int, body: dict[str, Any], raised: type[Exception]
) -> None:
    telegram.answer_next(status, **body)
    with pytest.raises(raised) as error:
        await telegram.sender.send(delivery("a", user="42"))
    assert type(error.value) is raised
    if status == 429:
        assert isinstance(error.value, Held)
        assert error.value.wait_s == pytest.approx(7.1)


async def test_an_unreachable_server_can_be_tried_again(fake: FakeTelegram) -> None:
    rig = Telegram(fake, fake.settings(base_url="http://127.0.0.1:9"))
    with pytest.raises(TransientError):
        await rig.sender.send(delivery("a", user="42"))
    await rig.api.close()


async def test_the_token_is_in_no_log_and_no_error(
    telegram: Telegram, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    telegram.answer_next(500, description=f"https://api/bot{TOKEN}/sendMessage")
    with capture_logs() as logs, pytest.raises(TransientError) as failed:
        await telegram.sender.send(delivery("a", user="42"))
    await telegram.sender.send(delivery("a", user="42"))
    # The fake's own server writes down its requests.
    written = [r.getMessage() for r in caplog.records if not r.name.startswith("aiohttp")]
    assert TOKEN not in repr((written, logs, failed.value)) + str(failed.value)
    assert TOKEN not in repr(telegram.settings)


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": ""},
        {"token": "no token"},
        {"webhook_secret": ""},
        {"webhook_secret": "with blank s"},
        {"base_url": "ftp://somewhere"},
        {"public_url": "http://not.safe"},
        {"unknown": 1},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        FakeTelegram(url="http://127.0.0.1:1").settings(**wrong)
    assert FakeTelegram(url="http://127.0.0.1:1").settings(mode="polling", webhook_secret="")
