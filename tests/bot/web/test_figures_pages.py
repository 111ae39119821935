"""The page of monthly averages: asked for, shown, taken as CSV, and whose they are."""

from bot.tables import Role
from tests.bot.web.plain_browser import Browser, Seat, make_ticket, shown
from tests.product import Product

AT = "/console/figures"


async def test_a_month_is_looked_through_and_taken_as_a_table(
    product: Product, chen: Browser, seat: Seat
) -> None:
    number = await make_ticket(product, region="=1+1")
    await product.desk("claim", number)
    await product.desk("reply", number, text="请稍等")
    manager, other = await seat(Role.MANAGER), await seat(Role.OPERATIONS)
    page = await manager.get(AT)
    month = page.text.split('name="month" value="')[1][:7]
    refused = await manager.post(AT, month="2999-01")
    assert refused.status_code == 422
    begun = await manager.post(AT, month=month)
    assert begun.status_code == 303, shown(begun)
    await product.services.rules.runs.settle()
    there = begun.headers["location"]
    page = await manager.get(there)
    assert f"{month}：1 张工单" in shown(page)
    table = await manager.get(f"{there}/figures.csv")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert f"{month}.csv" in table.headers["content-disposition"]
    assert number in table.text
    assert ",=1+1" not in table.text, "no formula in a spreadsheet"
    for path in (there, f"{there}/figures.csv"):
        assert (await other.get(path)).status_code == 404, "somebody else's scope"
        assert (await chen.get(path)).status_code == 403
    top = await manager.get("/console/admin/ticket-rules")
    assert top.status_code == 200
    assert f'href="{AT}"' in top.text
