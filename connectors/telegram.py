"""Sends to people in Telegram: text in parts, candidates and verdicts as buttons below it.

Telegram cannot be told that a message is the same one again. What went out is remembered in this
process, so only a crash between Telegram's taking a message and our noting it can show it twice.
"""

import asyncio
import html
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from connectors.base import Contents, Delivery, Enclosed, Held, PermanentError
from connectors.pacing import Limit, Pace
from connectors.telegram_api import (
    MOST_OUT,
    MOST_PICTURE,
    Buttons,
    FileRefused,
    MarkupRefused,
    TelegramApi,
)
from connectors.telegram_settings import TelegramSettings
from connectors.telegram_updates import BUTTON_BYTES
from connectors.text_parts import in_parts

#: Characters of one message; Telegram counts UTF-16 units.
TEXT_UNITS = 4_096
#: Candidates' labels are cut beyond this, for phones.
_LABEL = 60
#: Waits up to this are slept through; longer ones give the row back.
_PATIENCE_S = 2.0
#: Deliveries remembered with the parts that went out, for retries.
_REMEMBERED = 10_000
_EVERYBODY = ""
#: What Telegram shows in place; anything else goes as a file, unchanged.
_PHOTOS = frozenset({"image/png", "image/jpeg"})

log = structlog.get_logger("connectors.telegram")


class TelegramChannel:
    """One bot as a channel."""

    def __init__(
        self,
        api: TelegramApi,
        settings: TelegramSettings,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        contents: Contents | None = None,
    ) -> None:
        self._api = api
        self._contents = contents
        self._clock = clock
        self._sleep = sleep
        self._person = Pace((Limit(1, timedelta(seconds=settings.pause_s)),))
        self._all = Pace((Limit(settings.per_second, timedelta(seconds=1)),))
        self._sent: OrderedDict[str, int] = OrderedDict()

    @property
    def name(self) -> str:
        return "telegram"

    async def send(self, delivery: Delivery) -> None:
        """Send what is not yet out of a delivery; see :class:`connectors.base.Channel`."""
        text = "".join(c for c in delivery.text if c.isprintable() or c in "\n\t").strip()
        if not text:
            raise PermanentError("nothing to show")
        files = delivery.files if self._contents is not None else ()
        parts = in_parts(text, 2 * TEXT_UNITS, "utf-16-le")
        if files and not delivery.captioned:
            parts = []
        whole: tuple[str | Enclosed, ...] = (*parts, *files)
        for n, part in enumerate(whole, 1):
            if n <= self._sent.get(delivery.dedupe_key, 0):
                continue
            if isinstance(part, Enclosed):
                await self._send_file(delivery.external_user, part)
            else:
                below = buttons(delivery) if n == len(parts) else ()
                await self._send(delivery, part, below, title=n == 1)
            self._remember(delivery.dedupe_key, n)

    async def _send_file(self, person: str, file: Enclosed) -> None:
        """A file of an engineer's; where it is refused, the person is told that there was one."""
        assert self._contents is not None  # noqa: S101  # without it there are no such parts
        content = await self._contents(file.sha256)
        await self._turn(person)
        if content is not None and len(content) <= MOST_OUT:
            pictured = file.media_type in _PHOTOS and len(content) <= MOST_PICTURE
            for picture in (True, False) if pictured else (False,):
                try:
                    await self._api.send_file(person, file.name, content, picture=picture)
                except FileRefused:
                    continue
                return
        log.warning("telegram_file_refused", size=file.size)
        await self._api.send(person, file.instead, (), html=False)

    async def _turn(self, person: str) -> None:
        await self._wait(self._all, _EVERYBODY)
        await self._wait(self._person, person)

    async def _send(self, delivery: Delivery, part: str, below: Buttons, *, title: bool) -> None:
        person = delivery.external_user
        await self._turn(person)
        marked = _marked(delivery, part) if title else None
        if marked is not None:
            try:
                await self._api.send(person, marked, below, html=True)
            except MarkupRefused:
                pass
            else:
                return
        await self._api.send(person, part, below, html=False)

    async def _wait(self, pace: Pace, person: str) -> None:
        while True:
            try:
                pace.take(person, self._clock())
            except Held as held:
                if held.wait_s > _PATIENCE_S:
                    raise
                await self._sleep(held.wait_s)
            else:
                return

    def _remember(self, key: str, parts: int) -> None:
        self._sent[key] = parts
        self._sent.move_to_end(key)
        if len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)


def buttons(delivery: Delivery) -> Buttons:
    """What can be pressed below a message; data too long for a button is left to typing."""
    match delivery.kind:
        case "offer":
            rows = _candidates(delivery)
        case "answer" if delivery.seq:
            rows = [[("👍", f"helpful:{delivery.seq}"), ("👎", f"unhelpful:{delivery.seq}")]]
        case "rating_request":
            rows = [[(f"{stars}★", f"rate:{stars}") for stars in range(1, 6)]]
        case "resolved":
            number = str(delivery.data.get("number") or "")
            rows = [[("✅", f"confirm:{number}"), ("❌", f"reopen:{number}")]] if number else []
        case "ask":
            options = enumerate(delivery.data.get("options", ())) if delivery.seq else ()
            rows = [[(str(words)[:_LABEL], f"say:{delivery.seq}:{n}")] for n, words in options]
        case _:
            rows = []
    fitting = [[one for one in row if len(one[1].encode()) <= BUTTON_BYTES] for row in rows]
    return [row for row in fitting if row]


def _candidates(delivery: Delivery) -> list[list[tuple[str, str]]]:
    """The numbered lines of the text as buttons; the last line is "none of these"."""
    candidates = delivery.data.get("candidates") or ()
    lines = [line for line in delivery.text.split("\n") if line.strip()][-len(candidates) - 1 :]
    if not candidates or len(lines) != len(candidates) + 1:
        return []
    data = [*(f"choose:{one['answer_id']}" for one in candidates), "none_of_these"]
    return [[(line[:_LABEL], one)] for line, one in zip(lines, data, strict=True)]


def _marked(delivery: Delivery, part: str) -> str | None:
    """The part with its title bold; ``None`` when it has none."""
    title = str(delivery.data.get("title") or "")
    first, newline, rest = part.partition("\n")
    if not title or first.strip() != title.strip():
        return None
    return f"<b>{html.escape(first, quote=False)}</b>{newline}{html.escape(rest, quote=False)}"
