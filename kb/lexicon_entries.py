"""Entries of the lexicon as editors see them: checked, merged with the shipped ones, as JSON.

Refuses what would harm every search: a word that two entries replace differently, a replaced word
that another entry replaces by, single characters. Says so with codes, never with sentences.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Self

from kb.distinct import Distinct
from kb.lexicon import Lexicon
from kb.stored_text import storable

MAX_WORD = 200
MAX_VARIANTS = 100
MAX_OPTIONS = 6


class Kind(StrEnum):
    """What an entry is for."""

    SYNONYM = "synonym"  # variants are searched as the word
    TYPO = "typo"  # the same for slips and homophones
    RELATED = "related"  # who says the one is also found what says another; nothing is replaced
    DISTINCT = "distinct"  # none of these words ever stands for another
    FILLER = "filler"  # the word says nothing, search leaves it out
    PAIR = "pair"  # the word names a mix-up that one question clears
    BLOCK = "block"  # messages with this word are for people, never answered by the bot


#: Kinds whose variants are replaced by their word.
REPLACING = frozenset({Kind.SYNONYM, Kind.TYPO})
#: Kinds whose word is one of several equals.
EQUALS = frozenset({Kind.RELATED, Kind.DISTINCT})


class LexiconInvalid(Exception):
    """An entry that cannot be kept: `field` and `reason` are codes, `about` is the other word."""

    def __init__(self, field: str, reason: str, about: str = "") -> None:
        super().__init__(field, reason, about)
        self.field = field
        self.reason = reason
        self.about = about


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. Of a pair, `variants` are what triggers the question.

    Of distinct words, `decided_by` are longer words that hold one of them by chance.
    """

    kind: Kind
    word: str
    variants: tuple[str, ...] = ()
    module: str = ""
    question: str = ""
    options: tuple[str, ...] = ()
    decided_by: tuple[str, ...] = ()
    active: bool = True

    @property
    def key(self) -> tuple[Kind, str]:
        """What names it."""
        return self.kind, self.word

    def to_json(self) -> dict[str, Any]:
        """Everything but what its row has columns for."""
        row = asdict(self)
        for name in ("kind", "word", "active"):
            row.pop(name)
        return row

    @classmethod
    def from_json(cls, kind: str, word: str, row: Mapping[str, Any], *, active: bool) -> Self:
        """The inverse of `to_json`."""
        return cls(
            Kind(kind),
            word,
            variants=tuple(row.get("variants", ())),
            module=str(row.get("module", "")),
            question=str(row.get("question", "")),
            options=tuple(row.get("options", ())),
            decided_by=tuple(row.get("decided_by", ())),
            active=active,
        )

    def checked(self) -> Self:
        """The same, trimmed and in the form that is compared; raises LexiconInvalid."""
        kept = replace(
            self,
            word=_word(self.word),
            variants=_distinct(map(_word, self.variants)),
            module=_plain(self.module),
            question=_plain(self.question),
            options=_distinct(map(_plain, self.options)),
            decided_by=_distinct(map(_word, self.decided_by)),
        )
        _require(kept)
        return kept


def _word(text: str) -> str:
    return _plain(text).lower()


def _plain(text: str) -> str:
    return " ".join(storable(text).split())


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for word in dict.fromkeys(words) if word)


def _require(entry: Entry) -> None:
    _check(bool(entry.word), "word", "empty")
    _check(len(entry.word) <= MAX_WORD, "word", "too_long")
    _check(len(entry.variants) <= MAX_VARIANTS, "variants", "too_many")
    needs_variants = entry.kind in REPLACING | EQUALS or entry.kind is Kind.PAIR
    _check(bool(entry.variants) == needs_variants, "variants", "empty" if needs_variants else "not")
    for name in ("variants", "decided_by", "options"):
        for word in getattr(entry, name):
            _check(len(word) <= MAX_WORD, name, "too_long")
    if entry.kind in EQUALS:
        _check(entry.word not in entry.variants, "variants", "itself", entry.word)
        _check(len(entry.word) > 1 or not entry.active, "word", "too_short", entry.word)
    matched = entry.variants if needs_variants else (entry.word,)
    for word in matched if entry.active else ():
        _check(len(word) > 1, "variants" if needs_variants else "word", "too_short", word)
    _check(len(entry.module) <= MAX_WORD, "module", "too_long")
    if entry.kind is Kind.PAIR:
        _check(bool(entry.question), "question", "empty")
        _check(len(entry.question) <= MAX_WORD, "question", "too_long")
        _check(2 <= len(entry.options) <= MAX_OPTIONS, "options", "count")
        _check(
            all(any(word in one.lower() for word in entry.decided_by) for one in entry.options),
            "options",
            "undecided",
        )


def _check(holds: bool, field: str, reason: str, about: str = "") -> None:
    if not holds:
        raise LexiconInvalid(field, reason, about)


def require_harmony(entry: Entry, others: Iterable[Entry]) -> None:
    """Raises LexiconInvalid when the entry contradicts another active one."""
    if entry.active and entry.kind is Kind.DISTINCT:
        _require_apart(entry, others)
    if not entry.active or entry.kind not in REPLACING:
        return
    _check(entry.word not in entry.variants, "variants", "itself", entry.word)
    for other in others:
        if other.key == entry.key or not other.active or other.kind not in REPLACING:
            continue
        for variant in entry.variants:
            taken = variant in other.variants and other.word != entry.word
            _check(not taken, "variants", "taken", f"{variant} → {other.word}")
            _check(variant != other.word, "variants", "is_word", variant)
        _check(
            entry.word not in other.variants, "word", "is_variant", f"{entry.word} → {other.word}"
        )


def _require_apart(entry: Entry, others: Iterable[Entry]) -> None:
    """Words that search takes for the same cannot be told apart."""
    replacing = [one for one in others if one.active and one.kind in REPLACING]
    stands_for = {variant: one.word for one in replacing for variant in one.variants}
    seen: set[str] = set()
    for word in (entry.word, *entry.variants):
        searched_as = stands_for.get(word, word)
        _check(searched_as not in seen, "variants", "same", f"{word} → {searched_as}")
        seen.add(searched_as)


def merged(shipped: Iterable[Entry], own: Iterable[Entry]) -> list[Entry]:
    """What is in force and what is switched off: an own entry stands in the shipped one's place."""
    return list(({one.key: one for one in shipped} | {one.key: one for one in own}).values())


def searched(entries: Sequence[Entry], base: Lexicon) -> Lexicon:
    """The lexicon of these entries, for search, over a base of what is no entry."""
    active = [one for one in entries if one.active]
    replacements = dict(base.replacements)
    for one in sorted(active, key=lambda one: one.kind is Kind.SYNONYM):
        if one.kind is Kind.SYNONYM:
            replacements[one.word] = one.word
        if one.kind in REPLACING:
            replacements |= dict.fromkeys(one.variants, one.word)
    return Lexicon(
        replacements=replacements,
        fillers=tuple(one.word for one in active if one.kind is Kind.FILLER),
        terms=tuple(dict.fromkeys(one.word for one in active if one.kind in REPLACING)),
        related=(*base.related, *(_equals(one) for one in active if one.kind is Kind.RELATED)),
        distinct=tuple(
            Distinct(_equals(one), one.decided_by) for one in active if one.kind is Kind.DISTINCT
        ),
        everyday=base.everyday,
    )


def _equals(entry: Entry) -> tuple[str, ...]:
    return (entry.word, *entry.variants)
