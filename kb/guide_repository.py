"""Every query about guides, their versions and sections. Returns rows; never decides."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from kb.stale_tables import StaleMarkRow
from kb.tables import GuideRow, GuideSectionRow, GuideVersionRow, PassageRow, Status


async def guide(session: AsyncSession, guide_id: str, *, lock: bool = False) -> GuideRow | None:
    """One guide, on request held against everybody else until the transaction ends."""
    query = select(GuideRow).where(GuideRow.id == guide_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(query)).one_or_none()


async def version(session: AsyncSession, version_id: str) -> GuideVersionRow | None:
    """One version."""
    return await session.get(GuideVersionRow, version_id)


async def versions(session: AsyncSession, guide_id: str) -> Sequence[GuideVersionRow]:
    """All versions, newest first."""
    query = select(GuideVersionRow).where(GuideVersionRow.guide_id == guide_id)
    return (await session.scalars(query.order_by(GuideVersionRow.number.desc()))).all()


async def published_version(session: AsyncSession, guide_id: str) -> GuideVersionRow | None:
    """The version that answers, if any."""
    query = select(GuideVersionRow).where(
        GuideVersionRow.guide_id == guide_id, GuideVersionRow.status == Status.PUBLISHED
    )
    return (await session.scalars(query.order_by(GuideVersionRow.number.desc()))).first()


async def section(session: AsyncSession, section_id: str) -> GuideSectionRow | None:
    """One section."""
    return await session.get(GuideSectionRow, section_id)


async def sections(session: AsyncSession, version_id: str) -> Sequence[GuideSectionRow]:
    """Every section of a version, in reading order."""
    query = select(GuideSectionRow).where(GuideSectionRow.version_id == version_id)
    return (await session.scalars(query.order_by(GuideSectionRow.position))).all()


async def passages(session: AsyncSession, version_id: str) -> Sequence[PassageRow]:
    """Every passage of a version, in reading order."""
    query = select(PassageRow).where(PassageRow.version_id == version_id)
    return (await session.scalars(query.order_by(PassageRow.position))).all()


async def passages_of_section(session: AsyncSession, section_id: str) -> Sequence[PassageRow]:
    """Every passage of one section, in reading order."""
    query = select(PassageRow).where(PassageRow.section_id == section_id)
    return (await session.scalars(query.order_by(PassageRow.position))).all()


async def published_headings(session: AsyncSession) -> Sequence[str]:
    """Different headings of the guides that answer now."""
    query = (
        select(GuideSectionRow.heading)
        .join(GuideVersionRow, GuideVersionRow.id == GuideSectionRow.version_id)
        .where(GuideVersionRow.status == Status.PUBLISHED)
        .distinct()
    )
    return (await session.scalars(query)).all()


@dataclass(frozen=True, slots=True)
class NamedSection:
    """A section with where it stands, as people choose one."""

    id: str
    guide: str
    path: tuple[str, ...]
    version: str


async def sections_named(
    session: AsyncSession, words: str, *, limit: int = 20
) -> Sequence[NamedSection]:
    """Sections of the guides that answer now with all the words in heading or title."""
    query = (
        _named()
        .where(GuideVersionRow.status == Status.PUBLISHED, GuideSectionRow.heading != "")
        .order_by(func.length(GuideSectionRow.heading), GuideRow.title, GuideSectionRow.position)
        .limit(limit)
    )
    for word in words.split():
        query = query.where(
            or_(
                GuideSectionRow.heading.icontains(word, autoescape=True),
                GuideRow.title.icontains(word, autoescape=True),
            )
        )
    return [_named_section(row) for row in await session.execute(query)]


async def section_named(session: AsyncSession, section_id: str) -> NamedSection | None:
    """One section of whatever version."""
    row = (await session.execute(_named().where(GuideSectionRow.id == section_id))).first()
    return _named_section(row) if row is not None else None


def _named() -> Select[GuideSectionRow, GuideVersionRow, GuideRow]:
    return (
        select(GuideSectionRow, GuideVersionRow, GuideRow)
        .join(GuideVersionRow, GuideVersionRow.id == GuideSectionRow.version_id)
        .join(GuideRow, GuideRow.id == GuideVersionRow.guide_id)
    )


def _named_section(row: Row[GuideSectionRow, GuideVersionRow, GuideRow]) -> NamedSection:
    section, version, guide = row
    return NamedSection(section.id, guide.title, tuple(section.path), version.version or "")


@dataclass(frozen=True, slots=True)
class ListedGuide:
    """A guide in the list: its newest and its published version, and answers in doubt."""

    guide: GuideRow
    newest: GuideVersionRow
    published: GuideVersionRow | None
    stale: int


async def listed(session: AsyncSession, text: str = "", limit: int = 200) -> list[ListedGuide]:
    """Guides whose title has all the words, the one changed last first."""
    query = select(GuideRow).order_by(GuideRow.updated_at.desc(), GuideRow.id.desc()).limit(limit)
    for word in text.split():
        query = query.where(GuideRow.title.icontains(word, autoescape=True))
    guides = (await session.scalars(query)).all()
    ids = [one.id for one in guides]
    found = await session.scalars(
        select(GuideVersionRow)
        .where(GuideVersionRow.guide_id.in_(ids))
        .order_by(GuideVersionRow.number)
    )
    newest: dict[str, GuideVersionRow] = {}
    published: dict[str, GuideVersionRow] = {}
    for row in found:
        newest[row.guide_id] = row
        if row.status == Status.PUBLISHED:
            published[row.guide_id] = row
    stale = await _stale_counts(session, ids)
    return [
        ListedGuide(one, newest[one.id], published.get(one.id), stale.get(one.id, 0))
        for one in guides
        if one.id in newest
    ]


async def _stale_counts(session: AsyncSession, guide_ids: Sequence[str]) -> dict[str, int]:
    query = (
        select(StaleMarkRow.guide_id, func.count(StaleMarkRow.article_id.distinct()))
        .where(StaleMarkRow.guide_id.in_(guide_ids), StaleMarkRow.cleared_at.is_(None))
        .group_by(StaleMarkRow.guide_id)
    )
    return {str(guide_id): int(count) for guide_id, count in await session.execute(query)}
