"""Notices news of tickets: what was done to them, deadlines that come near or pass, silence.

Reads what others have committed instead of being told by them, so no verb can forget to tell.
How far it has looked is kept: nothing is missed over a restart, and what was before the first
start is no news. Looking twice is harmless, because plans are made once per event and target.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import local_time
from bot.notifications import repository as rows
from bot.notifications import scan_repository as scans
from bot.notifications.events import Happened, NoticeEvent
from bot.notifications.feed import Feed, Rows
from bot.notifications.planning import Planner
from bot.phrases import Phrases
from handoff import lifecycle, sla
from handoff import repository as tickets
from handoff.contract import Terms
from handoff.errors import HandoffError
from handoff.incident import IncidentAction
from handoff.sla import Milestone
from handoff.tables import Ticket, TicketEvent
from handoff.ticket import Action
from store.session import Database
from store.vocabulary import Severity

#: Deadlines and silence are looked for this often, and from a little before the last time.
CLOCK_EVERY, CLOCK_OVERLAP = timedelta(seconds=5), timedelta(seconds=30)
#: How far back silence is looked for: what is older was told, or is no news any more.
SILENCE_WINDOW = timedelta(hours=1)
EVENTS_CURSOR, INCIDENTS_CURSOR, CLOCK_CURSOR = "ticket_events", "incident_events", "clock"

log = structlog.get_logger("bot.notifications")

_DONE: Mapping[str, NoticeEvent] = {
    Action.OPEN.value: NoticeEvent.OPENED,
    Action.CHANGE_SEVERITY.value: NoticeEvent.SEVERITY_RAISED,
    Action.ESCALATE.value: NoticeEvent.ESCALATED,
    Action.REOPEN.value: NoticeEvent.REOPENED,
    Action.RESOLVE.value: NoticeEvent.RESOLVED,
}
#: What is done to an incident that staff elsewhere should know.
_INCIDENT_NEWS = frozenset(
    action.value
    for action in (
        IncidentAction.PROPOSE,
        IncidentAction.OPEN,
        IncidentAction.CONFIRM,
        IncidentAction.RESOLVE,
        IncidentAction.REOPEN,
    )
)


class Scanner:
    """Looks at one database; several may, to no harm."""

    def __init__(
        self,
        database: Database,
        planner: Planner,
        terms: Terms,
        phrases: Phrases,
        *,
        silence: timedelta,
    ) -> None:
        self._database = database
        self._planner = planner
        self._terms = terms
        self._phrases = phrases
        self._silence = silence
        self._feeds = (
            Feed(
                database,
                Rows(EVENTS_CURSOR, scans.newest_event, scans.event_ids, self._plan_ticket_events),
            ),
            Feed(
                database,
                Rows(
                    INCIDENTS_CURSOR,
                    scans.newest_incident_event,
                    scans.incident_event_ids,
                    self._plan_incident_events,
                ),
            ),
        )
        self._clock_at: datetime | None = None
        self._milestones: dict[str, tuple[tuple[int, str], tuple[Milestone, ...]]] = {}

    async def run_once(self, now: datetime) -> int:
        """Plan for everything new; how many notifications that made.

        One kind of news that cannot be read must not silence the others.
        """
        looks = [feed.look for feed in self._feeds]
        if self._clock_at is None or now - self._clock_at >= CLOCK_EVERY:
            looks.append(self._look_at_clock)
        planned = 0
        for look in looks:
            try:
                planned += await look(now)
            except Exception:
                log.exception("scan_failed")
        return planned

    async def _plan_ticket_events(
        self, session: AsyncSession, ids: Collection[int], now: datetime
    ) -> int:
        planned = 0
        for event, ticket in await scans.events(session, ids):
            planned += await self._plan_event(session, event, ticket, now)
        return planned

    async def _plan_incident_events(
        self, session: AsyncSession, ids: Collection[int], now: datetime
    ) -> int:
        planned = 0
        for event, incident in await scans.incident_events(session, ids):
            if event.action not in _INCIDENT_NEWS:
                continue
            happened = Happened(
                key=f"incident_event:{incident.id}:{event.seq}",
                event=NoticeEvent.INCIDENT,
                at=event.at,
                severity=Severity(incident.severity),
                subject=incident.number,
                path=f"/console/incidents/{incident.number}",
                thread=f"incident:{incident.id}",
                values={
                    "title": incident.title,
                    "module": incident.module or "",
                    "status": incident.status,
                    "opened": local_time(incident.began_at),
                    "detail": self._phrases.say(f"notify.incident.{event.action}"),
                },
            )
            planned += await self._planner.plan(session, happened, now=now)
        return planned

    async def _plan_event(
        self, session: AsyncSession, event: TicketEvent, ticket: Ticket, now: datetime
    ) -> int:
        if event.action not in _DONE:
            return 0
        before = await scans.severity_before(session, event)
        # The ticket is as it is now; it may have been rated anew since.
        severity = Severity(str(event.detail.get("severity") or before or ticket.severity))
        kind = news_of(event.action, before, severity)
        if kind is None:
            return 0
        happened = Happened(
            key=f"ticket_event:{ticket.id}:{event.seq}",
            event=kind,
            at=event.at,
            severity=severity,
            values=ticket_values(ticket),
            **_about(ticket),
        )
        return await self._planner.plan(session, happened, now=now)

    async def _look_at_clock(self, now: datetime) -> int:
        async with self._database.reading() as session:
            known = await rows.cursor(session, CLOCK_CURSOR)
            # Before the first start nothing is news.
            since = known.at if known is not None else now
            found = [
                *await self._deadlines(session, since - CLOCK_OVERLAP, now),
                *await self._silences(session, now),
            ]
        self._clock_at = now
        if not found and known is not None and now - since < CLOCK_OVERLAP:
            return 0
        planned = 0
        async with self._database.transaction() as session:
            for happened in found:
                planned += await self._planner.plan(session, happened, now=now)
            await rows.move_cursor(session, CLOCK_CURSOR, position=0, now=now)
        return planned

    async def _deadlines(
        self, session: AsyncSession, since: datetime, now: datetime
    ) -> list[Happened]:
        running = await scans.running(session)
        for gone in self._milestones.keys() - {ticket for ticket, _, _ in running}:
            del self._milestones[gone]
        found = []
        for ticket_id, version, terms in running:
            if self._milestones.get(ticket_id, (None,))[0] != (version, terms):
                reckoned = await self._milestones_of(session, ticket_id)
                self._milestones[ticket_id] = ((version, terms), reckoned)
            passed = [one for one in self._milestones[ticket_id][1] if since < one.at <= now]
            if passed:
                ticket = await tickets.by_id(session, ticket_id)
                found += [self._deadline(ticket, one) for one in self._worth(ticket, passed)]
        return found

    async def _milestones_of(self, session: AsyncSession, ticket_id: str) -> tuple[Milestone, ...]:
        try:
            events = lifecycle.clock_events(await tickets.events_of(session, ticket_id))
            return sla.milestones(events, self._terms)
        except HandoffError as error:
            # Its contract is gone, say: the other tickets' deadlines still count.
            log.warning("deadlines_unreadable", ticket_id=ticket_id, error=type(error).__name__)
            return ()

    def _worth(self, ticket: Ticket, passed: Iterable[Milestone]) -> Sequence[Milestone]:
        """Deadlines, and of the warnings before them the contract's last one."""
        told = told_percents(self._terms, ticket.contract_id)
        return [one for one in passed if one.percent in told]

    def _deadline(self, ticket: Ticket, milestone: Milestone) -> Happened:
        breached = milestone.percent == 100
        say = self._phrases.say
        due = getattr(ticket, f"{milestone.target.value}_due")
        values = {
            **ticket_values(ticket),
            "target": say(f"notify.target.{milestone.target.value}"),
            "percent": str(milestone.percent),
            "due": local_time(due) if due else "",
        }
        parts = (ticket.id, milestone.target.value, str(milestone.percent), ticket.severity)
        return Happened(
            key=":".join(("sla", *parts, str(ticket.reopened))),
            event=NoticeEvent.SLA_BREACHED if breached else NoticeEvent.SLA_WARNING,
            at=milestone.at,
            severity=Severity(ticket.severity),
            values=values,
            **_about(ticket),
        )

    async def _silences(self, session: AsyncSession, now: datetime) -> list[Happened]:
        if not self._silence:
            return []
        before = now - self._silence
        after = before - SILENCE_WINDOW
        waiting = await scans.untaken(session, before, after)
        silent = await scans.unanswered(session, before, after)
        return [
            *(
                self._silence_of(ticket, f"untaken:{ticket.id}:{ticket.queued_at}", "untaken", now)
                for ticket in waiting
            ),
            *(
                self._silence_of(ticket, f"unanswered:{ticket.id}:{message.seq}", "unanswered", now)
                for ticket, message in silent
            ),
        ]

    def _silence_of(self, ticket: Ticket, key: str, why: str, now: datetime) -> Happened:
        minutes = str(int(self._silence.total_seconds() // 60))
        values = {
            **ticket_values(ticket),
            "minutes": minutes,
            "detail": self._phrases.say(f"notify.silence.{why}", minutes=minutes),
        }
        return Happened(
            key=key,
            event=NoticeEvent.UNANSWERED,
            at=now,
            severity=Severity(ticket.severity),
            values=values,
            **_about(ticket),
        )


def news_of(action: str, before: str, severity: Severity) -> NoticeEvent | None:
    """What news something done to a ticket is; ``before``: its severity until then, or empty."""
    kind = _DONE.get(action)
    if kind is NoticeEvent.SEVERITY_RAISED:
        return kind if before and Severity(before).rank < severity.rank else None
    return kind


def told_percents(terms: Terms, contract_id: str) -> tuple[int, ...]:
    """The shares of a promised time that are news: the contract's last warning, and all of it."""
    return (*terms.contract(contract_id).warn_at[-1:], 100)


def _about(ticket: Ticket) -> dict[str, str]:
    return {
        "subject": ticket.number,
        "region": ticket.region,
        "ticket_id": ticket.id,
        "path": f"/console/tickets/{ticket.number}",
    }


def ticket_values(ticket: Ticket) -> dict[str, str]:
    """What templates may say about a ticket."""
    due = ticket.next_due
    return {
        "title": ticket.title,
        "unit": ticket.unit,
        "module": ticket.module or "",
        "status": ticket.status,
        "level": ticket.level,
        "due": local_time(due) if due else "",
        "opened": local_time(ticket.opened_at),
    }
