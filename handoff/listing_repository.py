"""Lists of tickets and how long they are, however many tickets there are.

What is to be done comes in the order in which it is due, what is over after it, the newest first.
Counting ends at a number that says "very many": nobody works through a list of thousands, and
counting them all would cost every refresh of every console. Refuses to know who asks.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.tables import Ticket
from handoff.ticket import FINAL_STATUSES, Level, Status
from store.vocabulary import Severity

#: Lists longer than this are not counted to their end.
COUNT_LIMIT = 1_000
_UNFINISHED = tuple(status for status in Status if status not in FINAL_STATUSES)
_FINAL = tuple(FINAL_STATUSES)

_SEVERITY_RANK = case(
    {severity.value: severity.rank for severity in Severity}, value=Ticket.severity
)


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """What a list of tickets is narrowed to; an empty field narrows nothing.

    ``text`` is looked for in number, title, description, cause, solution, and through
    ``conversations``: a query, or ids, of the conversations whose transcript has it.
    ``regions`` and ``modules`` are the reader's scope.
    """

    status: Collection[Status] = ()
    severity: Collection[Severity] = ()
    text: str = ""
    conversations: Select[tuple[str]] | Collection[str] | None = None
    assignee_id: str | None = None
    unassigned: bool = False
    level: Level | None = None
    regions: Collection[str] = ()
    modules: Collection[str] = ()
    requester_id: str | None = None
    overdue_at: datetime | None = None


async def list_tickets(
    session: AsyncSession, wanted: TicketFilter, *, limit: int = 50
) -> Sequence[Ticket]:
    """Tickets due first come first; those without a running deadline after them, oldest first.

    Final ones follow, the newest first: read along an index, so that their number costs nothing.
    """
    found = list(await _unfinished(session, _only(wanted, _UNFINISHED), limit))
    over = _only(wanted, _FINAL)
    if over is not None and len(found) < limit:
        found += await _final(session, over, limit - len(found))
    return found


def _only(wanted: TicketFilter, statuses: Collection[Status]) -> TicketFilter | None:
    kept = [status for status in statuses if not wanted.status or status in wanted.status]
    return replace(wanted, status=kept) if kept else None


async def _unfinished(
    session: AsyncSession, wanted: TicketFilter | None, limit: int
) -> Sequence[Ticket]:
    if wanted is None:
        return ()
    query = (
        select(Ticket)
        .where(*_conditions(wanted))
        .order_by(
            Ticket.next_due.is_(None),
            Ticket.next_due,
            _SEVERITY_RANK.desc(),
            Ticket.opened_at,
            Ticket.id,
        )
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def _final(session: AsyncSession, wanted: TicketFilter, limit: int) -> Sequence[Ticket]:
    """Each status by itself: two together could not be read in the order of one index."""
    found: list[Ticket] = []
    for status in wanted.status:
        query = (
            select(Ticket)
            .where(*_conditions(replace(wanted, status=[status])))
            .order_by(Ticket.opened_at.desc(), Ticket.id.desc())
            .limit(limit)
        )
        found += await session.scalars(query)
    return sorted(found, key=lambda one: (one.opened_at, one.id), reverse=True)[:limit]


async def count_tickets(session: AsyncSession, wanted: TicketFilter) -> int:
    """How many tickets ``list_tickets`` would give without a limit, up to ``COUNT_LIMIT``."""
    # With the statuses named, an index has everything that is asked.
    named = replace(wanted, status=wanted.status or tuple(Status))
    some = select(Ticket.id).where(*_conditions(named)).limit(COUNT_LIMIT).subquery()
    return (await session.execute(select(func.count()).select_from(some))).scalar_one()


async def numbers(session: AsyncSession, wanted: TicketFilter, *, limit: int) -> Sequence[str]:
    """The newest tickets' numbers alone."""
    query = select(Ticket.number).where(*_conditions(wanted)).order_by(Ticket.id.desc())
    return (await session.scalars(query.limit(limit))).all()


def _conditions(wanted: TicketFilter) -> list[ColumnElement[bool]]:
    exact = [
        (Ticket.status, _values(wanted.status)),
        (Ticket.severity, _values(wanted.severity)),
        (Ticket.region, list(wanted.regions)),
        (Ticket.assignee_id, [wanted.assignee_id] if wanted.assignee_id else []),
        (Ticket.level, [wanted.level.value] if wanted.level else []),
        (Ticket.requester_id, [wanted.requester_id] if wanted.requester_id else []),
    ]
    conditions: list[ColumnElement[bool]] = [
        column.in_(values) for column, values in exact if values
    ]
    if wanted.modules:
        conditions.append(or_(Ticket.module.in_(list(wanted.modules)), Ticket.module.is_(None)))
    if wanted.unassigned:
        conditions.append(Ticket.assignee_id.is_(None))
    if wanted.overdue_at is not None:
        conditions.append(Ticket.next_due < wanted.overdue_at)
    if wanted.text.strip():
        conditions.append(_mentions(wanted))
    return conditions


def _values(words: Iterable[StrEnum]) -> list[str]:
    return [word.value for word in words]


def _mentions(wanted: TicketFilter) -> ColumnElement[bool]:
    columns = (
        Ticket.number,
        Ticket.title,
        Ticket.description,
        Ticket.unit,
        Ticket.cause,
        Ticket.solution,
    )
    text = wanted.text.strip()
    found = [column.icontains(text, autoescape=True) for column in columns]
    if wanted.conversations is not None:
        found.append(Ticket.conversation_id.in_(wanted.conversations))
    return or_(*found)
