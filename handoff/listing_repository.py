"""Lists of tickets and how long they are, however many tickets there are.

What is to be done comes in the order in which it is due, what is over after it, the newest first.
Counting ends at a number that says "very many": nobody works through a list of thousands, and
counting them all would cost every refresh of every console. Refuses to know who asks.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, case, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.mark_repository import is_marked
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

    ``ids`` and ``conversations`` together: tickets that are one of these or came from one of
    these; ``None`` for any. ``regions`` and ``modules`` are the reader's scope, ``region`` and
    ``module`` what was asked for; these and ``unit`` are parts of names. ``marks``: names and
    values that all must be marked; the name of tags is ``mark_repository.TAG``.
    """

    status: Collection[Status] = ()
    severity: Collection[Severity] = ()
    ids: Collection[str] | None = None
    conversations: Collection[str] = ()
    assignee_id: str | None = None
    unassigned: bool = False
    level: Level | None = None
    region: str = ""
    module: str = ""
    unit: str = ""
    opened_from: datetime | None = None
    opened_until: datetime | None = None
    regions: Collection[str] = ()
    modules: Collection[str] = ()
    requester_id: str | None = None
    overdue_at: datetime | None = None
    marks: Collection[tuple[str, str]] = ()


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


async def newest(
    session: AsyncSession,
    wanted: TicketFilter,
    *,
    before: tuple[datetime, str] | None,
    limit: int,
) -> Sequence[Ticket]:
    """Tickets in the order of their opening, the newest first, below ``before``: instant and id."""
    some = select(Ticket.id).where(*_conditions(wanted))
    if before is not None:
        some = some.where(tuple_(Ticket.opened_at, Ticket.id) < tuple_(*before))
    some = some.order_by(Ticket.opened_at.desc(), Ticket.id.desc()).limit(limit)
    # The ids by themselves: an index holds all that is asked for, and few rows have parts of names.
    found = (await session.scalars(some)).all()
    query = select(Ticket).where(Ticket.id.in_(found))
    return (await session.scalars(query.order_by(Ticket.opened_at.desc(), Ticket.id.desc()))).all()


async def keys(session: AsyncSession, wanted: TicketFilter) -> Sequence[tuple[str, str | None]]:
    """Id and conversation of every such ticket, in no order; for filters that name a few."""
    query = select(Ticket.id, Ticket.conversation_id).where(*_conditions(wanted))
    return [(ticket_id, talk) for ticket_id, talk in await session.execute(query)]


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
        # As for one ticket: what has no region is everybody's.
        (Ticket.region, [*wanted.regions, ""] if wanted.regions else []),
        (Ticket.assignee_id, [wanted.assignee_id] if wanted.assignee_id else []),
        (Ticket.level, [wanted.level.value] if wanted.level else []),
        (Ticket.requester_id, [wanted.requester_id] if wanted.requester_id else []),
    ]
    named = [column.in_(values) for column, values in exact if values]
    marked = [is_marked(name, value) for name, value in wanted.marks]
    return [*named, *marked, *_within(wanted), *_found(wanted)]


def _within(wanted: TicketFilter) -> Iterator[ColumnElement[bool]]:
    """What is no list of values."""
    if wanted.modules:
        yield or_(Ticket.module.in_(list(wanted.modules)), Ticket.module.is_(None))
    if wanted.unassigned:
        yield Ticket.assignee_id.is_(None)
    if wanted.overdue_at is not None:
        yield Ticket.next_due < wanted.overdue_at
    for column, part in (
        (Ticket.region, wanted.region),
        (Ticket.module, wanted.module),
        (Ticket.unit, wanted.unit),
    ):
        if part:
            yield column.icontains(part, autoescape=True)
    if wanted.opened_from is not None:
        yield Ticket.opened_at >= wanted.opened_from
    if wanted.opened_until is not None:
        yield Ticket.opened_at < wanted.opened_until


def _found(wanted: TicketFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.ids is None:
        return
    among = [Ticket.id.in_(list(wanted.ids))]
    if wanted.conversations:
        among.append(Ticket.conversation_id.in_(list(wanted.conversations)))
    yield or_(*among)


def _values(words: Iterable[StrEnum]) -> list[str]:
    return [word.value for word in words]
