"""Tickets that have to do with one another: one split into two, and two that are linked.

What belongs together is written into the events of both sides, so either one shows it. Merging
is in ``handoff.dispatch``: it ends one of the two.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from handoff import repository, service
from handoff.contract import Terms
from handoff.errors import LinkRefused
from handoff.lifecycle import Event
from handoff.performing import perform
from handoff.tables import Ticket
from handoff.texts import DESCRIPTION_LIMIT, TITLE_LIMIT, required
from handoff.ticket import Action, Actor, Level
from store.vocabulary import Category, Severity


class Relation(StrEnum):
    """How another ticket stands to this one. The values are phrase keys."""

    LINKED = "linked"
    SPLIT_INTO = "split_into"
    SPLIT_FROM = "split_from"
    MERGED_INTO = "merged_into"
    MERGED_FROM = "merged_from"


@dataclass(frozen=True, slots=True)
class Related:
    """Another ticket, by its number."""

    relation: Relation
    number: str


def relations(events: Iterable[Event]) -> tuple[Related, ...]:
    """Every ticket that the events name, each relation once, in the order it came about."""
    found: dict[Related, None] = {}
    for event in events:
        detail = event.detail
        match event.action:
            case Action.MERGE:
                found[Related(Relation.MERGED_INTO, detail["into"])] = None
            case Action.SPLIT:
                found[Related(Relation.SPLIT_INTO, detail["other"])] = None
            case Action.LINK:
                found[Related(Relation(detail["relation"]), detail["other"])] = None
            case Action.ADD_INFORMATION if detail.get("merged_from"):
                found[Related(Relation.MERGED_FROM, detail["merged_from"])] = None
            case _:
                pass
    return tuple(found)


async def merged_from(session: AsyncSession, ticket_id: str) -> list[Ticket]:
    """Tickets that were merged into this one, directly or through others."""
    found: dict[str, Ticket] = {}
    waiting = [ticket_id]
    while waiting:
        for event in await repository.events_of(session, waiting.pop()):
            other = event.detail.get("merged_from_id")
            if other is not None and other not in found:
                found[other] = await repository.by_id(session, other)
                waiting.append(other)
    return list(found.values())


async def link(
    session: AsyncSession,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    other: Ticket,
) -> Ticket:
    """Say that two tickets have to do with each other. Raises ``LinkRefused``."""
    known = relations(await repository.events_of(session, ticket.id))
    if ticket.id == other.id or Related(Relation.LINKED, other.number) in known:
        raise LinkRefused(ticket.number, other.number)
    await _link(session, other, Relation.LINKED, ticket, actor=actor, now=now, terms=terms)
    return await _link(session, ticket, Relation.LINKED, other, actor=actor, now=now, terms=terms)


async def _link(
    session: AsyncSession,
    ticket: Ticket,
    relation: Relation,
    other: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
) -> Ticket:
    detail = {"relation": relation.value, "other": other.number, "other_id": other.id}
    return await perform(
        session, ticket, Action.LINK, actor=actor, now=now, terms=terms, detail=detail
    )


async def split(
    session: AsyncSession,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    title: str,
    description: str,
) -> Ticket:
    """A second matter in the same request gets a ticket of its own, which is returned.

    It begins with the asker, rating and contract of the first, in the queue of the same level,
    and its clock starts now.
    """
    new = service.NewTicket(
        title=required("title", title, TITLE_LIMIT),
        description=required("description", description, DESCRIPTION_LIMIT),
        category=Category(ticket.category),
        severity=Severity(ticket.severity),
        contract_id=ticket.contract_id,
        channel=ticket.channel,
        severity_reasons=tuple(ticket.severity_reasons),
        module=ticket.module,
        conversation_id=ticket.conversation_id,
        requester_id=ticket.requester_id,
        region=ticket.region,
        unit=ticket.unit,
        level=Level(ticket.level),
    )
    opened = await service.open_ticket(session, new, actor=actor, now=now, terms=terms)
    detail = {"other": opened.number, "other_id": opened.id}
    await perform(session, ticket, Action.SPLIT, actor=actor, now=now, terms=terms, detail=detail)
    return await _link(
        session, opened, Relation.SPLIT_FROM, ticket, actor=actor, now=now, terms=terms
    )
