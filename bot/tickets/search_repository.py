"""Where words stand: messages and events of tickets that contain them, the newest first."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.tables import MESSAGE_WORDS, Message
from handoff import ticket_words
from handoff.tables import TicketEvent
from store.text_index import Words


@dataclass(frozen=True, slots=True)
class Hit:
    """One place: a message of a conversation, or an event of a ticket."""

    row_id: int
    at: datetime
    conversation_id: str = ""
    ticket_id: str = ""


async def messages(
    session: AsyncSession, words: Words, *, before: int | None, most: int
) -> Sequence[Hit]:
    """The newest messages that contain the words."""
    found = await MESSAGE_WORDS.newest(session, words, before=before, most=most)
    query = (
        select(Message.id, Message.created_at, Message.conversation_id)
        .where(Message.id.in_(found))
        .order_by(Message.id.desc())
    )
    rows = (await session.execute(query)).all() if found else ()
    return [Hit(row_id, at, conversation_id=talk) for row_id, at, talk in rows]


async def events(
    session: AsyncSession, words: Words, *, before: int | None, most: int
) -> Sequence[Hit]:
    """The newest events whose words, or whose ticket's name, contain the words."""
    found = await ticket_words.INDEX.newest(session, words, before=before, most=most)
    query = (
        select(TicketEvent.id, TicketEvent.at, TicketEvent.ticket_id)
        .where(TicketEvent.id.in_(found))
        .order_by(TicketEvent.id.desc())
    )
    rows = (await session.execute(query)).all() if found else ()
    return [Hit(row_id, at, ticket_id=ticket) for row_id, at, ticket in rows]


async def said(session: AsyncSession, ids: Collection[int]) -> Mapping[int, tuple[str, str]]:
    """Sender and text of these messages."""
    if not ids:
        return {}
    query = select(Message.id, Message.sender, Message.text).where(Message.id.in_(list(ids)))
    return {row_id: (who, text) for row_id, who, text in await session.execute(query)}


async def noted(
    session: AsyncSession, ids: Collection[int]
) -> Mapping[int, tuple[str, Mapping[str, Any]]]:
    """Action and detail of these events."""
    if not ids:
        return {}
    query = select(TicketEvent.id, TicketEvent.action, TicketEvent.detail).where(
        TicketEvent.id.in_(list(ids))
    )
    return {row_id: (action, detail) for row_id, action, detail in await session.execute(query)}
