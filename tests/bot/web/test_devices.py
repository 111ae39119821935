"""What a browser says of itself, as an engineer reads it."""

import pytest

from bot.phrases import load
from bot.settings import data_dir
from bot.web.devices import device_words

PHRASES = load(data_dir() / "locales" / "zh-CN.yml")
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/126.0.0.0 Safari/537.36",
            "Chrome 126 · Windows 10/11",
        ),
        (
            f"Mozilla/5.0 (Windows NT 6.1) {WEBKIT} Chrome/49.0 Safari/537.36 Edg/109.0.1",
            "Edge 109 · Windows 7",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox 128 · Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
            "Internet Explorer 11 · Windows 7",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
            "like Gecko) Mobile/15E148 wxwork/4.1.22 MicroMessenger/7.0.1 Language/zh",
            "粤政易（企业微信） 4.1.22 · iOS 17.5",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 14; V2245A) {WEBKIT} Version/4.0 Chrome/116.0 Mobile "
            "Safari/537.36",
            "Chrome 116 · Android 14",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "
            "Gecko) Version/17.5 Safari/605.1.15",
            "Safari 17.5 · macOS 10.15.7",
        ),
    ],
)
def test_known_browsers_are_named(agent: str, words: str) -> None:
    assert device_words(PHRASES, agent) == words


@pytest.mark.parametrize("agent", ["", "python-httpx/0.27", "<script>alert(1)</script>", "Chrome"])
def test_what_is_not_known_is_shown_as_it_came(agent: str) -> None:
    assert device_words(PHRASES, agent) == agent
