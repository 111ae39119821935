"""Terms that people mix up, and the one question that tells them apart. Read from data, pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.dialogue.turn import Clarification
from store import yaml_text


@dataclass(frozen=True, slots=True)
class Pair:
    """One confusable group: any trigger asks, unless the message already decides."""

    clarification: Clarification
    triggers: tuple[str, ...]
    decided_by: tuple[str, ...]

    def applies(self, text: str) -> bool:
        """Whether ``text`` is ambiguous in this pair's way."""
        return any(word in text for word in self.triggers) and not any(
            word in text for word in self.decided_by
        )


@dataclass(frozen=True, slots=True)
class Clarifications:
    """All groups, in the order in which they are tried."""

    pairs: tuple[Pair, ...] = ()

    def match(self, text: str) -> Clarification | None:
        """The first group that applies to a message, if any."""
        lowered = text.lower()
        return next((p.clarification for p in self.pairs if p.applies(lowered)), None)


def load(path: Path) -> Clarifications:
    """Read ``data/dialogue/clarifications.yml``; raises ``ValueError`` naming a bad entry."""
    raw = yaml_text.parse(path.read_text(encoding="utf-8")) or []
    if not isinstance(raw, Sequence):
        raise ValueError(f"{path.name}: a list of groups is expected")
    return Clarifications(tuple(_pair(entry, path.name) for entry in raw))


def _pair(entry: object, source: str) -> Pair:
    if not isinstance(entry, Mapping):
        raise ValueError(f"{source}: every group is a mapping")
    key, question = entry.get("key"), entry.get("question")
    if not isinstance(key, str) or not isinstance(question, str):
        raise ValueError(f"{source}: a group needs key and question: {entry!r}")
    triggers = _words(entry, "triggers", source)
    if not triggers:
        raise ValueError(f"{source}: group {key!r} has no triggers")
    return Pair(
        Clarification(key, question, _words(entry, "options", source)),
        tuple(word.lower() for word in triggers),
        tuple(word.lower() for word in _words(entry, "decided_by", source)),
    )


def _words(entry: Mapping[str, object], name: str, source: str) -> tuple[str, ...]:
    value = entry.get(name, [])
    if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
        raise ValueError(f"{source}: {name} of {entry.get('key')!r} must be a list of texts")
    return tuple(value)
