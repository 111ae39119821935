"""The verbs of dispatch: who works on a ticket, how it is rated, and what it is merged into.

See ``handoff.service`` for the contract that all verbs share.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from handoff.contract import Terms
from handoff.errors import MergeRefused, NothingToChange, WorkOrderRequired
from handoff.performing import perform
from handoff.problem_report import ProblemReport
from handoff.tables import Ticket
from handoff.texts import LONG_LIMIT, SHORT_LIMIT, clipped, optional, required
from handoff.ticket import TRANSITIONS, Action, Actor, Level, Status, level_above
from handoff.work_orders import WorkOrder
from store.vocabulary import Category, Severity


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a ticket is handed: to an engineer, or to the queue of a level and region."""

    assignee_id: str | None = None
    level: Level | None = None
    region: str | None = None
    contract_id: str | None = None


async def assign(
    session: AsyncSession,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    assignee_id: str,
) -> Ticket:
    """Hand a ticket that nobody works on to an engineer, who still has to claim it."""
    if ticket.assignee_id == assignee_id:
        raise NothingToChange(ticket.number, "assignee")
    return await perform(
        session,
        ticket,
        Action.ASSIGN,
        actor=actor,
        now=now,
        terms=terms,
        detail={"assignee_id": assignee_id},
    )


async def release(
    session: AsyncSession,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    why: str = "",
) -> Ticket:
    """Put a ticket back into its level's queue."""
    detail = {"why": optional("why", why, SHORT_LIMIT)}
    return await perform(
        session, ticket, Action.RELEASE, actor=actor, now=now, terms=terms, detail=detail
    )


async def transfer(
    session: AsyncSession,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    to: Destination,
    why: str = "",
) -> Ticket:
    """Hand a ticket on. Another contract brings its calendar; other hands change no deadline."""
    if to == Destination() or (to.assignee_id and to.assignee_id == ticket.assignee_id):
        raise NothingToChange(ticket.number, "destination")
    detail: dict[str, Any] = {
        "assignee_id": to.assignee_id,
        "why": optional("why", why, SHORT_LIMIT),
    }
    if to.level is not None:
        detail["level"] = to.level.value
    if to.region is not None:
        detail["region"] = clipped(to.region, 80)
    if to.contract_id is not None and to.contract_id != ticket.contract_id:
        detail["contract"] = terms.contract(to.contract_id).id
        detail["revision"] = terms.revisions.get(to.contract_id, "")
    return await perform(
        session, ticket, Action.TRANSFER, actor=actor, now=now, terms=terms, detail=detail
    )


async def escalate(
    session: AsyncSession,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    why: str,
    to: Level | None = None,
    order: WorkOrder | None = None,
) -> Ticket:
    """Hand a ticket up, to the next level or the one named.

    The province takes it with a work order. Raises ``NoHigherLevel`` and ``WorkOrderRequired``.
    """
    level = level_above(Level(ticket.level), to)
    if level is Level.PROVINCE and order is None:
        raise WorkOrderRequired(ticket.number)
    detail = {
        "level": level.value,
        "why": required("why", why, SHORT_LIMIT),
        **(order.detail() if order is not None and level is Level.PROVINCE else {}),
    }
    return await perform(
        session, ticket, Action.ESCALATE, actor=actor, now=now, terms=terms, detail=detail
    )


async def change_severity(
    session: AsyncSession,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    severity: Severity,
    why: str,
) -> Ticket:
    """Rate it anew, with the reason. What that does to deadlines: ``handoff.history``."""
    if ticket.severity == severity:
        raise NothingToChange(ticket.number, "severity")
    detail = {"severity": severity.value, "why": required("why", why, SHORT_LIMIT)}
    return await perform(
        session, ticket, Action.CHANGE_SEVERITY, actor=actor, now=now, terms=terms, detail=detail
    )


async def classify(
    session: AsyncSession,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    category: Category,
    module: str | None,
) -> Ticket:
    """Correct what it is about."""
    wanted = clipped(module or "", 80) or None
    if ticket.category == category and ticket.module == wanted:
        raise NothingToChange(ticket.number, "category")
    detail = {"category": category.value, "module": wanted}
    return await perform(
        session, ticket, Action.CLASSIFY, actor=actor, now=now, terms=terms, detail=detail
    )


async def arrange(
    session: AsyncSession, ticket: Ticket, *, actor: Actor, now: datetime, terms: Terms, plan: str
) -> Ticket:
    """Say how and by when it will be dealt with; the first time keeps that promise."""
    detail = {"text": required("plan", plan, LONG_LIMIT)}
    return await perform(
        session, ticket, Action.ARRANGE, actor=actor, now=now, terms=terms, detail=detail
    )


async def report(
    session: AsyncSession,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    report: ProblemReport,
) -> Ticket:
    """Hand in the report, or a better one; the first time keeps that promise."""
    return await perform(
        session, ticket, Action.REPORT, actor=actor, now=now, terms=terms, detail=report.detail()
    )


async def merge(
    session: AsyncSession,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    into: Ticket,
) -> Ticket:
    """The same matter as another ticket, which goes on for both and keeps a trace of it.

    Raises ``MergeRefused`` for itself and for a ticket that takes no more information.
    """
    takes_more = (Status(into.status), Action.ADD_INFORMATION) in TRANSITIONS
    if ticket.id == into.id or not takes_more:
        raise MergeRefused(ticket.number, into.number)
    trace = {"merged_from": ticket.number, "merged_from_id": ticket.id}
    target = {"into": into.number, "into_id": into.id}
    await perform(
        session, into, Action.ADD_INFORMATION, actor=actor, now=now, terms=terms, detail=trace
    )
    return await perform(
        session, ticket, Action.MERGE, actor=actor, now=now, terms=terms, detail=target
    )


async def recalculate(
    session: AsyncSession,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    calendar_id: str | None = None,
) -> Ticket:
    """Reckon the deadlines under the terms that are loaded now.

    Without a calendar: its own was corrected, and the correction counts from the beginning. With
    one: that calendar holds from now on.
    """
    detail: dict[str, Any] = {"revision": terms.revisions.get(ticket.contract_id, "")}
    if calendar_id is not None:
        detail["calendar"] = terms.calendar(calendar_id).id
    return await perform(
        session, ticket, Action.RECALCULATE, actor=actor, now=now, terms=terms, detail=detail
    )
