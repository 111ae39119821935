"""The product at work: what goes on beside requests, and putting everything down in order.

Refuses to decide what there is (`bot.assembly`).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from bot import background
from bot.assembly import Services
from bot.channels import telegram
from bot.channels.bot_frames import BotFrames
from bot.channels.long_connection import LongConnection


@asynccontextmanager
async def running(app: Services, *, worker: bool = True) -> AsyncIterator[Services]:
    """The product with its background work; on leaving, everything is put down in order."""
    await app.calendar_admin.refresh()
    await app.channels.refresh()
    tasks = [asyncio.create_task(job) for job in _jobs(app, worker=worker)]
    try:
        yield app
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        await app.evaluations.stop()
        await app.guide_imports.stop()
        await app.rules.runs.stop()
        await app.conversations.stop()
        await app.attachments.pictures.stop()
        await app.channels.close()
        await app.interpreter.close()
        await app.database.dispose()


async def _listen(app: Services) -> None:
    """Listen to Telegram as it is set up now, and anew when that changes; until cancelled."""
    while True:
        changed = asyncio.create_task(app.channels.changed())
        api, settings = app.channels.telegram, app.channels.settings.telegram
        listening = telegram.run(api, settings, app.channel_files) if api else _nothing()
        heard = asyncio.create_task(listening)
        try:
            await asyncio.wait((changed, heard), return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
            heard.cancel()
            ended = await asyncio.gather(changed, heard, return_exceptions=True)
        for one in ended:
            if isinstance(one, Exception):
                raise one


def _long_connection(app: Services) -> LongConnection:
    return LongConnection(BotFrames(app.channel_files, app.channels, app.relay.wake))


async def _nothing() -> None:
    await asyncio.Event().wait()


def _jobs(app: Services, *, worker: bool) -> list[Coroutine[Any, Any, None]]:
    """What goes on beside requests; some of it in one process only."""
    jobs = [
        background.forever("calendars", app.calendar_admin.run),
        background.forever("queue_times", app.queue_times.run),
        background.forever("watch", lambda: background.watch(app.database, app.live)),
        background.forever("recovery", app.conversations.run_recovery),
        background.forever("incidents", app.incidents.board.run),
        background.forever("pictures", app.attachments.pictures.run),
        background.forever("channels", app.channels.run),
    ]
    if worker:
        jobs.append(background.forever("relay", app.relay.run))
        jobs.append(background.forever("telegram", lambda: _listen(app)))
        jobs.append(background.forever("long_connection", _long_connection(app).run))
        jobs.append(background.forever("news", app.notifications.run_scanner))
        jobs.append(background.forever("notifications", app.notifications.sender.run))
        jobs.append(background.forever("old_files", app.retention.run))
        jobs.append(background.forever("old_alerts", app.alerts.run_forgetting))
        jobs.append(background.forever("publishing", app.publishing.run))
        jobs.append(background.forever("routing", app.router.run))
        jobs.append(background.forever("rules", app.rules.runner.run))
        jobs.append(background.forever("call_backs", app.revisits.run))
        jobs.append(
            background.forever("gaps", lambda: background.run_gaps(app.gaps, app.proposals))
        )
        jobs.append(background.forever("timers", lambda: background.run_timers(app.confirmations)))
    return jobs
