"""Reads what a browser says of itself into what an engineer wants to know of it.

Browser with its version, and system. Refuses to judge: what is not known is shown as it came.
"""

import re
from collections.abc import Sequence

from bot.phrases import Phrases

#: In this order, for most browsers call themselves several names. Some are known here by a word,
#: which is a phrase.
_BROWSERS: Sequence[tuple[str, str]] = (
    ("wecom", r"\bwxwork/([\d.]+)"),
    ("wechat", r"\bMicroMessenger/([\d.]+)"),
    ("dingtalk", r"\bDingTalk/([\d.]+)"),
    ("Edge", r"\bEdg(?:e|A|iOS)?/(\d+)"),
    ("Opera", r"\bOPR/(\d+)"),
    ("Firefox", r"\b(?:Firefox|FxiOS)/(\d+)"),
    ("Chrome", r"\b(?:Headless)?(?:Chrome|CriOS)/(\d+)"),
    ("Internet Explorer", r"\b(?:MSIE |Trident/.*rv:)(\d+)"),
    ("Safari", r"\bVersion/([\d.]+).*\bSafari/"),
)
_SYSTEMS: Sequence[tuple[str, str]] = (
    ("HarmonyOS", r"\bHarmonyOS\b ?([\d.]*)"),
    ("Android", r"\bAndroid ?([\d.]*)"),
    ("iOS", r"\b(?:iPhone OS|CPU OS) ([\d_]+)"),
    ("macOS", r"\bMac OS X ?([\d_.]*)"),
    ("Windows 10/11", r"\bWindows NT 10\.0()"),
    ("Windows 8.1", r"\bWindows NT 6\.3()"),
    ("Windows 7", r"\bWindows NT 6\.1()"),
    ("Windows XP", r"\bWindows NT 5\.1()"),
    ("Windows", r"\bWindows NT ([\d.]+)"),
    ("Linux", r"\b(?:Linux|X11)\b()"),
)


def device_words(phrases: Phrases, agent: str) -> str:
    """The browser and the system with their versions; ``agent`` itself unless both are known."""
    browser, system = _first(phrases, _BROWSERS, agent), _first(phrases, _SYSTEMS, agent)
    return f"{browser} · {system}" if browser and system else agent


def _first(phrases: Phrases, patterns: Sequence[tuple[str, str]], agent: str) -> str:
    for name, pattern in patterns:
        found = re.search(pattern, agent)
        if found:
            word = phrases.say(f"device.{name}") if phrases.has(f"device.{name}") else name
            return f"{word} {found[1].replace('_', '.').strip('.')}".strip()
    return ""
