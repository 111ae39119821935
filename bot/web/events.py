"""Server-sent events: a conversation's messages with replay, and wake-ups for staff pages.

The id of an event is the message's ``seq``, so a browser that comes back with
``Last-Event-ID`` misses nothing and sees nothing twice. Every message is read from the
database; the in-process wake-up only says when to look.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from starlette.responses import StreamingResponse

from bot.assembly import Services
from bot.conversations import message_repository
from bot.conversations.live import STAFF, Watcher
from bot.tables import Owner, Sender
from bot.web.schemas import MessageOut

HEADERS = {
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}
#: What a browser waits before it comes back, in milliseconds.
RETRY_MS = 1_000
#: How long news of the desk waits for more of it, and the least time between two of them, seconds:
#: while fifty conversations go on, something has changed at every moment.
GATHER_S, DESK_PAUSE_S = 0.2, 1.0


@dataclass(frozen=True, slots=True)
class View:
    """Whose eyes the stream is for. ``watcher``: who of the staff; ``None`` for users."""

    conversation_id: str
    other: Sender
    watcher: Watcher | None = None

    @property
    def staff(self) -> bool:
        """Whether notes and drafts are shown."""
        return self.watcher is not None


def stream(source: AsyncIterator[str]) -> StreamingResponse:
    """An event stream that no proxy holds back."""
    return StreamingResponse(source, media_type="text/event-stream", headers=HEADERS)


def event(name: str, data: object, *, event_id: int | None = None) -> str:
    """One event in the wire format."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    if name != "message":
        head += f"event: {name}\n"
    return f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n"


async def conversation_events(app: Services, view: View, after: int) -> AsyncIterator[str]:
    """Every message after ``after`` once and in order, owner and typing changes, and pings."""
    yield f"retry: {RETRY_MS}\n\n"
    shown: dict[str, object] = {}
    with _watched(app, view), app.live.subscribe(view.conversation_id) as wakeup:
        while not app.live.closed:
            wakeup.clear()
            news = await _news(app, view, after)
            if news is None:
                return
            for message in map(MessageOut.of, news.messages):
                after = message.seq
                yield event("message", message.model_dump(mode="json"), event_id=message.seq)
            if len(news.messages) == message_repository.PAGE:
                continue
            wakeup.seen = news.last
            state = _state(app, view, news)
            # What has been shown is not kept while nothing happens.
            del news
            if state != shown:
                shown = state
                yield event("state", state)
            if not await _woken(wakeup, _patience(app, view)):
                yield ": ping\n\n"


def _watched(app: Services, view: View) -> AbstractContextManager[None]:
    """Colleagues see who has a ticket open as long as the stream is."""
    if view.watcher is None:
        return nullcontext()
    return app.live.watch(view.conversation_id, view.watcher)


async def ticket_events(app: Services, number: str, watcher: Watcher) -> AsyncIterator[str]:
    """A ticket without a conversation: who else has it open, and pings."""
    yield f"retry: {RETRY_MS}\n\n"
    topic, shown = f"ticket:{number}", None
    with app.live.watch(topic, watcher), app.live.subscribe(topic) as wakeup:
        while not app.live.closed:
            wakeup.clear()
            names = app.live.watchers(topic, without=watcher)
            if names != shown:
                shown = names
                yield event("state", {"watchers": names})
            if not await _woken(wakeup, app.settings.web.stream_ping_s):
                yield ": ping\n\n"


async def _news(app: Services, view: View, after: int) -> message_repository.News | None:
    async with app.database.peek() as session:
        return await message_repository.news(
            session, view.conversation_id, after=after, staff=view.staff
        )


def _state(app: Services, view: View, news: message_repository.News) -> dict[str, object]:
    now = asyncio.get_running_loop().time()
    typing = app.live.is_typing(view.conversation_id, view.other.value, now)
    state: dict[str, object] = {"owner": news.owner, "typing": typing, "thinking": news.thinking}
    if news.owner == Owner.QUEUE and (place := app.queue_times.of(view.conversation_id)):
        state["queue"] = place.data()
    if view.watcher is not None:
        state["received"], state["read"] = news.received, news.read
        state["watchers"] = app.live.watchers(view.conversation_id, without=view.watcher)
    return state


def _patience(app: Services, view: View) -> float:
    """Seconds to wait for news: until the next ping, or until typing runs out."""
    now = asyncio.get_running_loop().time()
    typing_left = app.live.typing_left(view.conversation_id, view.other.value, now)
    ping_s = app.settings.web.stream_ping_s
    return min(ping_s, typing_left) if typing_left > 0 else ping_s


async def _woken(wakeup: asyncio.Event, ping_s: float) -> bool:
    try:
        # Not wait_for: it makes a task, and thousands of streams wait most of the time.
        async with asyncio.timeout(ping_s):
            await wakeup.wait()
    except TimeoutError:
        return False
    return True


async def staff_events(app: Services) -> AsyncIterator[str]:
    """A wake-up whenever the queue or any conversation changes; pages then fetch what they show.

    Changes that come close together are told once, the first of them soon. Every ``beat`` asks the
    console to answer: only its answer proves that somebody's browser is still there.
    """
    yield f"retry: {RETRY_MS}\n\n"
    loop = asyncio.get_running_loop()
    ping_s, next_beat = app.settings.web.stream_ping_s, loop.time()
    told, changed = next_beat - DESK_PAUSE_S, event("changed", {})
    with app.live.subscribe(STAFF) as wakeup:
        while not app.live.closed:
            if loop.time() >= next_beat:
                next_beat = loop.time() + ping_s
                yield event("beat", {})
            if not await _woken(wakeup, max(0.01, next_beat - loop.time())):
                continue
            await asyncio.sleep(max(GATHER_S, told + DESK_PAUSE_S - loop.time()))
            told = loop.time()
            wakeup.clear()
            yield changed
