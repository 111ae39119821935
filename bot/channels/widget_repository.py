"""Queries about the widgets of host pages, by their keys."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, case, delete, func, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels.tables import WidgetRefusal
from bot.tables import Conversation, Message, Sender

_WEB = "web"
#: The last word of a page is looked for in this many conversations that changed last.
_NEWEST = 20


class Words(NamedTuple):
    """When somebody on a page last said something, and when something was last said to them."""

    heard: datetime | None
    said: datetime | None


class Work(NamedTuple):
    """Conversations begun lately, those with a message not yet acted on, and its oldest."""

    opened: int
    waiting: int
    oldest: datetime | None


async def last_words(session: AsyncSession, widget: str) -> Words:
    """The newest message of each side."""
    newest = (
        select(Conversation.id)
        .where(Conversation.channel == _WEB, Conversation.widget == widget)
        .order_by(Conversation.updated_at.desc())
        .limit(_NEWEST)
    )
    by_user = Message.sender == Sender.USER.value
    query = select(
        func.max(case((by_user, Message.created_at))),
        func.max(case((~by_user, Message.created_at))),
    ).where(Message.conversation_id.in_(newest))
    heard, said = (await session.execute(query)).one()
    return Words(heard, said)


async def work(session: AsyncSession, *, since: datetime) -> Mapping[str, Work]:
    """Every page's, by key; pages without one under an empty key."""
    waits = Conversation.pending_seq.is_not(None)
    query = (
        select(
            Conversation.widget,
            func.sum(case((Conversation.created_at > since, 1), else_=0)),
            func.sum(case((waits, 1), else_=0)),
            func.min(Message.created_at),
        )
        .outerjoin(
            Message,
            and_(
                Message.conversation_id == Conversation.id,
                Message.seq == Conversation.pending_seq,
            ),
        )
        .where(Conversation.channel == _WEB, waits | (Conversation.created_at > since))
        .group_by(Conversation.widget)
    )
    found = (await session.execute(query)).all()
    return {key: Work(opened, waiting, oldest) for key, opened, waiting, oldest in found}


async def refusals(session: AsyncSession, *, since: datetime) -> Mapping[str, int]:
    """How often proofs were refused, by key."""
    query = (
        select(WidgetRefusal.widget, func.sum(WidgetRefusal.count))
        .where(WidgetRefusal.hour > since)
        .group_by(WidgetRefusal.widget)
    )
    return {key: count for key, count in (await session.execute(query)).all()}


async def count_refusal(session: AsyncSession, widget: str, hour: datetime) -> None:
    """One more in this hour."""
    postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql_insert if postgresql else sqlite_insert
    await session.execute(
        insert(WidgetRefusal)
        .values(widget=widget, hour=hour, count=1)
        .on_conflict_do_update(
            index_elements=["widget", "hour"], set_={"count": WidgetRefusal.count + 1}
        )
    )


async def forget_refusals(session: AsyncSession, before: datetime) -> None:
    """Nothing asks about older ones."""
    await session.execute(delete(WidgetRefusal).where(WidgetRefusal.hour < before))
