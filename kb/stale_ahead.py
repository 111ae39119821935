"""What publishing a guide's version has to know of its sections, reckoned before the transaction.

Comparing two versions of a long guide takes seconds, and a transaction that took them would keep
everybody else from writing. Sections of a stored version never change, so what was compared
before holds inside; what has come up in between is missing here and compared there. Refuses to
raise doubts (`kb.stale`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from kb import guide_repository
from kb import stale_repository as rows
from kb.guide_sections import section_texts
from kb.section_matching import Fate, SectionMatch, SectionText, match_sections
from kb.stale_sources import SectionFinder
from kb.tables import ArticleRow, GuideVersionRow

#: What became of each section of a version, by the section's id.
Fates = Mapping[str, SectionMatch]


@dataclass(frozen=True, slots=True)
class Named:
    """What an answer's section is found by where only its source line tells."""

    article_id: str
    source_title: str
    answer: str

    @classmethod
    def of(cls, article: ArticleRow) -> "Named":
        """Of an article as it is now."""
        return cls(article.id, article.source_title, article.answer)


@dataclass(frozen=True, slots=True)
class Gathered:
    """The sections to compare and the answers to find a section for, as they were read."""

    title: str
    version_id: str
    before_id: str | None
    sections: Mapping[str, Sequence[SectionText]]
    unnamed: Sequence[Named]


@dataclass(frozen=True, slots=True)
class Ahead:
    """Fates by (old, new) version, and sections by what named them in a version; None: in none."""

    fates: Mapping[tuple[str, str], Fates] = field(default_factory=dict)
    found: Mapping[tuple[str, Named], str | None] = field(default_factory=dict)


async def gather(session: AsyncSession, version: GuideVersionRow) -> Gathered:
    """Read everything that publishing this version compares; takes no lock."""
    guide = await guide_repository.guide(session, version.guide_id)
    title = guide.title if guide is not None else ""
    before = await rows.last_published(session, version.guide_id, besides=version.id)
    unnamed = await rows.without_section(session, title) if before is not None and title else ()
    drawn = await rows.sources_in_guide(session, version.guide_id)
    wanted = {section.version_id for _, _, section in drawn} | {version.id}
    if before is not None and unnamed:
        wanted.add(before.id)
    sections = {one: await section_texts(session, one) for one in sorted(wanted)}
    return Gathered(
        title=title,
        version_id=version.id,
        before_id=before.id if before is not None else None,
        sections=sections,
        unnamed=[Named.of(article) for article in unnamed],
    )


def reckon(gathered: Gathered) -> Ahead:
    """Compare what was read. Synchronous and long: call it in a thread, outside a transaction."""
    new = gathered.sections[gathered.version_id]
    fates = {
        (old_id, gathered.version_id): fates_of(old, new)
        for old_id, old in gathered.sections.items()
        if old_id != gathered.version_id
    }
    before = gathered.before_id
    if before is None or before not in gathered.sections:
        return Ahead(fates)
    found = find_sections(gathered.title, gathered.sections[before], gathered.unnamed)
    return Ahead(fates, {(before, one): section for one, section in found.items()})


def fates_of(old: Sequence[SectionText], new: Sequence[SectionText]) -> Fates:
    """What became of each old section."""
    matches = match_sections(old, new)
    return {match.old.id: match for match in matches if match.old is not None}


def unchanged(sections: Sequence[SectionText]) -> Fates:
    """What became of each section of a version in itself: nothing."""
    return {one.id: SectionMatch(Fate.SAME, one, (one,)) for one in sections}


def find_sections(
    title: str, sections: Sequence[SectionText], named: Sequence[Named]
) -> dict[Named, str | None]:
    """The section that each answer was written from, as far as one can be told."""
    if not named:
        return {}
    finder = SectionFinder(title, sections)
    found = {one: finder.find(one.source_title, one.answer) for one in named}
    return {one: section.id if section is not None else None for one, section in found.items()}
