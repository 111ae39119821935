"""Hands waiting tickets to engineers who are there, and takes back what they do not take up.

Every move is one transaction and an event of the ticket, so the trace is the ticket's own history
and a restarted router goes on from it. The choice is pure (``handoff.routing``,
``handoff.queueing``). With routing ``off`` nothing happens here: engineers take what they choose.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bot.conversations.live import STAFF
from bot.conversations.ownership import give_to
from bot.tables import Owner
from bot.tickets import presence_repository
from bot.tickets.presence import Presences
from bot.tickets.presence_repository import Unanswered
from bot.tickets.work import TicketWork, Work
from handoff import presence_repository as queue
from handoff import repository as rows
from handoff import service
from handoff.errors import HandoffError
from handoff.queueing import (
    KEEP,
    ROUTED,
    ROUTER,
    Judgement,
    Limits,
    Verdict,
    Why,
    judge,
    rested,
    untried,
)
from handoff.repository import QueueEntry
from handoff.routing import Method, Presence, in_order, pick_engineer
from handoff.routing import Work as Wanted
from handoff.settings import Routing
from handoff.tables import Ticket
from handoff.ticket import TRANSITIONS, Action, Level, Status
from store.vocabulary import Severity

#: Pause between rounds. Tickets come from any process and presence ends without any sign, so
#: there is nothing to wait for; two indexed queries a second cost nothing.
LOOK_S = 1.0

_THERE = frozenset({Presence.ONLINE, Presence.ON_CALL})

log = structlog.get_logger("bot.routing")


@dataclass(frozen=True, slots=True)
class Routed:
    """How many tickets one round moved."""

    assigned: int = 0
    taken_back: int = 0
    handed_up: int = 0

    @property
    def any(self) -> bool:
        """Whether anything moved."""
        return bool(self.assigned or self.taken_back or self.handed_up)


@dataclass(frozen=True, slots=True)
class Router(TicketWork):
    """The dispatcher that never sleeps."""

    presences: Presences

    @property
    def limits(self) -> Limits:
        """The settings as values."""
        minutes = self.settings.unanswered_minutes
        return Limits(timedelta(minutes=minutes), self.settings.offers_before_escalation)

    async def run(self) -> None:
        """Route again and again, until cancelled."""
        while self.settings.routing is not Routing.OFF:
            try:
                if (await self.route()).any:
                    self.live.publish(STAFF)
            except Exception:
                log.exception("routing_failed")
            await asyncio.sleep(LOOK_S)
        await asyncio.Event().wait()

    async def route(self) -> Routed:
        """One round: take back what is not taken up, then hand out what waits."""
        if self.settings.routing is Routing.OFF:
            return Routed()
        back, up = await self._take_back()
        back += await self._rescue()
        return Routed(await self._hand_out(), back, up)

    async def _rescue(self) -> int:
        """Users who wrote to an engineer that is gone wait for another one."""
        now = self.clock()
        async with self.database.glance() as session:
            silent = await presence_repository.unanswered(session, now - self.limits.unanswered)
            engineers = await self.presences.engineers(session, now) if silent else []
        there = {one.id for one in engineers if one.presence is not Presence.OFF}
        left = [one for one in silent if one.staff_id not in there]
        return sum([await self._rescued(one) for one in left])

    async def _rescued(self, one: Unanswered) -> bool:
        try:
            async with self.database.transaction() as session:
                done = await self._give_up(await self.hold(session, one.ticket_id, ROUTER), one)
        except HandoffError as error:
            log.info("routing_skipped", ticket_id=one.ticket_id, error=type(error).__name__)
            return False
        if done:
            log.info("conversation_left_alone", ticket_id=one.ticket_id, staff_id=one.staff_id)
            self.live.publish(one.conversation_id)
        return done

    async def _give_up(self, work: Work, one: Unanswered) -> bool:
        """Back into the queue, unless anything has been said or done since it was looked at."""
        talk, ticket = work.conversation, work.ticket
        if talk is None or (talk.id, talk.staff_id, talk.last_seq) != (
            one.conversation_id,
            one.staff_id,
            one.last_seq,
        ):
            return False
        releasable = (Status(ticket.status), Action.RELEASE) in TRANSITIONS
        if ticket.assignee_id != one.staff_id or not releasable:
            return False
        why = self.phrases.say(f"routing.why.{Why.GONE}")
        await service.release(
            work.session, ticket, actor=ROUTER, now=work.now, terms=self.terms, why=why
        )
        text = self.phrases.say("ticket.moved", number=ticket.number, level=ticket.level)
        await self.tell(work, talk, "moved", text)
        give_to(talk, Owner.QUEUE, work.now)
        return True

    async def _take_back(self) -> tuple[int, int]:
        now = self.clock()
        async with self.database.glance() as session:
            handed = await queue.handed_out(session)
            engineers = await self.presences.engineers(session, now) if handed else []
        there = {one.id for one in engineers if one.presence in _THERE}
        late = now - self.limits.unanswered
        doubtful = [
            one.ticket_id
            for one in handed
            if one.assignee_id not in there or one.assigned_at <= late
        ]
        moved = [await self._moved(ticket_id) for ticket_id in doubtful]
        return moved.count(Verdict.TAKE_BACK), moved.count(Verdict.HAND_UP)

    async def _moved(self, ticket_id: str) -> Verdict:
        try:
            async with self.database.transaction() as session:
                work = await self.hold(session, ticket_id, ROUTER)
                judgement = await self._judge(work)
                await self._execute(work, judgement)
        except HandoffError as error:
            # Somebody was faster; the next round sees what they made of it.
            log.info("routing_skipped", ticket_id=ticket_id, error=type(error).__name__)
            return Verdict.KEEP
        if judgement.why is not None:
            log.info(
                "ticket_not_taken_up",
                ticket_id=ticket_id,
                verdict=judgement.verdict.value,
                why=judgement.why.value,
            )
            if work.conversation is not None:
                self.live.publish(work.conversation.id)
        return judgement.verdict

    async def _judge(self, work: Work) -> Judgement:
        ticket = work.ticket
        if ticket.status != Status.DISPATCHED or ticket.assigned_at is None:
            return KEEP
        engineers = await self.presences.engineers(work.session, work.now)
        holder = next((one for one in engineers if one.id == ticket.assignee_id), None)
        return judge(
            await rows.events_of(work.session, ticket.id),
            holder=holder.presence if holder else Presence.OFF,
            assigned_at=ticket.assigned_at,
            now=work.now,
            limits=self.limits,
        )

    async def _execute(self, work: Work, judgement: Judgement) -> None:
        if judgement.why is None:
            return
        why = self.phrases.say(f"routing.why.{judgement.why}")
        verb = service.release if judgement.verdict is Verdict.TAKE_BACK else service.escalate
        await verb(work.session, work.ticket, actor=ROUTER, now=work.now, terms=self.terms, why=why)
        if judgement.verdict is Verdict.TAKE_BACK:
            return
        talk = work.conversation
        if talk is not None and talk.owner == Owner.QUEUE.value:
            ticket = work.ticket
            text = self.phrases.say("ticket.moved", number=ticket.number, level=ticket.level)
            await self.tell(work, talk, "moved", text)

    async def _hand_out(self) -> int:
        async with self.database.glance() as session:
            waiting = await queue.waiting(session, ROUTED)
            engineers = await self.presences.engineers(session, self.clock()) if waiting else []
        entries = [
            _entry(ticket) for ticket in waiting if pick_engineer(engineers, _wanted(ticket))
        ]
        handed = [await self._handed(entry.ticket_id) for entry in in_order(entries)]
        return sum(handed)

    async def _handed(self, ticket_id: str) -> bool:
        try:
            async with self.database.transaction() as session:
                return await self._assign(await self.hold(session, ticket_id, ROUTER))
        except HandoffError as error:
            log.info("routing_skipped", ticket_id=ticket_id, error=type(error).__name__)
            return False

    async def _assign(self, work: Work) -> bool:
        ticket = work.ticket
        if ticket.assignee_id is not None or ticket.queued_at is None:
            return False
        events = await rows.events_of(work.session, ticket.id)
        if rested(events, self.limits):
            return False
        engineers = await self.presences.engineers(work.session, work.now, lock=True)
        wanted = _wanted(ticket)
        fresh = untried(engineers, events)
        method = Method(self.settings.routing.value)
        chosen = pick_engineer(fresh, wanted, method=method)
        chosen = chosen or pick_engineer(engineers, wanted, method=method)
        if chosen is None:
            return False
        await service.assign(
            work.session,
            ticket,
            actor=ROUTER,
            now=work.now,
            terms=self.terms,
            assignee_id=chosen.id,
        )
        return True


def _entry(ticket: Ticket) -> QueueEntry:
    return QueueEntry(
        ticket.id,
        ticket.conversation_id,
        Severity(ticket.severity),
        ticket.next_due,
        ticket.queued_at or ticket.opened_at,
    )


def _wanted(ticket: Ticket) -> Wanted:
    return Wanted(
        Level(ticket.level), Severity(ticket.severity), ticket.region, ticket.module or None
    )
