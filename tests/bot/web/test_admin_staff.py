"""Accounts in the administrator's hands, over HTTP and all the way to the new login."""

import asyncio
import html
import re
from collections.abc import AsyncIterator

import pytest

from bot import repository
from bot.accounts.administration import one_time_password
from bot.accounts.service import Principal
from bot.errors import LastAdministrator
from bot.tables import Role
from store import audit
from tests.bot.web.plain_browser import HOSTILE, Browser, add, make_ticket, open_browser, shown
from tests.product import Product

STAFF = "/console/admin/staff"


@pytest.fixture
async def root(product: Product) -> AsyncIterator[Browser]:
    await add(product, "root", Role.ADMIN)
    browser = open_browser(product)
    await browser.log_in("root")
    yield browser
    await browser.client.aclose()


async def id_of(product: Product, username: str) -> str:
    async with product.services.database.reading() as session:
        found = await repository.staff_by_username(session, username)
    assert found is not None
    return found.id


def told(page: str) -> str:
    found = re.search(r'id="one-time"><code>([^<]+)', page)
    assert found, page
    return html.unescape(found[1])


async def create(root: Browser, username: str = "zhang", **fields: str) -> str:
    values = {"name": "张工", "post": "一线", "role": "engineer", "regions": "", "modules": ""}
    answer = await root.post(STAFF, username=username, **{**values, "capacity": "", **fields})
    assert answer.status_code == 200, shown(answer)
    return told(answer.text)


async def test_a_new_account_logs_in_once_and_must_choose_its_password(
    product: Product, root: Browser
) -> None:
    password = await create(
        root, regions="禅城区、南海区，禅城区", modules="支付管理", capacity="3"
    )
    listed = shown(await root.get(STAFF))
    assert "禅城区、南海区" in listed
    assert "0/3" in listed
    assert "待改密码" in listed
    zhang = open_browser(product)
    assert (await zhang.log_in("zhang", password=password)).status_code == 303
    led = await zhang.get("/console")
    assert led.headers["location"].startswith("/password")
    await zhang.client.aclose()


async def test_the_password_is_told_once(root: Browser, product: Product) -> None:
    password = await create(root)
    page = await root.get(f"{STAFF}/{await id_of(product, 'zhang')}")
    assert password not in page.text


async def test_changes_are_saved_and_audited(root: Browser, product: Product) -> None:
    lin = await id_of(product, "lin")
    fields = {"name": "林师傅", "post": "二线", "role": "second_line", "capacity": "5"}
    answer = await root.post(f"{STAFF}/{lin}", regions="", modules="", **fields)
    assert answer.status_code == 303
    page = await root.get(answer.headers["location"])
    assert "林师傅" in shown(page)
    assert "已保存" in shown(page)
    async with product.services.database.reading() as session:
        entries = await audit.entries_of(session, f"staff:{lin}")
    changed = next(entry for entry in entries if entry.action == "staff.changed")
    assert changed.detail["role"] == ["engineer", "second_line"]
    assert changed.actor == f"staff:{await id_of(product, 'root')}"


async def test_a_disabled_account_is_out_at_once_and_leaves_nobody_waiting(
    product: Product, root: Browser, chen: Browser
) -> None:
    number = await make_ticket(product)
    assert (await product.desk("claim", number)).status_code == 200
    answer = await root.post(f"{STAFF}/{await id_of(product, 'chen')}/disable")
    assert answer.headers["location"].endswith("?returned=1")
    assert (await chen.get("/console")).status_code == 303
    assert (await chen.log_in()).status_code == 401
    seen = await product.client.get(f"/api/v1/tickets/{number}", headers=await product.staff("lin"))
    body = seen.json()
    assert (body["assignee_id"], body["owner"], body["status"]) == (None, "queue", "新建")
    assert (await root.post(f"{STAFF}/{await id_of(product, 'chen')}/enable")).status_code == 303
    assert (await chen.log_in()).status_code == 303


async def test_a_reset_password_ends_the_sessions(
    product: Product, root: Browser, lin: Browser
) -> None:
    answer = await root.post(f"{STAFF}/{await id_of(product, 'lin')}/password")
    assert (await lin.get("/console")).status_code == 303
    assert (await lin.log_in("lin")).status_code == 401
    again = await lin.log_in("lin", password=told(answer.text))
    assert again.status_code == 303


async def test_the_last_administrator_stays(product: Product, root: Browser) -> None:
    own = await id_of(product, "root")
    answer = await root.post(f"{STAFF}/{own}/disable")
    assert answer.status_code == 409
    assert "最后" in shown(answer)
    demoted = await root.post(
        f"{STAFF}/{own}", name="r", post="", role="engineer", regions="", modules="", capacity=""
    )
    assert demoted.status_code == 409
    assert (await root.get(STAFF)).status_code == 200


async def test_two_administrators_who_switch_each_other_off(any_product: Product) -> None:
    await add(any_product, "root", Role.ADMIN)
    await add(any_product, "toor", Role.ADMIN)
    ids = [await id_of(any_product, name) for name in ("root", "toor")]
    people = [
        Principal(one, "", "", "", Role.ADMIN, (), (), "", must_change_password=False)
        for one in ids
    ]
    verb = any_product.services.staff_admin.disable
    done = await asyncio.gather(
        verb(people[0], ids[1]), verb(people[1], ids[0]), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in done) == ["LastAdministrator", "int"]
    assert any(isinstance(one, LastAdministrator) for one in done)


@pytest.mark.parametrize(
    "fields",
    [
        {"username": ""},
        {"username": "two words"},
        {"username": "chen"},
        {"role": "emperor"},
        {"capacity": "101"},
        {"capacity": "-1"},
        {"capacity": "९"},
        {"name": "长" * 81},
        {"regions": "区" * 81},
        {"modules": " ".join(str(n) for n in range(201))},
    ],
)
async def test_what_cannot_be_is_refused_with_what_was_typed(
    root: Browser, fields: dict[str, str]
) -> None:
    values = {"username": "zhang", "name": "张工", "post": "", "role": "engineer"}
    rest = {"regions": "", "modules": "", "capacity": ""}
    answer = await root.post(STAFF, **{**values, **rest, **fields})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "one-time" not in answer.text


async def test_hostile_names_are_only_text(root: Browser) -> None:
    await create(root, name=HOSTILE, post=HOSTILE, regions=HOSTILE.replace(" ", ""))
    page = await root.get(STAFF)
    assert "<img" not in page.text.replace('<img src="/static', "")


@pytest.mark.parametrize("path", [STAFF, f"{STAFF}/new"])
async def test_only_administrators(chen: Browser, path: str) -> None:
    assert (await chen.get(path)).status_code == 403
    assert (await chen.post(STAFF, username="x")).status_code == 403


async def test_who_does_not_exist(root: Browser) -> None:
    nobody = "0" * 32
    assert (await root.get(f"{STAFF}/{nobody}")).status_code == 404
    for verb in ("disable", "enable", "password"):
        assert (await root.post(f"{STAFF}/{nobody}/{verb}")).status_code == 404


def test_one_time_passwords_are_long_and_differ() -> None:
    made = {one_time_password() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){3}", one) for one in made)
