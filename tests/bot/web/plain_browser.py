"""A browser without scripts: cookies, forms, and what stands on a page."""

import html
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx

from bot.accounts.service import add_staff
from bot.tables import Role
from tests.product import NOW, PASSWORD, Product, http_client

HOSTILE = "<img src=x onerror=alert(1)>"
PAGE = {"Accept": "text/html"}


@dataclass
class Browser:
    """A browser of one person: cookies, and the token of the page last seen."""

    client: httpx.AsyncClient
    csrf: str = ""

    async def get(self, path: str, **params: str) -> httpx.Response:
        answer = await self.client.get(path, params=params or None, headers=PAGE)
        self._remember(answer)
        return answer

    async def post(self, path: str, *, part: bool = False, **fields: str) -> httpx.Response:
        headers = {**PAGE, "HX-Request": "true"} if part else PAGE
        body = {"csrf_token": self.csrf, **fields}
        answer = await self.client.post(path, data=body, headers=headers)
        self._remember(answer)
        return answer

    async def log_in(self, username: str = "chen", **fields: str) -> httpx.Response:
        body = {"username": username, "password": PASSWORD, **fields}
        answer = await self.client.post("/login", data=body, headers=PAGE)
        if answer.status_code == 303:
            await self.get("/password")
        return answer

    def _remember(self, answer: httpx.Response) -> None:
        found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
        if found:
            self.csrf = found[1]


#: Somebody with this role sits down at a browser and logs in.
Seat = Callable[[Role], Awaitable[Browser]]


def open_browser(product: Product) -> Browser:
    return Browser(http_client(product.address))


async def make_ticket(product: Product, text: str = "门户的菜单是空的", *, region: str = "") -> str:
    """The number of a new ticket that waits for an engineer."""
    chat = await product.open(
        name=HOSTILE, unit=f"一小{HOSTILE}", phone="13800138000", region=region
    )
    await chat.say(text)
    await chat.say("转人工", kind="human")
    told = [m for m in await chat.read() if m["kind"] == "ticket"]
    return str(told[0]["data"]["number"])


async def add(product: Product, username: str, role: Role, *, must_change: bool = False) -> None:
    async with product.services.database.transaction() as session:
        await add_staff(
            session,
            username=username,
            password=PASSWORD,
            role=role,
            now=NOW,
            must_change_password=must_change,
        )


def typed(page: str) -> dict[str, str]:
    """What the first form's fields and lists would send as they stand, without ticked boxes."""
    boxes = r'(?![^>]*type="checkbox")'
    inputs = re.findall(rf'<input{boxes}[^>]*? name="(\w+)"[^>]*? value="([^"]*)"', page)
    chosen = re.findall(
        r'<select[^>]*? name="(\w+)"[^>]*>(?:(?!</select>).)*?<option value="([^"]*)" selected',
        page,
        re.DOTALL,
    )
    return {name: html.unescape(value) for name, value in [*inputs, *chosen] if value}


def shown(answer: httpx.Response) -> str:
    """What the page says, without its markup."""
    return re.sub(r"<[^>]+>", " ", answer.text)
