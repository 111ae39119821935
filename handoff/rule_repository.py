"""Queries of rules, of what they did, and of the tickets that they look at.

Refuses to judge anything: rules are judged in ``handoff.rule_moments``.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.rule_past import About
from handoff.rule_tables import RuleFiring, TicketRule
from handoff.rules import Condition, Match, Occasion, Operator, Rule, Step, StepKind
from handoff.tables import Ticket, TicketEvent
from handoff.ticket import OPEN_STATUSES

_OPEN = [status.value for status in OPEN_STATUSES]


@dataclass(frozen=True, slots=True)
class Active:
    """A rule that is switched on, since when, and in which version."""

    rule: Rule
    since: datetime
    version: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open ticket: what has to be the same for what was reckoned to hold still."""

    ticket_id: str
    version: int
    revision: str
    reopened: int


def content(rule: Rule) -> dict[str, Any]:
    """A rule as rows and histories keep it, without its id."""
    return {
        "name": rule.name,
        "occasion": rule.occasion.value,
        "matching": rule.match.value,
        "conditions": [
            {"field": c.field, "operator": c.operator.value, "values": list(c.values)}
            for c in rule.conditions
        ],
        "steps": [{"kind": s.kind.value, "target": s.target, "text": s.text} for s in rule.steps],
        "stop": rule.stop,
    }


def rule_of(rule_id: str, kept: Mapping[str, Any]) -> Rule:
    """``content`` back."""
    return Rule(
        id=rule_id,
        name=kept["name"],
        occasion=Occasion(kept["occasion"]),
        match=Match(kept["matching"]),
        conditions=tuple(
            Condition(one["field"], Operator(one["operator"]), tuple(one["values"]))
            for one in kept["conditions"]
        ),
        steps=tuple(
            Step(StepKind(one["kind"]), one["target"], one["text"]) for one in kept["steps"]
        ),
        stop=kept["stop"],
    )


def as_rule(row: TicketRule) -> Rule:
    """The rule of a row."""
    kept = ("name", "occasion", "matching", "conditions", "steps", "stop")
    return rule_of(row.id, {name: getattr(row, name) for name in kept})


async def rows(session: AsyncSession) -> Sequence[TicketRule]:
    """All rules, from the top."""
    query = select(TicketRule).order_by(TicketRule.position, TicketRule.id)
    return (await session.scalars(query)).all()


async def row(session: AsyncSession, rule_id: str) -> TicketRule | None:
    """One rule, held until the transaction ends."""
    query = select(TicketRule).where(TicketRule.id == rule_id).with_for_update()
    return await session.scalar(query.execution_options(populate_existing=True))


async def active(session: AsyncSession) -> Sequence[Active]:
    """Rules that are switched on, from the top."""
    query = (
        select(TicketRule)
        .where(TicketRule.enabled.is_(True))
        .order_by(TicketRule.position, TicketRule.id)
    )
    return [
        Active(as_rule(one), one.active_since, one.version)
        for one in await session.scalars(query)
        if one.active_since is not None
    ]


async def newest_event(session: AsyncSession) -> int:
    """The highest id of what was done to tickets."""
    return (await session.scalar(select(func.max(TicketEvent.id)))) or 0


async def event_ids(session: AsyncSession, after: int, limit: int) -> Sequence[int]:
    """Ids beyond ``after``, in order."""
    query = select(TicketEvent.id).where(TicketEvent.id > after).order_by(TicketEvent.id)
    return (await session.scalars(query.limit(limit))).all()


async def done(session: AsyncSession, ids: Collection[int]) -> Sequence[TicketEvent]:
    """These events, in order."""
    query = select(TicketEvent).where(TicketEvent.id.in_(list(ids))).order_by(TicketEvent.id)
    return (await session.scalars(query)).all()


async def firings(session: AsyncSession, ticket_id: str) -> Sequence[RuleFiring]:
    """What rules did to a ticket, in order."""
    query = (
        select(RuleFiring)
        .where(RuleFiring.ticket_id == ticket_id)
        .order_by(RuleFiring.at, RuleFiring.id)
    )
    return (await session.scalars(query)).all()


async def fired(
    session: AsyncSession, rule_ids: Collection[str], ticket_ids: Collection[str]
) -> set[tuple[str, str, int]]:
    """Which of these rules acted on which of these tickets, and in which episode."""
    if not rule_ids or not ticket_ids:
        return set()
    query = select(RuleFiring.rule_id, RuleFiring.ticket_id, RuleFiring.episode).where(
        RuleFiring.rule_id.in_(list(rule_ids)), RuleFiring.ticket_id.in_(list(ticket_ids))
    )
    return {(rule, ticket, episode) for rule, ticket, episode in await session.execute(query)}


async def waiting(session: AsyncSession) -> Sequence[Waiting]:
    """Every ticket on which there is still work to do."""
    query = select(Ticket.id, Ticket.version, Ticket.sla_revision, Ticket.reopened).where(
        Ticket.status.in_(_OPEN)
    )
    return [Waiting(*found) for found in await session.execute(query)]


async def firing_counts(session: AsyncSession, since: datetime) -> dict[str, int]:
    """On how many tickets each rule acted."""
    query = (
        select(RuleFiring.rule_id, func.count())
        .where(RuleFiring.at >= since)
        .group_by(RuleFiring.rule_id)
    )
    return {rule_id: count for rule_id, count in await session.execute(query)}


def about(ticket: Ticket) -> About:
    """What of a ticket rules read besides its events."""
    return About(ticket.unit, ticket.channel, f"{ticket.title}\n{ticket.description}")
