"""Every query about pictures and files."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.attachments.tables import Attachment, Reading

_ID: BindParameter[str] = bindparam("conversation_id")
_OF_MESSAGE = (
    select(Attachment)
    .where(Attachment.conversation_id == _ID, Attachment.seq == bindparam("seq"))
    .order_by(Attachment.position)
)


async def count_of(session: AsyncSession, conversation_id: str) -> int:
    """How many files a conversation has had."""
    query = select(func.count()).where(Attachment.conversation_id == conversation_id)
    return (await session.scalar(query)) or 0


async def attachment(session: AsyncSession, attachment_id: str) -> Attachment | None:
    """The file with this id."""
    return await session.get(Attachment, attachment_id)


async def of_message(session: AsyncSession, conversation_id: str, seq: int) -> Sequence[Attachment]:
    """The files of one message, in order."""
    values = {"conversation_id": conversation_id, "seq": seq}
    return (await session.scalars(_OF_MESSAGE, values)).all()


async def of_conversation(session: AsyncSession, conversation_id: str) -> Sequence[Attachment]:
    """The files of a conversation, oldest first."""
    query = (
        select(Attachment)
        .where(Attachment.conversation_id == conversation_id)
        .order_by(Attachment.seq, Attachment.position)
    )
    return (await session.scalars(query)).all()


async def unread(
    session: AsyncSession, *, conversation_id: str | None = None, limit: int = 100
) -> Sequence[str]:
    """Ids of files whose text is still to be read, oldest first."""
    query = select(Attachment.id).where(
        Attachment.reading == Reading.PENDING.value, Attachment.removed_at.is_(None)
    )
    if conversation_id is not None:
        query = query.where(Attachment.conversation_id == conversation_id)
    return (await session.scalars(query.order_by(Attachment.id).limit(limit))).all()


async def held(session: AsyncSession, attachment_id: str) -> Attachment | None:
    """The file with this id, held until the transaction ends."""
    query = select(Attachment).where(Attachment.id == attachment_id).with_for_update()
    return (await session.scalars(query)).one_or_none()


async def outlived(
    session: AsyncSession, *, before: datetime, limit: int = 200
) -> Sequence[Attachment]:
    """Files that came before ``before`` and are still here, oldest first; held."""
    query = (
        select(Attachment)
        .where(Attachment.removed_at.is_(None), Attachment.created_at < before)
        .order_by(Attachment.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(query)).all()


async def held_hashes(session: AsyncSession, hashes: Sequence[str]) -> set[str]:
    """Which of these contents some file still needs."""
    query = (
        select(Attachment.sha256)
        .where(Attachment.sha256.in_(hashes), Attachment.removed_at.is_(None))
        .distinct()
    )
    return set((await session.scalars(query)).all())
