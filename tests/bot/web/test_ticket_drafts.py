"""An answer drafted of a ticket when it is resolved, and what its editor sees of the ticket."""

from bot.tables import Role
from handoff import repository as tickets
from kb import answer_repository
from store import audit
from tests.bot.web.plain_browser import Browser, Seat, make_ticket, shown
from tests.product import Product

SOLUTION = "请管理员在权限管理里给这个岗位加上菜单，退出后重新登录。"
CAUSE = "岗位没有授权"


async def resolve(chen: Browser, number: str, **fields: str) -> int:
    said = {"cause": CAUSE, "solution": SOLUTION, **fields}
    answer = await chen.post(f"/console/tickets/{number}/resolve", **said)
    return answer.status_code


async def draft_of(product: Product, number: str) -> str:
    headers = await product.staff()
    answer = await product.client.get(f"/api/v1/tickets/{number}", headers=headers)
    return str(answer.json()["draft_id"])


async def test_resolving_makes_a_draft_with_the_ticket_behind_it(
    product: Product, chen: Browser, seat: Seat
) -> None:
    number = await make_ticket(product, "门户的菜单是空的，我身份证号 11010519491231002X")
    await chen.get(f"/console/tickets/{number}")
    await chen.post(f"/console/tickets/{number}/claim")
    page = await chen.get(f"/console/tickets/{number}", do="resolve")
    assert 'name="draft"' in page.text
    assert await resolve(chen, number, draft="1") == 303
    article = await draft_of(product, number)
    assert f"/workbench/answers/{article}" in (await chen.get(f"/console/tickets/{number}")).text

    editor = await seat(Role.EDITOR)
    for path in ("", "/edit"):
        found = await editor.get(f"/workbench/answers/{article}{path}")
        assert found.status_code == 200
        words = shown(found)
        assert number in words
        assert CAUSE in words
        assert "转人工" in words, "the conversation is there"
        assert "11010519491231002X" not in found.text
        assert f'href="/console/tickets/{number}"' not in found.text, "no editor may open it"
    form = await editor.get(f"/workbench/answers/{article}/edit")
    assert SOLUTION in form.text
    assert (
        f'href="/console/tickets/{number}"'
        in (await chen.get(f"/workbench/answers/{article}")).text
    )
    async with product.services.database.reading() as session:
        version = await answer_repository.version(session, article, 1)
        assert version is not None
        assert version.content["question"].startswith("门户的菜单是空的")
        assert version.content["owner"] == version.author
        noted = await audit.newest(
            session, audit.Wanted(actions=["answer_draft.made"]), before=None, limit=5
        )
    assert [(one.subject, one.detail["article_id"]) for one in noted] == [
        (f"ticket:{number}", article)
    ]


async def test_a_ticket_gives_one_draft_and_without_the_tick_none(
    product: Product, chen: Browser
) -> None:
    number = await make_ticket(product)
    await chen.get(f"/console/tickets/{number}")
    await chen.post(f"/console/tickets/{number}/claim")
    assert await resolve(chen, number) == 303
    assert await draft_of(product, number) == ""
    articles = []
    for _ in range(2):
        await product.desk("reopen", number, why="又出现了")
        answer = await product.client.post(
            f"/api/v1/tickets/{number}/resolve",
            json={"cause": CAUSE, "solution": SOLUTION, "draft": True},
            headers=await product.staff(),
        )
        assert answer.status_code == 200, answer.text
        articles.append(answer.json()["draft_id"])
    assert articles == [await draft_of(product, number)] * 2
    await product.desk("reopen", number, why="又出现了")
    page = await chen.get(f"/console/tickets/{number}", do="resolve")
    assert 'name="draft"' not in page.text


async def test_a_refused_draft_leaves_the_ticket_open_and_the_words_typed(
    product: Product, chen: Browser
) -> None:
    number = await make_ticket(product)
    await chen.get(f"/console/tickets/{number}")
    await chen.post(f"/console/tickets/{number}/claim")
    async with product.services.database.transaction() as session:
        ticket = await tickets.by_number(session, number)
        ticket.title = ticket.description = " "
    said = {"cause": CAUSE, "solution": SOLUTION, "draft": "1"}
    answer = await chen.post(f"/console/tickets/{number}/resolve", **said)
    assert answer.status_code == 422
    assert SOLUTION in answer.text
    assert "答案草稿没有做成" in answer.text
    assert "checked" in answer.text
    async with product.services.database.reading() as session:
        assert (await tickets.by_number(session, number)).status == "处理中"
    assert await resolve(chen, number) == 303
