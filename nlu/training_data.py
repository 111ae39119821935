"""Rasa's YAML training data for NLU, read without Rasa.

Understands intents with annotated examples, synonyms, regexes and lookup tables, as the format's
documentation describes them. Refuses to correct a file: what it cannot read it reports with the
file's name. Intents and entity names are plain strings here, so that any domain's data can be read.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from nlu.errors import TrainingDataInvalid
from store import yaml_text

MAX_FILE_BYTES = 20 * 1024 * 1024

_ANNOTATION = re.compile(
    r"\[(?P<text>[^\]]+?)\](?:\((?P<entity>[^:)]+?)(?::(?P<value>[^)]+))?\)|(?P<detail>\{[^}]+?\}))"
)


@dataclass(frozen=True, slots=True)
class Annotation:
    """An entity in an example: ``text[start:end]``, its name and its normal form."""

    name: str
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Example:
    """One training message without its markup.

    ``category`` and ``severity`` where its entry's metadata has them.
    """

    text: str
    intent: str
    entities: tuple[Annotation, ...] = ()
    category: str | None = None
    severity: str | None = None


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Everything that a set of NLU files says.

    ``synonyms`` maps a variant to its normal form; ``regexes`` and ``lookups`` map a name to its
    patterns and its phrases.
    """

    examples: tuple[Example, ...] = ()
    synonyms: Mapping[str, str] = field(default_factory=dict)
    regexes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lookups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def parse_example(
    marked: str, intent: str, category: str | None = None, severity: str | None = None
) -> Example:
    """An example out of its markup ``付不了[支付申请](module)``.

    Raises ValueError when the markup names no entity.
    """
    text, entities, read = "", list[Annotation](), 0
    for found in _ANNOTATION.finditer(marked):
        text += marked[read : found.start()]
        name, value = _name_and_value(found)
        start, text = len(text), text + found["text"]
        entities.append(Annotation(name, value or found["text"], start, len(text)))
        read = found.end()
    return Example(text + marked[read:], intent, tuple(entities), category, severity)


def _name_and_value(found: re.Match[str]) -> tuple[str, str | None]:
    if found["detail"] is None:
        return found["entity"].strip(), found["value"]
    detail = json.loads(found["detail"])
    if not isinstance(detail.get("entity"), str):
        raise TypeError("an annotation without an entity")
    value = detail.get("value")
    return detail["entity"], None if value is None else str(value)


def read_training_data(paths: Iterable[Path]) -> TrainingData:
    """Everything in these files; a folder stands for every ``*.yml`` and ``*.yaml`` below it.

    Raises TrainingDataInvalid naming the first file that is not readable training data.
    """
    merged = _Merged()
    for path in training_files(paths):
        for entry in _entries(path):
            try:
                merged.add(entry)
            except (ValueError, KeyError, TypeError, AttributeError) as wrong:
                raise TrainingDataInvalid(path, str(wrong)) from wrong
    return merged.finish()


def write_examples(examples: Iterable[Example]) -> str:
    """Examples without entities as a training file. Texts are kept to one line each."""
    by_intent: dict[str, list[str]] = {}
    for example in examples:
        # Rasa reads markup and escapes in examples; these texts have none.
        line = re.sub(r"[\[\]{}\\\s]+", " ", example.text).strip()
        if line:
            by_intent.setdefault(str(example.intent), []).append(f"- {line}")
    entries = [
        {"intent": intent, "examples": "\n".join(lines) + "\n"}
        for intent, lines in by_intent.items()
    ]
    return yaml.safe_dump({"version": "3.1", "nlu": entries}, allow_unicode=True)


def training_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Every training file that these paths stand for; TrainingDataInvalid when one is missing."""
    for path in paths:
        if path.is_dir():
            yield from sorted([*path.rglob("*.yml"), *path.rglob("*.yaml")])
        elif path.is_file():
            yield path
        else:
            raise TrainingDataInvalid(path, "no such file or folder")


def _entries(path: Path) -> list[Any]:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise TrainingDataInvalid(path, "the file is too large")
    try:
        content = yaml_text.parse(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as wrong:
        raise TrainingDataInvalid(path, str(wrong)) from wrong
    if content is None:
        return []
    if not isinstance(content, dict) or not isinstance(content.get("nlu", []), list):
        raise TrainingDataInvalid(path, "expected a mapping with a list under nlu")
    entries: list[Any] = content.get("nlu", [])
    return entries


def _lines(examples: object) -> Iterator[str]:
    """The examples of an entry: a block of ``- `` lines, or a list of texts or mappings."""
    if isinstance(examples, str):
        for line in examples.splitlines():
            stripped = line.strip()
            if stripped.startswith("-"):
                yield stripped.removeprefix("-").strip()
            elif stripped:
                raise ValueError(f"an example line without a dash: {stripped[:40]}")
    elif isinstance(examples, list):
        for example in examples:
            text = example["text"] if isinstance(example, dict) else example
            yield from _lines(text) if str(text).lstrip().startswith("- ") else [str(text).strip()]
    elif examples is not None:
        raise ValueError("examples must be text or a list")


def _metadata(entry: Mapping[str, Any], name: str) -> str | None:
    """What the metadata of a whole entry says; that of single examples is passed over."""
    metadata = entry.get("metadata")
    said = metadata.get(name) if isinstance(metadata, Mapping) else None
    return None if said is None else str(said)


class _Merged:
    """What several files say together."""

    def __init__(self) -> None:
        self._examples: dict[Example, None] = {}
        self._synonyms: dict[str, str] = {}
        self._regexes: dict[str, dict[str, None]] = {}
        self._lookups: dict[str, dict[str, None]] = {}

    def add(self, entry: Mapping[str, Any]) -> None:
        """Take one entry of a file's ``nlu`` list."""
        lines = [line for line in _lines(entry.get("examples")) if line]
        if "intent" in entry:
            self._add_examples(entry, lines)
        elif "synonym" in entry:
            self._synonyms |= dict.fromkeys(lines, str(entry["synonym"]))
        elif "regex" in entry:
            self._add_regexes(str(entry["regex"]), lines)
        elif "lookup" in entry:
            self._lookups.setdefault(str(entry["lookup"]), {}).update(dict.fromkeys(lines))
        else:
            raise ValueError("an entry that is no intent, synonym, regex or lookup")

    def finish(self) -> TrainingData:
        """The whole as an immutable value."""
        return TrainingData(
            tuple(self._examples),
            self._synonyms,
            {name: tuple(patterns) for name, patterns in self._regexes.items()},
            {name: tuple(phrases) for name, phrases in self._lookups.items()},
        )

    def _add_examples(self, entry: Mapping[str, Any], lines: list[str]) -> None:
        category, severity = _metadata(entry, "category"), _metadata(entry, "severity")
        for line in lines:
            example = parse_example(line, str(entry["intent"]), category, severity)
            self._examples[example] = None
            for annotation in example.entities:
                said = example.text[annotation.start : annotation.end]
                if said != annotation.value:
                    self._synonyms.setdefault(said, annotation.value)

    def _add_regexes(self, name: str, patterns: list[str]) -> None:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as wrong:
                raise ValueError(f"regex {name}: {wrong}") from wrong
        self._regexes.setdefault(name, {}).update(dict.fromkeys(patterns))
