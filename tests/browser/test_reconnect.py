"""Two browsers while the user's line breaks: what the engineer and the bot say arrives once.

The user's browser talks to the product through a cable that the test pulls out and plugs in.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.browser.test_two_people import ask, log_in, open_widget, person
from tests.browser.test_two_people import browser as browser  # noqa: PLC0414  # the fixture
from tests.product import Product

pytestmark = pytest.mark.browser


@dataclass
class Cable:
    """Carries bytes to a port of this machine, until it is pulled out."""

    to: int
    port: int = 0
    plugged: bool = True
    _lines: set[asyncio.StreamWriter] = field(default_factory=set)

    @contextlib.asynccontextmanager
    async def laid(self) -> AsyncIterator["Cable"]:
        """While the block runs."""
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self.pull()
            server.close()

    def pull(self) -> None:
        """Cut what is open, and refuse what comes."""
        self.plugged = False
        for writer in tuple(self._lines):
            writer.transport.abort()

    def plug(self) -> None:
        """As before."""
        self.plugged = True

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.plugged:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
        both = {writer, far_writer}
        self._lines |= both
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            self._lines -= both


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    writer.close()


async def reply(console: Page, text: str) -> None:
    """Say something from the console."""
    await console.locator("#text").fill(text)
    await console.get_by_role("button", name="发送", exact=True).click()
    await expect(console.locator("#messages")).to_contain_text(text)


async def keeps_what_is_typed_meanwhile(console: Page) -> None:
    """The next words are typed while the first are on their way."""
    arrived = asyncio.Event()

    async def slowly(route: Route) -> None:
        await arrived.wait()
        await route.continue_()

    await console.route("**/say*", slowly)
    text = console.locator("#text")
    await text.fill("第4句")
    await console.get_by_role("button", name="发送", exact=True).click()
    await text.press_sequentially("，还有")
    arrived.set()
    await expect(console.locator("#messages")).to_contain_text("第4句")
    await expect(text).to_have_value("，还有")
    await console.unroute("**/say*", slowly)


async def test_a_reply_survives_a_broken_line(browser: Browser, product: Product) -> None:
    desk = await person(browser, product)
    async with Cable(urlsplit(product.address).port or 0).laid() as cable:
        theirs = await browser.new_context(
            base_url=f"http://127.0.0.1:{cable.port}", locale="zh-CN", timezone_id="Asia/Shanghai"
        )
        page, console = await theirs.new_page(), await desk.new_page()
        frame = await open_widget(page)
        log = frame.locator("#log")
        await ask(frame, "转人工")
        await expect(frame.locator(".kind-ticket")).to_be_visible()
        await log_in(console)
        await console.locator(".row-ticket").first.click()
        await console.get_by_role("button", name="接单").first.click()
        await expect(log).to_contain_text("陈工")

        # The line breaks before, between and right after the words.
        cable.pull()
        await reply(console, "第1句")
        cable.plug()
        await reply(console, "第2句")
        cable.pull()
        await reply(console, "第3句")
        await ask(frame, "我这边断网了")  # waits in the page until the line is back
        cable.plug()
        await expect(log).to_contain_text("第3句")
        await expect(console.locator("#messages")).to_contain_text("我这边断网了")
        await keeps_what_is_typed_meanwhile(console)
        await expect(log).to_contain_text("第4句")
        shown = await log.inner_text()
        assert [shown.count(f"第{n}句") for n in range(1, 5)] == [1, 1, 1, 1]
        places = [shown.index(f"第{n}句") for n in range(1, 5)]
        assert places == sorted(places)
        heard = await console.locator("#messages").inner_text()
        assert heard.count("我这边断网了") == 1

        # The engineer lets the bot answer once, and keeps the word.
        await ask(frame, "UKey插上没有反应怎么办")
        await expect(console.locator("#messages")).to_contain_text("UKey插上没有反应怎么办")
        cable.pull()
        await console.get_by_role("button", name="让机器人答一次").click()
        await expect(console.locator("#messages .msg-answer")).to_have_count(1)
        cable.plug()
        await expect(frame.locator(".kind-answer")).to_have_count(1)
        await reply(console, "机器人答得对")
        await expect(log).to_contain_text("机器人答得对")
        await theirs.close()
    await desk.close()
