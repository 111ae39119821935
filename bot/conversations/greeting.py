"""The greeting: by time of day, with the questions that this time of the fiscal year brings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.phrases import Phrases
from store import yaml_text

LOCAL = ZoneInfo("Asia/Shanghai")
#: More than this does not fit a phone without scrolling.
HOT_QUESTIONS = 6


@dataclass(frozen=True, slots=True)
class Season:
    """Months with their usual questions."""

    months: frozenset[int]
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a new conversation starts with."""

    text: str
    hot_questions: tuple[str, ...]
    secrecy: str


@dataclass(frozen=True, slots=True)
class Greetings:
    """Greets by local time."""

    phrases: Phrases
    seasons: tuple[Season, ...]
    usual: tuple[str, ...]

    def at(self, now: datetime) -> Greeting:
        """The greeting at an instant."""
        local = now.astimezone(LOCAL)
        seasonal = [
            question
            for season in self.seasons
            if local.month in season.months
            for question in season.questions
        ]
        hot = tuple(dict.fromkeys((*seasonal, *self.usual)))[:HOT_QUESTIONS]
        return Greeting(
            text=self.phrases.say(f"greeting.{_part_of_day(local.hour)}"),
            hot_questions=hot,
            secrecy=self.phrases.say("greeting.secrecy"),
        )


def _part_of_day(hour: int) -> str:
    if 5 <= hour < 12:
        return "morning"
    if 12 <= hour < 18:
        return "afternoon"
    return "evening" if 18 <= hour < 23 else "night"


def load(path: Path, phrases: Phrases) -> Greetings:
    """Read ``data/dialogue/seasons.yml``; raises ``ValueError`` for a month that is none."""
    raw = yaml_text.parse(path.read_text(encoding="utf-8"))
    if not isinstance(raw, Mapping):
        raise ValueError(f"{path.name}: a mapping with seasons and usual is expected")
    seasons = tuple(_season(entry, path.name) for entry in raw.get("seasons", ()))
    return Greetings(phrases, seasons, _questions(raw.get("usual", ()), path.name))


def _season(entry: object, source: str) -> Season:
    if not isinstance(entry, Mapping):
        raise ValueError(f"{source}: every season is a mapping")
    months = frozenset(entry.get("months", ()))
    if not months or not months <= set(range(1, 13)):
        raise ValueError(f"{source}: months must be 1 to 12, not {sorted(map(str, months))}")
    return Season(months, _questions(entry.get("questions", ()), source))


def _questions(raw: object, source: str) -> tuple[str, ...]:
    if not isinstance(raw, Sequence) or not all(isinstance(item, str) for item in raw):
        raise ValueError(f"{source}: questions must be a list of texts")
    return tuple(raw)
