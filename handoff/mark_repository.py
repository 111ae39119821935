"""Queries of tags and custom fields, and the rows that lists are narrowed by."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.mark_tables import TicketField, TicketMark
from handoff.marks import CustomField, FieldKind, Marks
from handoff.tables import Ticket

#: The name under which tags are kept.
TAG = ""


async def definitions(session: AsyncSession) -> Sequence[TicketField]:
    """All custom fields, those in use first, in their order."""
    query = select(TicketField).order_by(
        TicketField.active.desc(), TicketField.position, TicketField.key
    )
    return (await session.scalars(query)).all()


async def definition(session: AsyncSession, key: str) -> TicketField | None:
    """One custom field, held until the transaction ends."""
    query = select(TicketField).where(TicketField.key == key).with_for_update()
    return await session.scalar(query.execution_options(populate_existing=True))


async def fields(session: AsyncSession) -> Sequence[CustomField]:
    """Custom fields in use, in their order."""
    return [
        CustomField(
            one.key, one.label, FieldKind(one.kind), tuple(one.choices), tuple(one.categories)
        )
        for one in await definitions(session)
        if one.active
    ]


async def write(session: AsyncSession, ticket_id: str, marks: Marks) -> None:
    """Make the rows say what the newest event says."""
    await session.execute(delete(TicketMark).where(TicketMark.ticket_id == ticket_id))
    session.add_all(
        TicketMark(ticket_id=ticket_id, name=name, value=value)
        for name, value in (*((TAG, tag) for tag in marks.tags), *marks.fields.items())
    )
    await session.flush()


def is_marked(name: str, value: str) -> ColumnElement[bool]:
    """Whether a ticket has this tag or this value in a field, as part of a query."""
    return exists().where(
        TicketMark.ticket_id == Ticket.id, TicketMark.name == name, TicketMark.value == value
    )


async def tags_in_use(session: AsyncSession, *, limit: int = 100) -> Sequence[tuple[str, int]]:
    """Tags with the number of tickets that have them, most used first."""
    count = func.count()
    query = (
        select(TicketMark.value, count)
        .where(TicketMark.name == TAG)
        .group_by(TicketMark.value)
        .order_by(count.desc(), TicketMark.value)
        .limit(limit)
    )
    return [(value, number) for value, number in await session.execute(query)]
