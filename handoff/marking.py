"""The verbs that mark a ticket with tags and custom fields.

See ``handoff.service`` for the contract that all verbs share. What may be marked is in
``handoff.marks``.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from handoff import mark_repository, repository
from handoff.contract import Terms
from handoff.errors import NothingToChange
from handoff.marks import Marks, fields_of, marks_of, tags_of
from handoff.performing import perform
from handoff.tables import Ticket
from handoff.ticket import Action, Actor


async def mark(
    session: AsyncSession,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    tags: Iterable[str] | None = None,
    fields: Mapping[str, str] | None = None,
) -> Ticket:
    """Set the tags, all of them, and the custom fields that are named; ``None`` leaves them.

    Raises ``InvalidMark``, and ``NothingToChange`` when everything is marked so already.
    """
    before = marks_of(await repository.events_of(session, ticket.id))
    defined = await mark_repository.fields(session)
    after = Marks(
        before.tags if tags is None else tags_of(tags),
        fields_of(defined, ticket.category, before, fields or {}),
    )
    if after == before:
        raise NothingToChange(ticket.number, "marks")
    await perform(
        session, ticket, Action.MARK, actor=actor, now=now, terms=terms, detail=after.detail()
    )
    await mark_repository.write(session, ticket.id, after)
    return ticket


async def retag(
    session: AsyncSession,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
) -> Ticket:
    """Add and remove tags, whatever the others are. Raises as ``mark``."""
    before = marks_of(await repository.events_of(session, ticket.id))
    tags = (set(before.tags) | set(add)) - set(remove)
    return await mark(session, ticket, actor=actor, now=now, terms=terms, tags=tags)
