"""Every query about import jobs. Returns rows; never decides, never commits."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, CursorResult, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.guides.tables import GuideImportFileRow, GuideImportRow


async def job(session: AsyncSession, import_id: str) -> GuideImportRow | None:
    """One job as it is now."""
    query = select(GuideImportRow).where(GuideImportRow.id == import_id)
    return (await session.scalars(query.execution_options(populate_existing=True))).one_or_none()


async def files(session: AsyncSession, import_id: str) -> Sequence[GuideImportFileRow]:
    """The files of a job, in their order."""
    query = select(GuideImportFileRow).where(GuideImportFileRow.import_id == import_id)
    return (await session.scalars(query.order_by(GuideImportFileRow.position))).all()


async def newest(
    session: AsyncSession, limit: int = 10
) -> Sequence[tuple[GuideImportRow, int, int]]:
    """The newest jobs, each with how many files it has and how many are still open."""
    still = GuideImportFileRow.status.in_(("waiting", "reading"))
    query = (
        select(
            GuideImportRow,
            func.count(GuideImportFileRow.id),
            func.count(GuideImportFileRow.id).filter(still),
        )
        .outerjoin(GuideImportFileRow, GuideImportFileRow.import_id == GuideImportRow.id)
        .group_by(GuideImportRow.id)
        .order_by(GuideImportRow.created_at.desc())
        .limit(limit)
    )
    return [(row[0], int(row[1]), int(row[2])) for row in await session.execute(query)]


async def older_than(session: AsyncSession, moment: datetime) -> Sequence[str]:
    """Ids of jobs begun before that moment."""
    return (
        await session.scalars(select(GuideImportRow.id).where(GuideImportRow.created_at < moment))
    ).all()


async def claim(
    session: AsyncSession, import_id: str, *, now: datetime, silent_since: datetime
) -> bool:
    """Take up a job that nobody works on; False when somebody else was faster."""
    free: ColumnElement[bool] = or_(
        GuideImportRow.status == "cancelled",
        (GuideImportRow.status == "running") & (GuideImportRow.beat_at < silent_since),
    )
    done = await session.execute(
        update(GuideImportRow)
        .where(GuideImportRow.id == import_id, free)
        .values(status="running", beat_at=now, finished_at=None, cancel_requested=False)
    )
    return isinstance(done, CursorResult) and done.rowcount == 1


async def reopen_files(session: AsyncSession, import_id: str) -> None:
    """What was not finished waits again."""
    await session.execute(
        update(GuideImportFileRow)
        .where(
            GuideImportFileRow.import_id == import_id,
            GuideImportFileRow.status.in_(("reading", "cancelled")),
        )
        .values(status="waiting")
    )


async def cancel_files(session: AsyncSession, import_id: str) -> None:
    """What was not finished is not begun any more."""
    await session.execute(
        update(GuideImportFileRow)
        .where(
            GuideImportFileRow.import_id == import_id,
            GuideImportFileRow.status.in_(("waiting", "reading")),
        )
        .values(status="cancelled")
    )


async def beat(session: AsyncSession, import_id: str, now: datetime) -> bool:
    """Say that somebody works on it; whether it shall be cancelled."""
    await session.execute(
        update(GuideImportRow).where(GuideImportRow.id == import_id).values(beat_at=now)
    )
    query = select(GuideImportRow.cancel_requested).where(GuideImportRow.id == import_id)
    return bool(await session.scalar(query))
