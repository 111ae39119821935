"""Work that goes on beside requests: recovery, the relay, timers, news from other processes."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot import repository
from bot.conversations.live import STAFF, Live
from bot.gaps.service import Gaps
from bot.questions.proposals import QuestionProposals
from bot.tickets.confirmations import Confirmations
from handoff import timers
from store.session import Database

#: How often the database is asked for messages that another process wrote.
WATCH_S = 1.0
#: Ids may become visible out of order on PostgreSQL: the last few are looked at again.
OVERLAP = 200
TIMERS_S = 15.0
GAPS_S = 300.0

log = structlog.get_logger("bot.background")


async def watch(database: Database, live: Live) -> None:
    """Wake streams for what other processes wrote, until cancelled.

    A lost wake-up costs a second; streams always read the database themselves. What this process
    wrote has woken everybody already: streams that have seen it are left alone, and staff pages
    where something was published here in the same second.
    """
    seen: dict[int, None] = {}
    async with database.glance() as session:
        newest = await repository.newest_message_id(session)
    while True:
        await asyncio.sleep(WATCH_S)
        told = live.take_published()
        try:
            async with database.glance() as session:
                found = await repository.changed_conversations(
                    session, after_message_id=max(0, newest - OVERLAP)
                )
        except Exception:
            log.exception("watch_failed")
            continue
        fresh = [one for one in found if one[0] > newest or one[0] not in seen]
        seen = dict.fromkeys(number for number, _, _ in found)
        newest = max([newest, *seen])
        for _, conversation_id, seq in fresh:
            live.publish_seq(conversation_id, seq)
        if any(conversation_id not in told for _, conversation_id, _ in fresh):
            live.publish(STAFF)


async def run_timers(confirmations: Confirmations) -> None:
    """Close what was silently confirmed, resume appointments, until cancelled."""
    while True:
        try:
            ran = await timers.run_due(
                confirmations.database,
                terms=confirmations.terms,
                now=confirmations.clock(),
                closing=confirmations.close_silent,
            )
            if ran.resumed or ran.recalculated:
                confirmations.live.publish(STAFF)
        except Exception:
            log.exception("timers_failed")
        await asyncio.sleep(TIMERS_S)


async def run_gaps(gaps: Gaps, proposals: QuestionProposals) -> None:
    """Group what was asked in vain and note what was answered, now and again, until cancelled."""
    while True:
        await asyncio.sleep(GAPS_S)
        await gaps.collect()
        await proposals.collect()


async def forever(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run ``work`` again whenever it fails; only cancelling ends it."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("background_failed", work=name)
        await asyncio.sleep(1.0)
