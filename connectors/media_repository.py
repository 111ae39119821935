"""Queries about files that a platform holds for us."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.media_tables import ChannelMedia


async def find(session: AsyncSession, *, channel: str, sha256: str) -> ChannelMedia | None:
    """What a platform calls a file, current or not."""
    return await session.get(ChannelMedia, (channel, sha256))


async def keep(
    session: AsyncSession, *, channel: str, sha256: str, media_id: str, until: datetime
) -> None:
    """Remember what a platform calls a file, instead of what it called it before."""
    await session.merge(
        ChannelMedia(channel=channel, sha256=sha256, media_id=media_id, until=until)
    )


async def forget_before(session: AsyncSession, moment: datetime) -> None:
    """Delete what no platform has any more."""
    await session.execute(delete(ChannelMedia).where(ChannelMedia.until < moment))
