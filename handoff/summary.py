"""Three lines for the engineer who takes over: what was asked, what was tried, where it stands.

Pure rules over the transcript, no model. Gives phrase keys with values; the only sentences in it
are quotations. Refuses to summarise what was said among engineers.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: A quotation longer than this is not a summary any more.
QUOTE_LIMIT = 80

#: Said by way of manners, or to steer the conversation; tells nothing about the matter.
_MANNERS = re.compile(
    r"^(您好|你好|hello|hi|在吗|在不在|有人吗|请问|谢谢.*|好的?|嗯+|哦+|ok|是的?|对|不是|没有|可以|"
    r"(我?要?)?(转|找)?人工(客服)?|没解决|还是不行|不行|解决了|没用|有用|都不是|第?[一二三1-3]个?|"
    r"急+|快点|催一?下|在线等)[。.!!?？~～,， ]*$",
    re.IGNORECASE,
)
_ASKS_FOR_PERSON = re.compile(r"人工|转接|工程师|找(个)?人|真人")
_STILL_BROKEN = re.compile(r"没解决|还是不|仍然|依然|不行|没用|都不是|一样的?问题")

_ANSWERED = frozenset({"answer", "answer_card"})
_OFFERED = frozenset({"offer", "offer_card"})


@dataclass(frozen=True, slots=True)
class Turn:
    """One message: ``sender`` is user, bot, engineer or system; ``titles`` what the bot showed."""

    sender: str
    text: str
    kind: str = "text"
    titles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """A phrase key and its values."""

    key: str
    values: Mapping[str, str | int]


def summarise(turns: Sequence[Turn]) -> tuple[SummaryLine, SummaryLine, SummaryLine]:
    """What was asked, what was tried, where it stands."""
    spoken = [turn for turn in turns if turn.sender == "user"]
    telling = [turn for turn in spoken if _tells(turn.text)]
    return _asked(telling, spoken), _tried(turns), _stands(telling, spoken)


def _tells(text: str) -> bool:
    words = text.strip()
    return any(char.isalnum() for char in words) and not _MANNERS.match(words)


def _asked(telling: Sequence[Turn], spoken: Sequence[Turn]) -> SummaryLine:
    if telling:
        return SummaryLine("handoff.summary.asked", {"text": _quote(telling[0].text)})
    if any(_ASKS_FOR_PERSON.search(turn.text) for turn in spoken):
        return SummaryLine("handoff.summary.asked_person", {})
    return SummaryLine("handoff.summary.asked_nothing", {})


def _tried(turns: Sequence[Turn]) -> SummaryLine:
    answered = _titles(turns, _ANSWERED)
    offered = _titles(turns, _OFFERED)
    if answered:
        return SummaryLine("handoff.summary.tried_answers", _listed(answered))
    if offered:
        titles = "、".join(f"《{title}》" for title in offered[:3])
        return SummaryLine(
            "handoff.summary.tried_offers", {"titles": titles, "count": len(offered)}
        )
    return SummaryLine("handoff.summary.tried_nothing", {})


def _listed(titles: Sequence[str]) -> dict[str, str | int]:
    named = "、".join(f"《{title}》" for title in titles[:3])
    return {"titles": named, "count": len(titles)}


def _titles(turns: Sequence[Turn], kinds: frozenset[str]) -> list[str]:
    shown = [
        title
        for turn in turns
        if turn.sender == "bot" and turn.kind in kinds
        for title in (turn.titles or (turn.text,))
    ]
    return list(dict.fromkeys(_quote(title) for title in shown if title.strip()))


def _stands(telling: Sequence[Turn], spoken: Sequence[Turn]) -> SummaryLine:
    newest = spoken[-1].text if spoken else ""
    if len(telling) > 1 and telling[-1].text.strip() != telling[0].text.strip():
        return SummaryLine("handoff.summary.stands_said", {"text": _quote(telling[-1].text)})
    if _ASKS_FOR_PERSON.search(newest):
        return SummaryLine("handoff.summary.stands_person", {})
    if any(_STILL_BROKEN.search(turn.text) for turn in spoken[1:]):
        return SummaryLine("handoff.summary.stands_unsolved", {})
    return SummaryLine("handoff.summary.stands_waiting", {"count": len(spoken)})


def _quote(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= QUOTE_LIMIT else line[: QUOTE_LIMIT - 1] + "…"
