"""The vocabulary that search knows about: synonyms, typing slips, colloquial forms, fillers.

Reads the YAML files of a lexicon folder. It replaces words for searching only and never decides
which of two confusable terms a user meant.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kb.covered import load_everyday
from kb.distinct import Distinct
from store import yaml_text

_SIDES = ("words", "neutral")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What to replace by what (all lower case, simplified), what to leave out, which words to know.

    `replacements` maps a written form to the form that search uses; the longest match wins.
    `related` are lines of words of which nothing is replaced (see `kb.related`), `distinct` words
    that never stand for one another (see `kb.distinct`). `everyday` says of common words how much
    they say of a subject (see `kb.covered`).
    """

    replacements: Mapping[str, str] = field(default_factory=dict)
    fillers: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    related: tuple[tuple[str, ...], ...] = ()
    distinct: tuple[Distinct, ...] = ()
    everyday: Mapping[str, float] = field(default_factory=dict)

    def replacement_pattern(self) -> re.Pattern[str] | None:
        """Matches every written form, longest first; Latin forms only as whole words."""
        return _alternation(self.replacements)

    def filler_pattern(self) -> re.Pattern[str] | None:
        """Matches every filler, longest first."""
        return _alternation(self.fillers)


def load_lexicon(folder: Path) -> Lexicon:
    """The lexicon in a folder; files that are absent count as empty."""
    synonyms = _read(folder / "synonyms.yml") or []
    typos = _read(folder / "typos.yml") or {}
    colloquial = _read(folder / "colloquial.yml") or {}
    fillers = _read(folder / "fillers.yml") or {}
    replacements = {str(form): str(term) for form, term in colloquial.items()}
    replacements |= {str(form): str(term) for term, forms in typos.items() for form in forms}
    for group in synonyms:
        # The term itself, so that a variant within it (缴款书 in 电子缴款书) is left alone.
        replacements[str(group["term"])] = str(group["term"])
        replacements |= {str(form): str(group["term"]) for form in group["variants"]}
    terms = [str(group["term"]) for group in synonyms] + [str(term) for term in typos]
    return Lexicon(
        replacements={form.lower(): term.lower() for form, term in replacements.items()},
        fillers=tuple(word for group in fillers.values() for word in group),
        terms=tuple(dict.fromkeys(term.lower() for term in terms)),
        related=tuple(
            tuple(str(word).lower() for word in line)
            for line in _read(folder / "related.yml") or ()
        ),
        distinct=tuple(map(_distinct, _read(folder / "distinct.yml") or ())),
        everyday=load_everyday(folder / "everyday.tsv"),
    )


def shipped_groups(folder: Path) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    """What the files hold by kind as (word, variants); of related words the first is the word."""
    synonyms = _read(folder / "synonyms.yml") or []
    typos = _read(folder / "typos.yml") or {}
    fillers = _read(folder / "fillers.yml") or {}
    related = _read(folder / "related.yml") or []
    return {
        "synonym": [(str(g["term"]), tuple(map(str, g["variants"]))) for g in synonyms],
        "typo": [(str(term), tuple(map(str, forms))) for term, forms in typos.items()],
        "filler": [(str(word), ()) for group in fillers.values() for word in group],
        "related": [(str(line[0]), tuple(map(str, line[1:]))) for line in related],
    }


def lexicon_to_json(lexicon: Lexicon) -> dict[str, Any]:
    """Plain JSON of what editors change: related words are those of the index in use."""
    return {
        "replacements": dict(lexicon.replacements),
        "fillers": list(lexicon.fillers),
        "terms": list(lexicon.terms),
        "distinct": [asdict(one) for one in lexicon.distinct],
    }


def lexicon_from_json(row: Mapping[str, Any]) -> Lexicon:
    """What `lexicon_to_json` kept; raises KeyError, TypeError or ValueError."""
    replacements = {str(form): str(term) for form, term in dict(row["replacements"]).items()}
    fillers, terms = (tuple(map(str, row[name])) for name in ("fillers", "terms"))
    distinct = tuple(map(Distinct.from_json, row.get("distinct", ())))
    return Lexicon(replacements, fillers, terms, distinct=distinct)


def _distinct(row: Mapping[str, Any]) -> Distinct:
    words, neutral = (tuple(str(word).lower() for word in row.get(name, ())) for name in _SIDES)
    return Distinct(words, neutral)


def _read(path: Path) -> Any:
    return yaml_text.parse(path.read_text(encoding="utf-8")) if path.exists() else None


def _alternation(words: Iterable[str]) -> re.Pattern[str] | None:
    ordered = sorted(words, key=lambda word: (-len(word), word))
    if not ordered:
        return None
    return re.compile("|".join(_whole_word(word) for word in ordered))


def _whole_word(word: str) -> str:
    """`otp` must not match within `laptop`, but may stand directly beside Chinese characters."""
    start = r"(?<![a-z0-9])" if word[0].isascii() and word[0].isalnum() else ""
    end = r"(?![a-z0-9])" if word[-1].isascii() and word[-1].isalnum() else ""
    return f"{start}{re.escape(word)}{end}"
