"""Members of 粤政易 over real HTTP both ways: who they are, and the files that they send."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select

from bot.attachments.tables import Attachment
from bot.channels.fake_wecom import Demonstration, demonstration, demonstration_settings
from bot.channels.h5_login import WIDGET, identity_secrets
from bot.clock import utc_now
from bot.phrases import load
from bot.settings import data_dir
from bot.tables import Message, User
from connectors.fake_wecom.app import create_app
from connectors.settings import WecomSettings
from tests.listening import listening
from tests.postgres import free_port
from tests.product import Product, copy_workspace, make_settings, picture, serving
from tests.waiting import until

PHRASES = load(data_dir() / "locales" / "zh-CN.yml")


INSIDE = "Mozilla/5.0 (Linux; Android 14) zwwx-customized wxwork/3.1 MicroMessenger/7.0"


@dataclass
class World:
    product: Product
    shown: Demonstration

    async def leave(self, path: str = "/h5", browser: str = INSIDE) -> tuple[str, str]:
        """Begin; the address the browser is sent to and the cookie that it keeps."""
        answer = await self.product.client.get(path, headers={"User-Agent": browser})
        assert answer.status_code == 302
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        return answer.headers["location"], cookie.partition(";")[0]

    async def back(self, address: str, cookie: str, member: str = "lihua") -> httpx.Response:
        """Through the platform and back to us, as a browser goes."""
        async with httpx.AsyncClient(trust_env=False) as browser:
            away = await browser.get(
                address.partition("#")[0], headers={"Cookie": f"member={member}"}
            )
        returned = urlsplit(away.headers["location"])
        assert returned.netloc == "public.test"
        return await self.product.client.get(
            f"{returned.path}?{returned.query}", headers={"Cookie": cookie}
        )

    async def users(self) -> list[User]:
        async with self.product.services.database.reading() as session:
            query = select(User).where(User.external_user == "wecom:lihua")
            return list((await session.scalars(query)).all())


@pytest.fixture
async def world(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[World]:
    home, port = tmp_path / "home", free_port()
    copy_workspace(prepared_workspace, home)
    address = f"http://127.0.0.1:{port}"
    wecom = demonstration_settings(WecomSettings(), address, "http://public.test/")
    wecom = wecom.model_copy(update={"regions": {"2": "城东区"}})
    client = httpx.AsyncClient(trust_env=False)
    shown = demonstration(wecom, PHRASES, utc_now, client=client, to="http://nowhere.test")
    settings = make_settings(home).model_copy(update={"wecom": wecom})
    async with client, listening(create_app(shown.platform), port), serving(settings) as product:
        yield World(product, shown)


def person_in(page: str) -> dict[str, str] | None:
    found = re.search(r'id="person">(.*?)</script>', page)
    told: dict[str, str] | None = json.loads(found[1]) if found else None
    return told


async def test_a_member_is_known_with_unit_and_region(world: World) -> None:
    address, cookie = await world.leave()
    query = parse_qs(urlsplit(address).query)
    assert query["scope"] == ["snsapi_base"]
    assert re.fullmatch(r"[A-Za-z0-9]{1,128}", query["state"][0])
    page = await world.back(address, cookie)
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    person = person_in(page.text)
    assert person is not None
    opened = await world.product.client.post(
        "/api/v1/conversations", json={"identity": person["proof"]}
    )
    assert opened.status_code == 201
    (user,) = await world.users()
    assert (user.name, user.unit, user.region) == ("李华", "城东区财政局", "城东区")
    assert user.verified
    again = await world.product.client.post(
        "/api/v1/conversations", json={"identity": person["proof"]}
    )
    assert again.status_code == 401


async def test_outside_the_client_a_code_is_scanned(world: World) -> None:
    inside, _ = await world.leave()
    assert "/connect/oauth2/authorize?" in inside
    address, cookie = await world.leave(browser="Mozilla/5.0 (X11; Linux) Chrome/140 Safari/537")
    parts = urlsplit(address)
    query = parse_qs(parts.query)
    assert parts.path == "/wwopen/sso/qrConnect"
    assert set(query) == {"appid", "agentid", "redirect_uri", "state"}
    person = person_in((await world.back(address, cookie)).text)
    assert person is not None
    assert person["id"] == "wecom:lihua"


async def test_a_page_that_is_loaded_again_asks_once_more_and_then_says_so(world: World) -> None:
    address, cookie = await world.leave()
    state = parse_qs(urlsplit(address).query)["state"][0]
    used = {"code": "used-up", "state": state}
    first = await world.product.client.get("/h5/back", params=used, headers={"Cookie": cookie})
    assert (first.status_code, first.headers["location"]) == (302, "http://public.test/h5?again=1")
    address, cookie = await world.leave("/h5?again=1")
    state = parse_qs(urlsplit(address).query)["state"][0]
    used = {"code": "used-up", "state": state}
    last = await world.product.client.get("/h5/back", params=used, headers={"Cookie": cookie})
    assert last.status_code == 401


@pytest.mark.parametrize("cookie", ["", "caiwen_h5=other", f"caiwen_h5={'A' * 43}"])
async def test_nobody_is_logged_in_by_somebody_elses_link(world: World, cookie: str) -> None:
    address, _ = await world.leave()
    answer = await world.back(address, cookie, member="wangfang")
    assert answer.status_code == 302
    assert person_in(answer.text) is None


async def test_outsiders_are_refused_and_a_platform_that_is_away_leaves_the_widget(
    world: World,
) -> None:
    address, cookie = await world.leave()
    assert (await world.back(address, cookie, member="")).status_code == 302
    address, cookie = await world.leave()
    world.shown.platform.revoke()
    world.shown.platform.token_script = [-1]
    page = await world.back(address, cookie)
    assert page.status_code == 200
    assert person_in(page.text) is None


async def test_who_writes_is_bound_to_unit_and_region_later(world: World) -> None:
    world.shown.postman.address = f"{world.product.address}/channels/wecom/callback"
    for text in ("公务卡怎么还款", "UKey插上没有反应怎么办"):
        world.shown.handsets.send("lihua", "text", text, Content=text)
    await world.shown.handsets.settle()
    for _ in range(600):
        async with world.product.services.database.reading() as session:
            query = select(User).where(User.external_user == "lihua")
            (user,) = (await session.scalars(query)).all()
        if user.unit:
            break
        await asyncio.sleep(0.05)
    assert (user.name, user.unit, user.region) == ("李华", "城东区财政局", "城东区")


async def test_pictures_and_files_that_members_send_are_fetched_and_kept(world: World) -> None:
    world.shown.postman.address = f"{world.product.address}/channels/wecom/callback"
    database, shelf = world.product.services.database, world.shown.platform.media
    now = utc_now()
    good = shelf.put("image", "报错.png", "image/png", picture(), now)
    bad = shelf.put("file", "virus.exe", "application/octet-stream", b"MZ" + b"0" * 90, now)
    letters = world.shown.handsets.letters
    world.shown.platform.settings.retries = 1
    for plain in (
        letters.message("image", "lihua", MediaId=good),
        letters.message("file", "lihua", MediaId=bad),
        letters.message("image", "lihua", MediaId="expired"),
    ):
        for _ in range(2):
            assert await world.shown.postman.bring(plain)

    async def kept() -> bool:
        async with database.reading() as session:
            said = (await session.scalars(select(Message).where(Message.sender == "user"))).all()
        return len(said) == 3

    await until(kept)
    async with database.reading() as session:
        (stored,) = (await session.scalars(select(Attachment))).all()
        query = select(Message).where(Message.sender == "user", Message.kind == "media")
        noted = (await session.scalars(query)).all()
    assert stored.name == "报错.png"
    assert sorted(one.data["media"]["kind"] for one in noted) == ["file", "image"]


async def test_a_platform_that_is_away_is_asked_again_for_a_file(world: World) -> None:
    world.shown.postman.address = f"{world.product.address}/channels/wecom/callback"
    platform, database = world.shown.platform, world.product.services.database
    platform.token_script = [-1]
    media_id = platform.media.put("image", "a.png", "image/png", picture(), utc_now())
    plain = world.shown.handsets.letters.message("image", "lihua", MediaId=media_id)
    assert await world.shown.postman.bring(plain)

    async def stored() -> bool:
        async with database.reading() as session:
            return len((await session.scalars(select(Attachment))).all()) == 1

    await until(stored)


async def test_without_an_address_there_is_no_login(product: Product) -> None:
    assert (await product.client.get("/h5")).status_code == 404
    assert (await product.client.get("/h5/back")).status_code == 404


def test_a_host_page_cannot_sign_for_members(tmp_path: Path) -> None:
    own = {WIDGET: "x" * 40, "portal": "y" * 40}
    settings = make_settings(tmp_path)
    settings.web.identity_secrets = own
    assert set(identity_secrets(settings)) == {"portal"}
    with_wecom = demonstration_settings(WecomSettings(), "http://a.test", "http://b.test")
    settings.wecom = with_wecom
    assert identity_secrets(settings)[WIDGET] != own[WIDGET]
