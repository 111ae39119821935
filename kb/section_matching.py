"""Which section of a guide's new version an old one has become. Pure values in, pure values out.

Sections are told apart by heading path, then by heading without its number, then by what they
say. Refuses to judge answers: whoever asks decides what a changed section means.
"""

import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

#: Share of a section's text that must be found again to call it the same section.
ALIKE = 0.55
#: Share of a new section's text that must come from an old one to call it a part of it.
PART = 0.6
#: A heading written anew keeps at least this share of its character pairs.
HEADING_ALIKE = 0.5
#: Texts shorter than this say too little to be recognised by.
SHORTEST = 16
_GRAM = 4
#: A run of characters that stands in more sections than this tells none of them.
_COMMON = 40
_NUMBER = re.compile(
    r"^\s*(第[一二三四五六七八九十百\d]+[章节部分篇条]+|[（(][一二三四五六七八九十\d]{1,3}[）)]"
    r"|[一二三四五六七八九十]{1,3}[、．.]|\d+(\.\d+)*[、．.）)]?)\s*"
)
_BLANK = re.compile(r"\s+")


class Fate(StrEnum):
    """What became of a section; NEW has no old section, VANISHED no new one."""

    SAME = "same"
    CHANGED = "changed"
    MOVED = "moved"  # same heading, other place or number
    RENAMED = "renamed"
    SPLIT = "split"
    VANISHED = "vanished"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class SectionText:
    """A section as it is compared: its own paragraphs without those of sections below it.

    `path` are the headings from the top, its own last; `pictures` content hashes in order.
    """

    id: str
    path: tuple[str, ...]
    number: str = ""
    paragraphs: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The heading with its number; empty for text before the first heading."""
        return self.path[-1] if self.path else ""

    @property
    def bare_heading(self) -> str:
        """The heading without its number."""
        return bare(self.heading)

    @property
    def bare_path(self) -> tuple[str, ...]:
        """All headings without their numbers."""
        return tuple(bare(one) for one in self.path)

    @property
    def text(self) -> str:
        """What it says, without blanks: line breaks are no change."""
        return _BLANK.sub("", "".join(self.paragraphs))


@dataclass(frozen=True, slots=True)
class SectionMatch:
    """One old section with what it became: several for SPLIT, the nearest to the old one first."""

    fate: Fate
    old: SectionText | None
    new: tuple[SectionText, ...] = ()

    @property
    def is_changed(self) -> bool:
        """Whether what the old section said no longer stands as it was."""
        if self.old is None:
            return False
        if len(self.new) != 1:
            return True
        new = self.new[0]
        return (self.old.text, set(self.old.pictures)) != (new.text, set(new.pictures))


@dataclass(slots=True)
class _Pairing:
    """What is matched so far, by position; every section leaves its list exactly once."""

    old: dict[int, SectionText]
    new: dict[int, SectionText]
    pairs: dict[int, int] = field(default_factory=dict)

    def pair(self, key: Callable[[SectionText], Hashable]) -> None:
        """Pair the nth old section of a key with the nth new one; None is no key."""
        waiting: defaultdict[Hashable, deque[int]] = defaultdict(deque)
        for at, section in self.new.items():
            waiting[key(section)].append(at)
        for at, section in list(self.old.items()):
            name = key(section)
            if name is not None and waiting[name]:
                self.take(at, waiting[name].popleft())

    def take(self, old: int, new: int) -> None:
        del self.old[old], self.new[new]
        self.pairs[old] = new


def bare(heading: str) -> str:
    """A heading without its number and blanks; a heading that is only a number stays."""
    rest = _BLANK.sub("", _NUMBER.sub("", heading, count=1))
    return rest or _BLANK.sub("", heading)


def match_sections(
    old: Sequence[SectionText], new: Sequence[SectionText]
) -> tuple[SectionMatch, ...]:
    """Every old and every new section in exactly one match, in the old order, NEW ones last."""
    pairing = _Pairing(dict(enumerate(old)), dict(enumerate(new)))
    pairing.pair(lambda one: (one.path, one.text, one.pictures))
    pairing.pair(lambda one: one.path)
    pairing.pair(lambda one: (one.bare_path, one.text))
    pairing.pair(lambda one: one.bare_path)
    pairing.pair(lambda one: (one.bare_heading, one.text) if one.text else None)
    pairing.pair(lambda one: one.text if len(one.text) >= SHORTEST else None)
    _pair_headings(pairing)
    _pair_alike(pairing)
    parts = _parts(pairing, old, new)
    matches = []
    for at, section in enumerate(old):
        first = [pairing.pairs[at]] if at in pairing.pairs else []
        matches.append(_match(section, tuple(new[to] for to in (*first, *parts.get(at, ())))))
    return (*matches, *(SectionMatch(Fate.NEW, None, (one,)) for one in pairing.new.values()))


def grams(text: str) -> set[str]:
    """Runs of a few characters: what texts are compared by where words would be too coarse."""
    bare_text = _BLANK.sub("", text)
    return {bare_text[at : at + _GRAM] for at in range(max(len(bare_text) - _GRAM + 1, 1))} - {""}


def contained(part: set[str], whole: set[str]) -> float:
    """The share of `part` that stands in `whole`; 0 for nothing."""
    return len(part & whole) / len(part) if part else 0.0


def _match(old: SectionText, new: tuple[SectionText, ...]) -> SectionMatch:
    if not new:
        return SectionMatch(Fate.VANISHED, old)
    if len(new) > 1:
        return SectionMatch(Fate.SPLIT, old, new)
    if old.bare_heading != new[0].bare_heading:
        return SectionMatch(Fate.RENAMED, old, new)
    if old.path != new[0].path:
        return SectionMatch(Fate.MOVED, old, new)
    match = SectionMatch(Fate.SAME, old, new)
    return SectionMatch(Fate.CHANGED, old, new) if match.is_changed else match


def _pair_headings(pairing: _Pairing) -> None:
    """The same number with a heading that was only rewritten, or a heading that is unique."""
    numbered = _unique(pairing.new, lambda one: one.number or None)
    for at, section in list(pairing.old.items()):
        to = numbered.get(section.number, -1)
        found = pairing.new.get(to)
        if found is not None and _pairs_alike(section.bare_heading, found.bare_heading):
            pairing.take(at, to)
    fresh = _unique(pairing.new, lambda one: one.bare_heading or None)
    for heading, at in _unique(pairing.old, lambda one: one.bare_heading or None).items():
        to = fresh.get(heading, -1)
        if to in pairing.new and _says_alike(pairing.old[at], pairing.new[to]):
            pairing.take(at, to)


def _unique(
    sections: Mapping[int, SectionText], key: Callable[[SectionText], str | None]
) -> dict[str, int]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for at, section in sections.items():
        name = key(section)
        if name is not None:
            found[name].append(at)
    return {name: places[0] for name, places in found.items() if len(places) == 1}


def _says_alike(old: SectionText, new: SectionText) -> bool:
    """Enough of the same for one heading; sections without text of their own always are."""
    if not old.text or not new.text:
        return not old.text and not new.text
    before, after = grams(old.text), grams(new.text)
    return max(contained(before, after), contained(after, before)) >= ALIKE / 2


def _pairs_alike(old: str, new: str) -> bool:
    before = {old[at : at + 2] for at in range(len(old) - 1)}
    after = {new[at : at + 2] for at in range(len(new) - 1)}
    together = len(before) + len(after)
    return together > 0 and 2 * len(before & after) / together >= HEADING_ALIKE


def _pair_alike(pairing: _Pairing) -> None:
    """Sections that say mostly the same under another heading, the most alike first."""
    before, after = _known(pairing.old.items()), _known(pairing.new.items())
    ranked = sorted(
        (-2 * count / (len(before[at]) + len(after[to])), at, to)
        for (at, to), count in _shared(before, after).items()
    )
    for unlikeness, at, to in ranked:
        if -unlikeness < ALIKE:
            break
        if at in pairing.old and to in pairing.new:
            pairing.take(at, to)


def _parts(
    pairing: _Pairing, old: Sequence[SectionText], new: Sequence[SectionText]
) -> dict[int, list[int]]:
    """New sections whose text was taken out of an old one, by the old one's position."""
    kept = {at for at, to in pairing.pairs.items() if old[at].text == new[to].text}
    before = _known((at, one) for at, one in enumerate(old) if at not in kept)
    after = _known(pairing.new.items())
    best: dict[int, tuple[float, int]] = {}
    for (at, to), count in _shared(before, after).items():
        share = count / len(after[to])
        if share >= PART and (share, -at) > best.get(to, (0.0, 0)):
            best[to] = (share, -at)
    parts: defaultdict[int, list[int]] = defaultdict(list)
    for to in sorted(best):
        parts[-best[to][1]].append(to)
        del pairing.new[to]
    return dict(parts)


def _known(sections: Iterable[tuple[int, SectionText]]) -> dict[int, set[str]]:
    """The grams of those that say enough to be recognised by."""
    return {at: grams(one.text) for at, one in sections if len(one.text) >= SHORTEST}


def _shared(
    before: Mapping[int, set[str]], after: Mapping[int, set[str]]
) -> Counter[tuple[int, int]]:
    """How many grams each old and new section have in common, without comparing all with all."""
    postings: defaultdict[str, list[int]] = defaultdict(list)
    for key, own in after.items():
        for gram in own:
            postings[gram].append(key)
    shared: Counter[tuple[int, int]] = Counter()
    for key, own in before.items():
        for gram in own:
            found = postings.get(gram, ())
            if len(found) <= _COMMON:
                shared.update((key, other) for other in found)
    return shared
