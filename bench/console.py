"""How long the console takes at full size: ``python -m bench console [HOME]``.

Serves a copy of a prepared workspace that holds 100,000 tickets, 2 million messages and 50
engineers who all have the console open and work at once, each with a pause between two things
they do. Prints milliseconds per page and action. ``CAIWEN_BENCH_SHARE=0.02`` makes a fiftieth of
it, for a quick look; ``CAIWEN_BENCH_KEEP=FOLDER`` keeps the filled workspace for the next time.
The load comes from this process, on the same cores as the product.
"""

import asyncio
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlencode

import httpx

from bench.console_data import MODULES, REGIONS, Size, fill, utc_now
from bench.processes import is_prepared, megabytes, serving
from bot import migrate
from bot.assembly import load_all_terms
from bot.settings import Settings
from store.session import Database

FULL = Size(tickets=100_000, messages=2_000_000, engineers=50)
#: Things that every engineer does, and the mean pause before each, seconds. One is three or four
#: requests; besides, every console asks for its list again when something has changed.
STEPS, PAUSE_S = 6, 20.0
#: As ``DESK_PAUSE`` and ``DESK_SPREAD`` of the console's script.
REFRESH_S, SPREAD_S = 5.0, 1.5
GOAL_MS = 300
#: How often an administrator looks at each page.
ROUNDS = 20
SEARCH = "/console/search"
_NUMBER = re.compile(r'data-number="(CW[0-9-]+)"')
#: What is looked for: a frequent word, a rare number, a name, two words at once.
WORDS = ("支付", "UKey", "第12中学", "冲红 票据", "退付申请", "云山县")


@dataclass
class Figures:
    """Seconds of every page and action, by name, and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: dict[str, int] = field(default_factory=lambda: defaultdict(int))


class Engineer:
    """One browser with the console open."""

    def __init__(self, address: str, token: str, figures: Figures, chance: random.Random) -> None:
        self._client = httpx.AsyncClient(
            base_url=address,
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
            trust_env=False,
        )
        self._figures, self._chance = figures, chance
        self._seen: list[str] = []

    async def close(self) -> None:
        """Leave."""
        await self._client.aclose()

    async def listen(self) -> None:
        """Hold the stream of news open and follow it as the console does, until cancelled."""
        asked = 0.0
        async with self._client.stream("GET", "/api/v1/desk/events") as stream:
            async for line in stream.aiter_lines():
                if "changed" in line and time.perf_counter() - asked > REFRESH_S:
                    await asyncio.sleep(self._chance.uniform(0, SPREAD_S))
                    asked = time.perf_counter()
                    await self._get("list after news", "/console/queue")

    async def work(self, steps: int, pause_s: float) -> None:
        """Look, search and act, in no order."""
        for _ in range(steps):
            await asyncio.sleep(self._chance.uniform(0, 2 * pause_s))
            await self._chance.choices(
                (self._lists, self._search, self._open, self._act, self._pages), (4, 2, 4, 2, 1)
            )[0]()

    async def _lists(self) -> None:
        queue = self._chance.choice(("mine", "waiting", "all"))
        narrowed = self._chance.choice(({}, {"severity": "重大"}, {"status": "已关闭"}))
        await self._get(f"list {queue}", "/console/queue", queue=queue, **narrowed)
        await self._get("console", "/console")

    async def _search(self) -> None:
        await self._get("list with words", "/console/queue", q=self._chance.choice(WORDS))
        words = self._chance.choice(WORDS)
        region, module = self._chance.choice(REGIONS), self._chance.choice(MODULES)
        await self._get("search", SEARCH, q=words)
        await self._get("search narrowed", SEARCH, q=words, region=region, module=module)
        await self._get("search rarely", SEARCH, q=words, severity="重大", status="已关闭")
        await self._get("search by filters", SEARCH, region=region, module=module, unit="第12")

    async def _open(self) -> None:
        if not self._seen:
            await self._get("list all", "/console/queue", queue="all")
        number = self._chance.choice(self._seen)
        await self._get("ticket", f"/console/tickets/{number}")
        await self._get("ticket, part", f"/console/tickets/{number}/panel")
        await self._get("transcript", f"/console/tickets/{number}/transcript", after="15")

    async def _act(self) -> None:
        """A ticket from the queue to its solution."""
        await self._get("list waiting", "/console/queue", queue="waiting")
        if not self._seen:
            return
        path = f"/api/v1/tickets/{self._chance.choice(self._seen)}"
        if not await self._post("claim", f"{path}/claim"):
            return
        await self._post("reply", f"{path}/reply", text="已经看到您的问题，正在核对单据状态。")
        await self._post("note", f"{path}/note", text="单位预算已批复，等财政审核。")
        await self._post("resolve", f"{path}/resolve", cause="流程未走完", solution="已协助送审")

    async def _pages(self) -> None:
        path = self._chance.choice(
            (
                "/console/log",
                "/console/incidents",
                "/console/callbacks",
                "/console/presence",
                "/console/dead-letters",
                "/console/alerts",
            )
        )
        await self._get(path.removeprefix("/console/"), path)

    async def administer(self) -> None:
        """Every page of an administrator, once."""
        who = self._chance.randrange(FULL.engineers)
        for name, path in (
            ("staff", "staff"),
            ("contracts", "contracts"),
            ("calendars", "calendars"),
            ("a calendar", "calendars/guangdong"),
            ("units", "units"),
            ("units by parts of names", "units?region=城北&name=第12"),
            ("audit", "audit"),
            ("audit of a person", f"audit?who={who:032x}"),
            ("audit of a kind", "audit?group=staff"),
            ("audit of days long ago", "audit?since=2026-01-01&until=2026-02-01"),
        ):
            await self._get(f"admin: {name}", f"/console/admin/{path}")

    async def _get(self, name: str, path: str, **asked: str) -> None:
        answer = await self._timed(name, "GET", f"{path}?{urlencode(asked)}" if asked else path)
        if answer is not None and answer.is_success:
            self._seen = _NUMBER.findall(answer.text) or self._seen

    async def _post(self, name: str, path: str, **body: str) -> bool:
        answer = await self._timed(name, "POST", path, json=body or None)
        return answer is not None and answer.is_success

    async def _timed(
        self, name: str, method: str, path: str, **more: object
    ) -> httpx.Response | None:
        began = time.perf_counter()
        try:
            answer = await self._client.request(method, path, **more)  # type: ignore[arg-type]
        except httpx.TransportError as lost:
            self._figures.errors[f"{name} {type(lost).__name__}"] += 1
            return None
        elapsed = time.perf_counter() - began
        if answer.status_code in (409, 404, 403):
            # Somebody else was faster, or it is not this engineer's: as it should be.
            return answer
        if answer.is_success:
            self._figures.seconds[name].append(elapsed)
        else:
            self._figures.errors[f"{name} {answer.status_code}"] += 1
        return answer


async def _run(address: str, tokens: Mapping[str, str], steps: int, pause_s: float) -> Figures:
    figures = Figures()
    async with AsyncExitStack() as stack:
        people = []
        for n, token in enumerate(tokens.values()):
            one = Engineer(address, token, figures, random.Random(n))
            stack.push_async_callback(one.close)
            people.append(one)
        streams = [asyncio.create_task(one.listen()) for one in people]
        await asyncio.gather(*(one.work(steps, pause_s) for one in people))
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
    return figures


async def _administer(address: str, token: str) -> Figures:
    figures = Figures()
    one = Engineer(address, token, figures, random.Random(1))
    for _ in range(ROUNDS):
        await one.administer()
    await one.close()
    return figures


def share() -> float:
    """How much of the full size is asked for."""
    return float(os.environ.get("CAIWEN_BENCH_SHARE", "1"))


def _size() -> Size:
    return Size(int(FULL.tickets * share()), int(FULL.messages * share()), FULL.engineers)


async def filled(home: Path, size: Size) -> Mapping[str, str]:
    """Write the rows into a workspace; session tokens by staff id."""
    settings = Settings(home=home)
    database = Database(settings.effective_database_url)
    try:
        await migrate.upgrade(database)
        began = time.perf_counter()
        tokens = await fill(database, load_all_terms(settings), size, utc_now())
        print(f"filled in {time.perf_counter() - began:.0f} s", flush=True)
    finally:
        await database.dispose()
    return tokens


def _prepared(home: Path, folder: Path, size: Size) -> tuple[Path, Mapping[str, str]]:
    """A filled workspace: a kept one, or a new one."""
    copy = folder / f"home-{size.tickets}"
    known = folder / f"tokens-{size.tickets}.txt"
    if known.exists():
        pairs = (line.split() for line in known.read_text(encoding="utf-8").splitlines())
        return copy, {name: token for name, token in pairs}
    shutil.copytree(home, copy)
    tokens = asyncio.run(filled(copy, size))
    known.write_text("".join(f"{n} {t}\n" for n, t in tokens.items()), encoding="utf-8")
    return copy, tokens


def show(figures: Figures) -> None:
    """Milliseconds, slowest first."""
    print(f"{'':24} {'count':>6} {'p50':>7} {'p95':>7} {'most':>7}")
    found = []
    for name, seconds in figures.seconds.items():
        cuts = quantiles([*seconds, seconds[-1]], n=100, method="inclusive")
        found.append((cuts[94], name, len(seconds), cuts[49], max(seconds)))
    for p95, name, count, p50, most in sorted(found, reverse=True):
        mark = "" if p95 * 1000 <= GOAL_MS else f"  over {GOAL_MS}"
        print(
            f"{name:24} {count:6} {p50 * 1000:7.1f} {p95 * 1000:7.1f} {most * 1000:7.1f}{mark}",
            flush=True,
        )
    for name, count in figures.errors.items():
        print(f"refused: {name} × {count}")


def main(arguments: Sequence[str] = ()) -> None:
    """Fill, serve, measure; first one engineer alone, then all at once."""
    home = Path(arguments[0] if arguments else "var")
    if not is_prepared(home):
        return
    size = _size()
    with tempfile.TemporaryDirectory(prefix="caiwen-console-") as temporary:
        folder = Path(os.environ.get("CAIWEN_BENCH_KEEP", temporary))
        copy, tokens = _prepared(home, folder, size)
        megabyte = (copy / "caiwen.db").stat().st_size / 2**20
        print(f"{size.tickets} tickets, {size.messages} messages, database {megabyte:.0f} MiB")
        with serving(copy, rasa=False) as served:
            alone = dict(list(tokens.items())[:1])
            for title, people, steps, pause in (
                ("one engineer", alone, 40, 0.0),
                ("all engineers", tokens, STEPS, PAUSE_S),
            ):
                print(f"\n{title}: {len(people)}")
                show(asyncio.run(_run(served.address, people, steps, pause)))
            print("\nan administrator")
            show(asyncio.run(_administer(served.address, list(tokens.values())[-1])))
            print(f"web process {megabytes(served.web):.0f} MiB")


if __name__ == "__main__":
    main(sys.argv[1:])
