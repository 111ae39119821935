"""The province's work orders: a defect or a requirement, followed from handing in to release.

A work order lives in the events of its ticket; the newest word on it holds. Refuses to talk to
the province's own system: people read its state there and write it down here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from handoff import repository
from handoff.contract import Terms
from handoff.errors import NothingToChange, WorkOrderRefused
from handoff.lifecycle import Event
from handoff.performing import perform
from handoff.tables import Ticket
from handoff.texts import LONG_LIMIT, optional
from handoff.ticket import Action, Actor

#: The longest number or version of the province's system that is kept.
NUMBER_LIMIT = 60


class OrderKind(StrEnum):
    """What kind of work the province is asked for."""

    DEFECT = "缺陷"
    REQUIREMENT = "需求"


class OrderStatus(StrEnum):
    """How far the province is."""

    SUBMITTED = "已提交"
    ACCEPTED = "已受理"
    PLANNED = "已排期"
    RELEASED = "已发布"
    RETURNED = "已退回"


#: A work order that has come here is not followed any more; a new one may be handed in.
ENDS = frozenset({OrderStatus.RELEASED, OrderStatus.RETURNED})


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """What is known of one work order. ``external_number`` is empty until the province gives it.

    ``release`` is the version that brings it, ``note`` what the province says.
    """

    kind: OrderKind
    external_number: str = ""
    status: OrderStatus = OrderStatus.SUBMITTED
    release: str = ""
    note: str = ""

    def detail(self) -> dict[str, Any]:
        """As an event keeps it. Raises ``InvalidText``."""
        return {
            "order_kind": self.kind.value,
            "order_status": self.status.value,
            "external_number": optional("external_number", self.external_number, NUMBER_LIMIT),
            "order_release": optional("release", self.release, NUMBER_LIMIT),
            "order_note": optional("note", self.note, LONG_LIMIT),
        }


def current(events: Iterable[Event]) -> WorkOrder | None:
    """The newest word on the ticket's work order."""
    found = None
    for event in events:
        if event.detail.get("order_kind"):
            found = _read(event)
    return found


def _read(event: Event) -> WorkOrder:
    detail = event.detail
    return WorkOrder(
        kind=OrderKind(detail["order_kind"]),
        external_number=detail.get("external_number", ""),
        status=OrderStatus(detail["order_status"]),
        release=detail.get("order_release", ""),
        note=detail.get("order_note", ""),
    )


async def track(
    session: AsyncSession,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    terms: Terms,
    order: WorkOrder,
) -> Ticket:
    """Write down how far the province is.

    Raises ``WorkOrderRefused`` without a work order under way, ``NothingToChange`` for no news.
    """
    known = current(await repository.events_of(session, ticket.id))
    if known is None or known.status in ENDS:
        raise WorkOrderRefused(ticket.number, known.status if known else None)
    if order == known:
        raise NothingToChange(ticket.number, "work_order")
    detail = order.detail()
    return await perform(
        session, ticket, Action.WORK_ORDER, actor=actor, now=now, terms=terms, detail=detail
    )
