"""Entities that need no model: fixed formats, known phrases, and how they join learned ones.

Formats are those of :mod:`nlu.formats`; phrases and further patterns come from the training data's
lookups, regexes, synonyms and annotations. Every
interpreter uses the same extractor, so that an entity does not depend on which one answered.
Refuses to guess: what is not written somewhere is left to the learned extractor.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from nlu.formats import FormatFinder, normal_form, whole_word
from nlu.text import Folding
from nlu.training_data import TrainingData
from nlu.types import Entity, EntityName

#: Kinds whose format is unmistakable win over anything that overlaps them; lower is stronger.
_STRENGTH = {
    EntityName.TICKET_NUMBER: 0,
    EntityName.PHONE: 1,
    EntityName.DOCUMENT_NUMBER: 2,
    EntityName.ERROR_TEXT: 3,
}
_COMMON_STRENGTH = 4

#: A phrase that examples annotate at least this often, where they use it, is a known phrase.
_ANNOTATED_SHARE = 0.6
#: A single character must be nearly always annotated.
_SURE_SHARE = 0.9
_SHORTEST_PHRASE = 2
#: Texts whose entities are kept at hand.
_REMEMBERED = 64
#: Kinds whose regexes in the training data find the entity itself; the others' are only hints for a
#: learned extractor, far too wide to be believed alone.
_PATTERNED = frozenset(
    {EntityName.TICKET_NUMBER, EntityName.DOCUMENT_NUMBER, EntityName.PHONE, EntityName.FISCAL_YEAR}
)
#: Open classes, where a phrase seen once says little about the next message.
_OPEN = frozenset({EntityName.DOCUMENT_NUMBER, EntityName.PHONE, EntityName.TICKET_NUMBER})


@dataclass(frozen=True, slots=True)
class Phrase:
    """A known phrase in its folded spelling, what it names, and its normal form."""

    text: str
    name: EntityName
    value: str


class EntityExtractor:
    """Finds fixed formats and known phrases. Immutable after construction; safe across threads."""

    def __init__(
        self,
        phrases: Iterable[Phrase] = (),
        patterns: Iterable[tuple[EntityName, str]] = (),
    ) -> None:
        self.phrases = tuple(dict.fromkeys(phrases))
        self.patterns = tuple(dict.fromkeys(patterns))
        self._folding = Folding()
        self._by_head = _by_head(self.phrases)
        self._formats = FormatFinder()
        self._compiled = [
            (name, re.compile(pattern, re.IGNORECASE)) for name, pattern in self.patterns
        ]
        # Every interpreter and the triage look at the same message.
        self._extract_once = lru_cache(maxsize=_REMEMBERED)(self._extract)

    @classmethod
    def from_training(cls, data: TrainingData) -> "EntityExtractor":
        """The extractor that this training data describes; names that are not ours are left out."""
        folding = Folding()
        phrases = [*_lookup_phrases(data, folding), *_annotated_phrases(data, folding)]
        ours = {str(name): name for name in _PATTERNED}
        patterns = [
            (ours[name], pattern)
            for name, listed in data.regexes.items()
            if name in ours
            for pattern in listed
        ]
        return cls(phrases, patterns)

    def extract(self, text: str) -> tuple[Entity, ...]:
        """The entities of the readable part of a text, in its order, never overlapping."""
        return self._extract_once(text)

    def _extract(self, text: str) -> tuple[Entity, ...]:
        folded = self._folding.fold(text)
        by_form = self._formats.find(folded, text)
        found = [*by_form, *self._patterned(folded, text), *self._known(folded)]
        return _without_overlaps(found)

    def to_json(self) -> dict[str, Any]:
        """What a saved model keeps of this extractor."""
        return {
            "phrases": [[phrase.text, phrase.name, phrase.value] for phrase in self.phrases],
            "patterns": [[name, pattern] for name, pattern in self.patterns],
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> "EntityExtractor":
        """The extractor that :meth:`to_json` wrote."""
        phrases = [Phrase(text, EntityName(name), value) for text, name, value in saved["phrases"]]
        return cls(phrases, [(EntityName(name), pattern) for name, pattern in saved["patterns"]])

    def _patterned(self, folded: str, text: str) -> Iterator[Entity]:
        for name, pattern in self._compiled:
            for found in pattern.finditer(folded):
                start, end = found.span()
                if start < end and whole_word(folded, start, end):
                    said = normal_form(name, text[start:end], folded[start:end])
                    yield Entity(name, said, start, end)

    def _known(self, folded: str) -> Iterator[Entity]:
        for start in range(len(folded)):
            for phrase in self._by_head.get(folded[start : start + 1], ()):
                end = start + len(phrase.text)
                if folded.startswith(phrase.text, start) and _stands_alone(folded, start, end):
                    yield Entity(phrase.name, phrase.value, start, end)
                    break


def merge(certain: tuple[Entity, ...], learned: tuple[Entity, ...]) -> tuple[Entity, ...]:
    """Certain entities, and the learned ones that touch none of them."""
    free = [
        entity
        for entity in learned
        if not any(entity.start < sure.end and sure.start < entity.end for sure in certain)
    ]
    return _without_overlaps([*certain, *free])


def _without_overlaps(found: Iterable[Entity]) -> tuple[Entity, ...]:
    """The strongest, then longest, then earliest of overlapping entities."""
    chosen: list[Entity] = []
    for entity in sorted(found, key=_precedence):
        if not any(entity.start < other.end and other.start < entity.end for other in chosen):
            chosen.append(entity)
    return tuple(sorted(chosen, key=lambda entity: entity.start))


def _precedence(entity: Entity) -> tuple[int, int, int, str]:
    strength = _STRENGTH.get(entity.name, _COMMON_STRENGTH)
    return (strength, entity.start - entity.end, entity.start, entity.name)


def _by_head(phrases: tuple[Phrase, ...]) -> dict[str, tuple[Phrase, ...]]:
    """Phrases by their first character, longest first."""
    heads: dict[str, list[Phrase]] = {}
    for phrase in phrases:
        heads.setdefault(phrase.text[:1], []).append(phrase)
    return {
        head: tuple(sorted(listed, key=lambda phrase: -len(phrase.text)))
        for head, listed in heads.items()
        if head
    }


def _stands_alone(folded: str, start: int, end: int) -> bool:
    """Not inside a Latin word or number, nor the first half of 上午 or 下午."""
    return whole_word(folded, start, end) and not (
        folded[end : end + 1] == "午" and folded[end - 1] in "上下"
    )


def _entity_names() -> dict[str, EntityName]:
    return {str(name): name for name in EntityName}


def _lookup_phrases(data: TrainingData, folding: Folding) -> Iterator[Phrase]:
    """The lookups' phrases, and every variant whose normal form is one of them."""
    ours, owner = _entity_names(), dict[str, EntityName]()
    for name, listed in data.lookups.items():
        for phrase in listed if name in ours else ():
            value = data.synonyms.get(phrase, phrase)
            owner.setdefault(value, ours[name])
            yield Phrase(folding.fold(phrase), ours[name], value)
    for variant, value in data.synonyms.items():
        if value in owner and len(variant) >= _SHORTEST_PHRASE:
            yield Phrase(folding.fold(variant), owner[value], value)


def _annotated_phrases(data: TrainingData, folding: Folding) -> Iterator[Phrase]:
    """Phrases that the examples annotate wherever they say them, or nearly so."""
    ours, annotated = _entity_names(), Counter[Phrase]()
    for example in data.examples:
        for entity in example.entities:
            if entity.name in ours and ours[entity.name] not in _OPEN:
                said = folding.fold(example.text[entity.start : entity.end])
                annotated[Phrase(said, ours[entity.name], entity.value)] += 1
    everything = "\n".join(folding.fold(example.text) for example in data.examples)
    for phrase, times in annotated.items():
        spoken = everything.count(phrase.text)
        share = _ANNOTATED_SHARE if len(phrase.text) >= _SHORTEST_PHRASE else _SURE_SHARE
        if times >= share * spoken:
            yield phrase
