"""Queries of drafts and the tickets that they were made of."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.workbench.origin_tables import AnswerOriginRow
from handoff.tables import Ticket


async def draft_of(session: AsyncSession, ticket_id: str) -> str:
    """The answer that was drafted from a ticket; empty when there is none."""
    wanted = select(AnswerOriginRow.article_id).where(AnswerOriginRow.ticket_id == ticket_id)
    return await session.scalar(wanted) or ""


async def ticket_of(session: AsyncSession, article_id: str) -> Ticket | None:
    """The ticket that an answer was drafted from."""
    wanted = (
        select(Ticket)
        .join(AnswerOriginRow, AnswerOriginRow.ticket_id == Ticket.id)
        .where(AnswerOriginRow.article_id == article_id)
    )
    return await session.scalar(wanted)
