"""What live conversations cost: ``python -m bench live [HOME]``, a copy of a prepared workspace.

First 2,000 widgets that are open and silent: the memory of the web process without and with them.
Then 500 users who each talk with an engineer, both saying something now and again: how long a
message takes from being sent until it stands in the other side's event stream. Every engineer's
console behaves as the product's script does: it reads the transcript when a message came, and its
list and the ticket's parts again when the desk changed. ``CAIWEN_BENCH_SHARE=0.1`` makes a tenth.
The load comes from this process, on the same cores as the product.
"""

import asyncio
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.console import REFRESH_S, SPREAD_S, filled
from bench.console_data import Size
from bench.processes import Served, copied, cpu_seconds, is_prepared, megabytes, serving
from bench.wire import Line, follow, message_of

STREAMS, STREAMS_GOAL_MIB = 2_000, 600
CONVERSATIONS, ENGINEERS, RELAY_GOAL_MS = 500, 50, 500
#: How long silent streams are watched: three pings.
IDLE_S = 45.0
#: How long people talk, and the mean pause of each before the next message, seconds.
TALK_S, PAUSE_S = 90.0, 20.0
#: What stands in every message that is measured.
MARK = "〔"
#: Conversations that are opened at the same time.
AT_ONCE = 20


@dataclass
class Figures:
    """Seconds until a message stood on the other side, by way; requests; what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    #: When each message was sent, by its words, until it has arrived.
    sent: dict[str, float] = field(default_factory=dict)

    def arrived(self, way: str, text: str, at: float) -> None:
        """Count a message that stands on the other side; what is not ours counts nothing."""
        began = self.sent.pop(f"{way} {text}", None)
        if began is not None:
            self.seconds[way].append(at - began)


class Widget:
    """A user's browser: one connection to speak, one stream to hear."""

    def __init__(self, port: int) -> None:
        self._port, self.line, self.path = port, Line(port), ""
        self.kinds: dict[str, dict[str, Any]] = {}
        self.heard = asyncio.Event()

    async def open(self) -> None:
        """Open a conversation and follow it; returns when the greeting has come."""
        _, opened = await self.line.post("/api/v1/conversations", {})
        self.line.token = opened["token"]
        self.path = f"/api/v1/conversations/{opened['conversation_id']}"

    async def listen(self, figures: Figures | None = None) -> None:
        """Hold the stream, until cancelled."""
        async for event in follow(self._port, f"{self.path}/events", self.line.token):
            message = message_of(event)
            if message is None:
                continue
            if figures is not None and message["sender"] == "engineer":
                figures.arrived("to the user", message["text"], time.perf_counter())
            self.kinds[message["kind"]] = message
            self.heard.set()

    async def until(self, kind: str) -> dict[str, Any]:
        """The newest message of a kind, as soon as there is one."""
        async with asyncio.timeout(60):
            while kind not in self.kinds:
                self.heard.clear()
                await self.heard.wait()
        return self.kinds[kind]

    async def say(self, text: str, **more: object) -> int:
        """Status of having sent it."""
        body = {"client_msg_id": os.urandom(8).hex(), "text": text, **more}
        status, _ = await self.line.post(f"{self.path}/messages", body)
        return status


class Desk:
    """An engineer's console with the tickets of several users."""

    def __init__(self, port: int, token: str, figures: Figures) -> None:
        self._port, self._token, self._figures = port, token, figures
        self.numbers: list[str] = []

    async def take(self, number: str) -> None:
        """Take a ticket."""
        line = Line(self._port, self._token)
        status, answer = await line.post(f"/api/v1/tickets/{number}/claim", {})
        line.close()
        if status != 200:
            raise RuntimeError(f"not taken: {status} {answer}")
        self.numbers.append(number)

    async def watch(self, number: str) -> None:
        """Hold a ticket's stream, and read the transcript when the user has said something."""
        line = Line(self._port, self._token)
        path = f"/api/v1/tickets/{number}/events"
        async for event in follow(self._port, path, self._token):
            message = message_of(event)
            if message is None:
                continue
            self._figures.arrived("to the engineer", message["text"], time.perf_counter())
            # A console that is opened has what was said before on its page.
            if MARK in message["text"]:
                shown = f"{number}/transcript?after={message['seq'] - 1}"
                await self._fetch(line, "transcript", shown)

    async def refresh(self) -> None:
        """Hold the desk's stream; ask for the list and one ticket again as the script does."""
        line, asked = Line(self._port, self._token), 0.0
        async for event in follow(self._port, "/api/v1/desk/events", self._token):
            if b"changed" not in event or time.perf_counter() - asked < REFRESH_S:
                continue
            await asyncio.sleep(random.uniform(0, SPREAD_S))
            asked = time.perf_counter()
            await self._fetch(line, "list", "", "/console/queue?queue=mine")
            await self._fetch(line, "parts", f"{random.choice(self.numbers)}/panel")

    async def _fetch(self, line: Line, name: str, rest: str, path: str = "") -> None:
        began = time.perf_counter()
        status, _ = await line.get(path or f"/console/tickets/{rest}")
        self._figures.seconds[name].append(time.perf_counter() - began)
        if status != 200:
            self._figures.errors[f"{name} {status}"] += 1

    async def speak(self, number: str, until: float) -> None:
        """Answer now and again."""
        line = Line(self._port, self._token)
        async for text in _words(number, until):
            self._figures.sent[f"to the user {text}"] = time.perf_counter()
            status, _ = await line.post(f"/api/v1/tickets/{number}/reply", {"text": text})
            if status != 200:
                self._figures.errors[f"reply {status}"] += 1
        line.close()


async def _words(name: str, until: float) -> Any:
    count = 0
    while True:
        await asyncio.sleep(random.uniform(0, 2 * PAUSE_S))
        if time.perf_counter() > until:
            return
        count += 1
        yield f"单据还在审核中，请看一下{MARK}{name}·{count}〕"


async def _speak(widget: Widget, name: str, until: float, figures: Figures) -> None:
    async for text in _words(name, until):
        figures.sent[f"to the engineer {text}"] = time.perf_counter()
        status = await widget.say(text)
        if status != 202:
            figures.errors[f"said {status}"] += 1


async def _some_at_once(work: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(coroutine: Coroutine[Any, Any, Any]) -> Any:
        async with slots:
            return await coroutine

    return await asyncio.gather(*map(one, work))


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def streams(served: Served, count: int) -> None:
    """Print the memory of the web process without and with so many silent widgets."""
    first = Widget(served.port)
    await first.open()
    await first.say("你好")
    await asyncio.sleep(2)
    before = megabytes(served.web)
    widgets = [Widget(served.port) for _ in range(count)]
    await _some_at_once([one.open() for one in widgets])
    opened = megabytes(served.web)
    held = [asyncio.create_task(one.listen()) for one in widgets]
    await _some_at_once([one.until("greeting") for one in widgets])
    used = cpu_seconds(served.web)
    await asyncio.sleep(IDLE_S)
    busy = (cpu_seconds(served.web) - used) / IDLE_S
    with_streams = megabytes(served.web)
    mark = "" if with_streams <= STREAMS_GOAL_MIB else f"  over {STREAMS_GOAL_MIB}"
    print(f"web process without streams  {before:.0f} MiB")
    print(f"{count} conversations opened   {opened:.0f} MiB")
    print(f"{count} silent streams         {with_streams:.0f} MiB{mark}")
    print(f"a stream                     {(with_streams - opened) * 1024 / count:.1f} KiB")
    print(f"processor while silent       {busy:.1%} of a core", flush=True)
    broken = sum(task.done() for task in held)
    await _end(held)
    for one in widgets:
        one.line.close()
    print(f"streams that broke           {broken}", flush=True)


async def relay(served: Served, tokens: Mapping[str, str], count: int) -> None:
    """Print how long messages take between so many users and their engineers."""
    figures = Figures()
    desks = [Desk(served.port, token, figures) for token in tokens.values()][:ENGINEERS]
    widgets = [Widget(served.port) for _ in range(count)]
    await _some_at_once([one.open() for one in widgets])
    tasks = [asyncio.create_task(one.listen(figures)) for one in widgets]
    await _some_at_once([_ask_for_somebody(one) for one in widgets])
    numbers = [one.kinds["ticket"]["data"]["number"] for one in widgets]
    pairs = [(desks[n % len(desks)], number) for n, number in enumerate(numbers)]
    await _some_at_once([desk.take(number) for desk, number in pairs])
    tasks += [asyncio.create_task(desk.watch(number)) for desk, number in pairs]
    tasks += [asyncio.create_task(desk.refresh()) for desk in desks]
    await asyncio.sleep(5)
    used, began = cpu_seconds(served.web), time.perf_counter()
    until = began + TALK_S
    await asyncio.gather(
        *(desk.speak(number, until) for desk, number in pairs),
        *(
            _speak(one, number, until, figures)
            for one, number in zip(widgets, numbers, strict=True)
        ),
    )
    busy = (cpu_seconds(served.web) - used) / (time.perf_counter() - began)
    await asyncio.sleep(3)
    _show(figures, busy)
    await _end(tasks)


async def _ask_for_somebody(widget: Widget) -> None:
    await widget.say("门户的菜单是空的")
    await widget.say("转人工", action={"kind": "human"})
    await widget.until("ticket")


def _show(figures: Figures, busy: float) -> None:
    print(f"{'':18} {'count':>6} {'p50':>7} {'p95':>7} {'p99':>7} {'most':>7}  milliseconds")
    for way, seconds in sorted(figures.seconds.items(), reverse=True):
        cuts = [cut * 1000 for cut in quantiles([*seconds, seconds[-1]], n=100, method="inclusive")]
        over = way.startswith("to ") and cuts[94] > RELAY_GOAL_MS
        mark = f"  over {RELAY_GOAL_MS}" if over else ""
        print(
            f"{way:18} {len(seconds):6} {cuts[49]:7.1f} {cuts[94]:7.1f} {cuts[98]:7.1f}"
            f" {max(seconds) * 1000:7.1f}{mark}"
        )
    print(f"never arrived: {len(figures.sent)}; web process: {busy:.0%} of a core")
    for name, times in figures.errors.items():
        print(f"refused: {name} × {times}", flush=True)


def main(arguments: Sequence[str] = ()) -> None:
    """Silent streams first, then people who talk, each with a fresh web process."""
    home = Path(arguments[0] if arguments else "var")
    if not is_prepared(home):
        return
    share = float(os.environ.get("CAIWEN_BENCH_SHARE", "1"))
    with copied(home) as copy:
        tokens = asyncio.run(filled(copy, Size(tickets=1, messages=2, engineers=ENGINEERS)))
        with serving(copy, rasa=False) as served:
            asyncio.run(streams(served, int(STREAMS * share)))
        print(flush=True)
        with serving(copy, rasa=False) as served:
            asyncio.run(relay(served, tokens, int(CONVERSATIONS * share)))
            print(f"web process {megabytes(served.web):.0f} MiB")


if __name__ == "__main__":
    main(sys.argv[1:])
