"""Units as an administrator looks through them and sets them right."""

import pytest

from bot.tables import Role
from store import audit
from tests.bot.web.plain_browser import HOSTILE, Browser, Seat, shown
from tests.product import Product

UNITS = "/console/admin/units"


@pytest.fixture
async def root(seat: Seat) -> Browser:
    return await seat(Role.ADMIN)


async def ask(product: Product, unit: str) -> None:
    """Somebody of the unit asks what opens a ticket."""
    chat = await product.open(name="黄会计", unit=unit, region="云浦区")
    await chat.say("门户的菜单是空的")
    await chat.say("转人工", kind="human")


async def test_it_counts_people_and_tickets_and_leads_to_them(
    product: Product, root: Browser
) -> None:
    await ask(product, "第三小学")
    await ask(product, "第三小学")
    await ask(product, f"二中{HOSTILE}")
    page = await root.get(UNITS, name="二中")
    assert "第三小学" not in shown(page)
    page = await root.get(UNITS, name="第三")
    cells = " ".join(shown(page).partition("近 90 天工单")[2].split())
    assert cells.startswith("操作 云浦区 第三小学 2 0 2 2 查工单")
    assert "unit=%E7%AC%AC%E4%B8%89%E5%B0%8F%E5%AD%A6" in page.text
    assert HOSTILE not in (await root.get(UNITS)).text


async def test_two_ways_of_writing_one_unit_become_one(product: Product, root: Browser) -> None:
    await ask(product, "三小")
    await ask(product, "第三小学")
    await root.get(UNITS)
    fields = {"from_region": "云浦区", "from_name": "三小", "region": "云浦区"}
    answer = await root.post(UNITS, **fields, name=" 第三小学 ")
    assert answer.status_code == 303
    page = shown(await root.get(answer.headers["location"]))
    assert "涉及 1 位用户" in page
    assert "第三小学 2 0" in " ".join(page.split())
    async with product.services.database.reading() as session:
        (entry,) = await audit.entries_of(session, "unit:第三小学")
    assert entry.detail == {"from": "云浦区 三小", "to": "云浦区 第三小学", "people": 1}
    again = await root.post(UNITS, **fields, name="第三小学")
    assert again.status_code == 422
    assert "刚刚被别人改过" in shown(again)


@pytest.mark.parametrize("name", ["", "  ", "长" * 121, "三小"])
async def test_senseless_names_change_nothing(product: Product, root: Browser, name: str) -> None:
    await ask(product, "三小")
    await root.get(UNITS)
    fields = {"from_region": "云浦区", "from_name": "三小", "region": "云浦区"}
    assert (await root.post(UNITS, **fields, name=name)).status_code == 422
    assert "三小" in shown(await root.get(UNITS))
