"""Who works on a ticket, what it waits for, and what becomes of it: the verbs of dispatch.

Each is one transaction on the ticket and its conversation, so nobody is left waiting for an
engineer who has handed the ticket on. ``expected`` is the version that the caller has seen.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.accounts.service import DESK_ROLES, Principal
from bot.errors import InvalidInput
from bot.masking import mask
from bot.tables import Role, Staff
from bot.tickets.work import TicketWork, Work, visible_ticket
from handoff import marking, relations, service, work_orders
from handoff import repository as rows
from handoff.errors import NotHolder
from handoff.problem_report import ProblemReport
from handoff.service import Destination
from handoff.tables import Ticket
from handoff.ticket import Action, Actor, ActorKind, Level, PauseReason
from handoff.work_orders import OrderStatus, WorkOrder
from store.vocabulary import Category

State = dict[str, Any]

#: What resolves a ticket when the province has released the work order.
RELEASED = Actor(ActorKind.SYSTEM, "work-order", "")


@dataclass(frozen=True, slots=True)
class Dispatch(TicketWork):
    """The verbs of dispatch."""

    async def assign(
        self, staff: Principal, number: str, assignee_id: str, *, expected: int | None = None
    ) -> State:
        """Hand a waiting ticket to an engineer, who still has to claim it."""
        async with self.work(staff, number, expected) as work:
            _check_hands(staff, work.ticket, Action.ASSIGN)
            await _check_taker(work.session, work.ticket, assignee_id)
            await self._do(work, service.assign, assignee_id=assignee_id)
            return work.state()

    async def release(
        self, staff: Principal, number: str, why: str, *, expected: int | None = None
    ) -> State:
        """Back into the queue of its level."""
        async with self.work(staff, number, expected) as work:
            _check_hands(staff, work.ticket, Action.RELEASE)
            await self._do(work, service.release, why=mask(why).text)
            await self.wait_again(work)
            return work.state()

    async def transfer(
        self,
        staff: Principal,
        number: str,
        to: Destination,
        why: str,
        *,
        expected: int | None = None,
    ) -> State:
        """To another engineer or another queue. The province's is reached by ``escalate``."""
        async with self.work(staff, number, expected) as work:
            _check_hands(staff, work.ticket, Action.TRANSFER)
            if to.level is Level.PROVINCE:
                raise InvalidInput("level", "console.error.province")
            if to.assignee_id is not None:
                await _check_taker(work.session, work.ticket, to.assignee_id)
            await self._do(work, service.transfer, to=to, why=mask(why).text)
            await self.wait_again(work)
            return work.state()

    async def escalate(
        self,
        staff: Principal,
        number: str,
        why: str,
        *,
        to: Level | None = None,
        order: WorkOrder | None = None,
        expected: int | None = None,
    ) -> State:
        """Up, to the next level or the one named; to the province with its work order."""
        async with self.work(staff, number, expected) as work:
            _check_hands(staff, work.ticket, Action.ESCALATE)
            await self._do(work, service.escalate, why=mask(why).text, to=to, order=order)
            await self.wait_again(work)
            return work.state()

    async def track(
        self, staff: Principal, number: str, order: WorkOrder, *, expected: int | None = None
    ) -> State:
        """Write down how far the province is; what is released resolves the ticket.

        The asker is then told what was released, and asked to confirm.
        """
        async with self.work(staff, number, expected) as work:
            if order.status is OrderStatus.RELEASED and not order.note.strip():
                raise InvalidInput("note", "console.error.release_note")
            await self._do(work, work_orders.track, order=order)
            if order.status is OrderStatus.RELEASED:
                await self._released(work, order)
            return work.state()

    async def _released(self, work: Work, order: WorkOrder) -> None:
        key = "work_order.cause_number" if order.external_number else "work_order.cause"
        await service.resolve(
            work.session,
            work.ticket,
            actor=RELEASED,
            now=work.now,
            terms=self.terms,
            cause=self.phrases.say(key, kind=order.kind, number=order.external_number),
            solution=mask(order.note).text,
            confirm_days=self.settings.auto_close_days,
        )
        await self.tell_resolved(work, None)

    async def pause(
        self,
        staff: Principal,
        number: str,
        reason: PauseReason,
        *,
        until: datetime | None = None,
        why: str = "",
        expected: int | None = None,
    ) -> State:
        """Wait for somebody; an appointment names its time."""
        async with self.work(staff, number, expected) as work:
            await self._do(work, service.pause, reason=reason, until=until, why=mask(why).text)
            return work.state()

    async def resume(self, staff: Principal, number: str, *, expected: int | None = None) -> State:
        """The waiting is over."""
        async with self.work(staff, number, expected) as work:
            await self._do(work, service.resume)
            return work.state()

    async def reopen(
        self, staff: Principal, number: str, why: str, *, expected: int | None = None
    ) -> State:
        """The solution did not hold; the asker is told that it goes on."""
        async with self.work(staff, number, expected) as work:
            await self._do(work, service.reopen, why=mask(why).text)
            if work.conversation is not None:
                text = self.phrases.say("ticket.reopened", number=work.ticket.number)
                await self.tell(work, work.conversation, "moved", text)
            return work.state()

    async def close(self, staff: Principal, number: str, *, expected: int | None = None) -> State:
        """The asker agreed, for example on the telephone."""
        async with self.work(staff, number, expected) as work:
            await self._do(work, service.close)
            await self.tell_closed(work, "ticket.closed_agreed")
            return work.state()

    async def classify(
        self,
        staff: Principal,
        number: str,
        *,
        category: Category,
        module: str | None,
        expected: int | None = None,
    ) -> State:
        """Correct what it is about."""
        async with self.work(staff, number, expected) as work:
            await self._do(work, service.classify, category=category, module=module)
            return work.state()

    async def mark(
        self,
        staff: Principal,
        number: str,
        *,
        tags: Sequence[str] | None = None,
        fields: Mapping[str, str] | None = None,
        expected: int | None = None,
    ) -> State:
        """Set the tags and the custom fields that are named."""
        typed = {key: mask(value).text for key, value in (fields or {}).items()}
        async with self.work(staff, number, expected) as work:
            await self._do(work, marking.mark, tags=tags, fields=typed)
            return work.state()

    async def arrange(
        self, staff: Principal, number: str, plan: str, *, expected: int | None = None
    ) -> State:
        """Say how and by when it will be dealt with."""
        async with self.work(staff, number, expected) as work:
            await self._do(work, service.arrange, plan=mask(plan).text)
            return work.state()

    async def report(
        self, staff: Principal, number: str, report: ProblemReport, *, expected: int | None = None
    ) -> State:
        """Hand in the report on a fault."""
        masked = ProblemReport(*(mask(part).text for part in astuple(report)))
        async with self.work(staff, number, expected) as work:
            await self._do(work, service.report, report=masked)
            return work.state()

    async def merge(
        self, staff: Principal, number: str, into: str, *, expected: int | None = None
    ) -> State:
        """The same matter as another ticket; who asked here is told about that one from now on."""
        async with self.work(staff, number, expected) as work:
            _check_hands(staff, work.ticket, Action.MERGE)
            target = await _other(work, staff, into)
            await self._do(work, service.merge, into=target)
            if work.conversation is not None:
                text = self.phrases.say(
                    "ticket.merged", number=work.ticket.number, into=target.number
                )
                await self.tell(work, work.conversation, "moved", text)
                if work.conversation.staff_id in (None, staff.staff_id):
                    await self.return_to_bot(work, work.conversation)
            return {**work.state(), "into": target.number}

    async def split(
        self,
        staff: Principal,
        number: str,
        *,
        title: str,
        description: str,
        expected: int | None = None,
    ) -> State:
        """Give the second matter in a request a ticket of its own."""
        async with self.work(staff, number, expected) as work:
            words = {"title": mask(title).text, "description": mask(description).text}
            opened = await self._do(work, relations.split, **words)
            if work.conversation is not None:
                text = self.phrases.say("ticket.split", number=number, other=opened.number)
                await self.tell(work, work.conversation, "moved", text)
            return {**work.state(), "opened": opened.number}

    async def link(
        self, staff: Principal, number: str, to: str, *, expected: int | None = None
    ) -> State:
        """Say that two tickets have to do with each other."""
        async with self.work(staff, number, expected) as work:
            await self._do(work, relations.link, other=await _other(work, staff, to))
            return work.state()

    async def takers(self, staff: Principal, number: str) -> list[Staff]:
        """Who could be given the ticket, by name."""
        async with self.database.reading() as session:
            ticket = await visible_ticket(session, staff, number)
            everybody = await repository.all_staff(session)
        able = [one for one in everybody if can_take(one, ticket)]
        return sorted(able, key=lambda one: (one.role, one.name))

    async def _do(self, work: Work, verb: Callable[..., Awaitable[Ticket]], **given: Any) -> Ticket:
        return await verb(
            work.session, work.ticket, actor=work.actor, now=work.now, terms=self.terms, **given
        )


def _check_hands(staff: Principal, ticket: Ticket, action: Action) -> None:
    """First-line engineers move what is theirs or nobody's; the others move anything."""
    if staff.role is Role.ENGINEER and ticket.assignee_id not in (None, staff.staff_id):
        raise NotHolder(ticket.number, action, ticket.assignee_id)


async def _check_taker(session: AsyncSession, ticket: Ticket, assignee_id: str) -> None:
    found = await repository.staff_by_id(session, assignee_id)
    if found is None or not can_take(found, ticket):
        raise InvalidInput("assignee_id", "console.error.assignee")


def can_take(staff: Staff, ticket: Ticket) -> bool:
    """Whether somebody could be given the ticket."""
    in_region = not staff.regions or not ticket.region or ticket.region in staff.regions
    in_module = not staff.modules or not ticket.module or ticket.module in staff.modules
    works = staff.active and staff.role in {role.value for role in (*DESK_ROLES, Role.ADMIN)}
    return works and in_region and in_module


async def _other(work: Work, staff: Principal, number: str) -> Ticket:
    """The second ticket of a verb, held as well."""
    await visible_ticket(work.session, staff, number)
    return await rows.by_number(work.session, number, lock=True)
