"""Every query of the knowledge base.

Returns rows and plain values; never decides, never commits.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from kb.tables import (
    ArticleRow,
    GuideRow,
    GuideSectionRow,
    GuideVersionRow,
    IndexBuildRow,
    MediaRow,
    PassageRow,
    SimilarQuestionRow,
    Status,
)

#: Fewer bound parameters than SQLite's limit of 32,766, whatever else the statement holds.
ID_BATCH = 5_000

#: Read for every answer that is shown, so written once.
_ARTICLE = select(ArticleRow).where(ArticleRow.id == bindparam("article_id"))


async def guides_of_file(session: AsyncSession, *, source_key: str) -> Sequence[GuideRow]:
    """Guides that an imported file of this name could be a new version of, oldest first."""
    query = select(GuideRow).where(GuideRow.source_key == source_key)
    return (await session.scalars(query.order_by(GuideRow.id))).all()


async def version_with_content(session: AsyncSession, content_hash: str) -> GuideVersionRow | None:
    """The newest version with exactly this content that was not archived."""
    query = select(GuideVersionRow).where(
        GuideVersionRow.content_hash == content_hash,
        GuideVersionRow.status != Status.ARCHIVED,
    )
    return (await session.scalars(query.order_by(GuideVersionRow.id.desc()).limit(1))).first()


async def newest_passages(session: AsyncSession, guide_id: str) -> Sequence[PassageRow]:
    """Passages of the guide's newest version, in reading order."""
    newest = select(func.max(GuideVersionRow.number)).where(GuideVersionRow.guide_id == guide_id)
    query = (
        select(PassageRow)
        .join(GuideVersionRow, GuideVersionRow.id == PassageRow.version_id)
        .where(
            GuideVersionRow.guide_id == guide_id,
            GuideVersionRow.number == newest.scalar_subquery(),
        )
        .order_by(PassageRow.position)
    )
    return (await session.scalars(query)).all()


async def count_version(session: AsyncSession, version_id: str) -> tuple[int, int]:
    """Sections and passages of a version."""
    sections = select(func.count()).where(GuideSectionRow.version_id == version_id)
    passages = select(func.count()).where(PassageRow.version_id == version_id)
    return (await session.scalar(sections)) or 0, (await session.scalar(passages)) or 0


async def archive_other_versions(
    session: AsyncSession, guide_id: str, *, keep_version_id: str
) -> None:
    """Withdraw every other published version of the guide."""
    await session.execute(
        update(GuideVersionRow)
        .where(
            GuideVersionRow.guide_id == guide_id,
            GuideVersionRow.id != keep_version_id,
            GuideVersionRow.status == Status.PUBLISHED,
        )
        .values(status=Status.ARCHIVED)
    )


async def insert_rows(
    session: AsyncSession, table: type[Any], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Many rows of one table at once."""
    if rows:
        await session.execute(insert(table), list(rows))


async def known_media(session: AsyncSession, hashes: Iterable[str]) -> set[str]:
    """Those of the hashes that the media table already has."""
    wanted = list(hashes)
    found: set[str] = set()
    for start in range(0, len(wanted), ID_BATCH):
        batch = wanted[start : start + ID_BATCH]
        found.update(
            await session.scalars(select(MediaRow.sha256).where(MediaRow.sha256.in_(batch)))
        )
    return found


async def media(session: AsyncSession, sha256: str) -> MediaRow | None:
    """One picture's row."""
    return await session.get(MediaRow, sha256)


async def articles_of_source(session: AsyncSession, source_name: str) -> Sequence[ArticleRow]:
    """Articles imported from one file, archived ones included, oldest first."""
    query = select(ArticleRow).where(ArticleRow.source_name == source_name)
    return (await session.scalars(query.order_by(ArticleRow.id))).all()


async def similar_questions(
    session: AsyncSession, article_ids: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Similar questions by article id, in their order; articles without any are absent."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for start in range(0, len(article_ids), ID_BATCH):
        query = (
            select(SimilarQuestionRow.article_id, SimilarQuestionRow.text)
            .where(SimilarQuestionRow.article_id.in_(article_ids[start : start + ID_BATCH]))
            .order_by(SimilarQuestionRow.article_id, SimilarQuestionRow.position)
        )
        for article_id, text in await session.execute(query):
            found[article_id].append(text)
    return {article_id: tuple(texts) for article_id, texts in found.items()}


async def delete_similar_questions(session: AsyncSession, article_ids: Sequence[str]) -> None:
    """Remove all similar questions of these articles."""
    for start in range(0, len(article_ids), ID_BATCH):
        batch = article_ids[start : start + ID_BATCH]
        await session.execute(
            delete(SimilarQuestionRow).where(SimilarQuestionRow.article_id.in_(batch))
        )


async def published_articles(session: AsyncSession) -> Sequence[ArticleRow]:
    """Every published article, oldest first."""
    query = select(ArticleRow).where(ArticleRow.status == Status.PUBLISHED)
    return (await session.scalars(query.order_by(ArticleRow.id))).all()


async def published_passages(
    session: AsyncSession,
) -> Sequence[tuple[PassageRow, GuideVersionRow, GuideRow]]:
    """Every passage of a published guide version with its version and guide, in reading order."""
    query = (
        select(PassageRow, GuideVersionRow, GuideRow)
        .join(GuideVersionRow, GuideVersionRow.id == PassageRow.version_id)
        .join(GuideRow, GuideRow.id == GuideVersionRow.guide_id)
        .where(GuideVersionRow.status == Status.PUBLISHED)
        .order_by(GuideRow.source_key, GuideRow.title, GuideRow.id, PassageRow.position)
    )
    return [(row[0], row[1], row[2]) for row in await session.execute(query)]


async def passages_beside(
    session: AsyncSession, version_id: str
) -> Sequence[tuple[PassageRow, GuideVersionRow, GuideRow]]:
    """The passages of a version and of the version of its guide that is published."""
    guide_id = select(GuideVersionRow.guide_id).where(GuideVersionRow.id == version_id)
    query = (
        select(PassageRow, GuideVersionRow, GuideRow)
        .join(GuideVersionRow, GuideVersionRow.id == PassageRow.version_id)
        .join(GuideRow, GuideRow.id == GuideVersionRow.guide_id)
        .where(GuideVersionRow.guide_id.in_(guide_id))
        .where((GuideVersionRow.id == version_id) | (GuideVersionRow.status == Status.PUBLISHED))
        .order_by(PassageRow.position)
    )
    return [(row[0], row[1], row[2]) for row in await session.execute(query)]


async def article(session: AsyncSession, article_id: str) -> ArticleRow | None:
    """One article, whatever its status."""
    return (await session.scalars(_ARTICLE, {"article_id": article_id})).one_or_none()


async def article_called(session: AsyncSession, name: str) -> ArticleRow | None:
    """The published article of this question or this number; None too when several are."""
    query = select(ArticleRow).where(
        ArticleRow.status == Status.PUBLISHED,
        (ArticleRow.question == name) | (ArticleRow.ref == name),
    )
    found = (await session.scalars(query.limit(2))).all()
    return found[0] if len(found) == 1 else None


async def passage(
    session: AsyncSession, answer_id: str, *, published_only: bool
) -> tuple[PassageRow, GuideVersionRow, GuideRow] | None:
    """The passage of the newest (or the published) version that goes by this answer id."""
    query = (
        select(PassageRow, GuideVersionRow, GuideRow)
        .join(GuideVersionRow, GuideVersionRow.id == PassageRow.version_id)
        .join(GuideRow, GuideRow.id == GuideVersionRow.guide_id)
        .where(PassageRow.answer_id == answer_id)
        .order_by(GuideVersionRow.number.desc())
        .limit(1)
    )
    if published_only:
        query = query.where(GuideVersionRow.status == Status.PUBLISHED)
    row = (await session.execute(query)).first()
    return (row[0], row[1], row[2]) if row is not None else None


async def section_source(
    session: AsyncSession, section_id: str
) -> tuple[GuideSectionRow, GuideVersionRow, GuideRow] | None:
    """A section with its guide, for articles that were drawn from one."""
    query = (
        select(GuideSectionRow, GuideVersionRow, GuideRow)
        .join(GuideVersionRow, GuideVersionRow.id == GuideSectionRow.version_id)
        .join(GuideRow, GuideRow.id == GuideVersionRow.guide_id)
        .where(GuideSectionRow.id == section_id)
    )
    row = (await session.execute(query)).first()
    return (row[0], row[1], row[2]) if row is not None else None


async def drafts_of(session: AsyncSession, article_id: str) -> Sequence[ArticleRow]:
    """Changes of a published article that wait for review."""
    return (
        await session.scalars(select(ArticleRow).where(ArticleRow.draft_of == article_id))
    ).all()


async def last_build(session: AsyncSession) -> IndexBuildRow | None:
    """The newest finished index build."""
    query = select(IndexBuildRow).order_by(IndexBuildRow.id.desc()).limit(1)
    return (await session.scalars(query)).first()
