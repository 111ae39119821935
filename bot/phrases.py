"""Every word the product says to people, looked up by key in ``data/locales``.

Python code holds keys, never sentences. Placeholders are named.
"""

import random
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from store import yaml_text


class UnknownPhrase(KeyError):
    """The key is not in the catalogue."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """One locale's catalogue: a flat mapping from dotted key to one or several texts."""

    texts: Mapping[str, tuple[str, ...]]

    def say(self, key: str, **values: object) -> str:
        """The text of ``key`` with its placeholders filled. The first variant, always."""
        return self._variants(key)[0].format(**values)

    def vary(self, key: str, seed: int, **values: object) -> str:
        """One of the variants of ``key``, chosen by ``seed`` so that a replay says the same."""
        variants = self._variants(key)
        return random.Random(seed).choice(variants).format(**values)  # noqa: S311  # not a secret

    def lines(self, key: str) -> tuple[str, ...]:
        """All texts of ``key``, unfilled."""
        return self._variants(key)

    def below(self, prefix: str) -> tuple[str, ...]:
        """The first texts of all keys directly below ``prefix``, in the catalogue's order."""
        start = f"{prefix}."
        return tuple(
            texts[0]
            for key, texts in self.texts.items()
            if key.startswith(start) and "." not in key[len(start) :]
        )

    def has(self, key: str) -> bool:
        """Whether the catalogue knows ``key``."""
        return key in self.texts

    def _variants(self, key: str) -> tuple[str, ...]:
        try:
            return self.texts[key]
        except KeyError:
            raise UnknownPhrase(key) from None


def load(path: Path) -> Phrases:
    """Read a catalogue file of nested mappings.

    Raises ``ValueError`` for a leaf that is neither text nor a list of texts, or for a
    placeholder without a name.
    """
    raw = yaml_text.parse(path.read_text(encoding="utf-8"))
    flat: dict[str, tuple[str, ...]] = {}
    _flatten(raw, "", flat)
    return Phrases(flat)


def _flatten(node: object, prefix: str, into: dict[str, tuple[str, ...]]) -> None:
    if isinstance(node, Mapping):
        for key, child in node.items():
            _flatten(child, f"{prefix}.{key}" if prefix else str(key), into)
        return
    variants = _texts(node, prefix)
    for text in variants:
        placeholders(text)
    into[prefix] = variants


def _texts(node: object, key: str) -> tuple[str, ...]:
    if isinstance(node, str):
        return (node,)
    if isinstance(node, Sequence) and node and all(isinstance(item, str) for item in node):
        return tuple(str(item) for item in node)
    raise ValueError(f"phrase {key!r} is neither text nor a list of texts")


def placeholders(text: str) -> frozenset[str]:
    """Names of the placeholders in ``text``; ``ValueError`` for a nameless one."""
    names = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    if any(not name.isidentifier() for name in names):
        raise ValueError(f"placeholder without a plain name in {text!r}")
    return frozenset(names)
