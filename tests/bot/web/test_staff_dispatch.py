"""Every verb of the API in every status, by every role, and what a stale version is told."""

from typing import Any

import httpx
import pytest

from bot import repository
from bot.tables import Role
from bot.web.staff_verbs import SHAPES
from handoff import service
from handoff.ticket import PERFORMERS, TRANSITIONS, Action, Actor, ActorKind, PauseReason, Status
from store.vocabulary import Category, Severity
from tests.bot.web.plain_browser import add, make_ticket
from tests.product import Product

#: Verbs of the API that are not in the table of shapes.
SPOKEN = {
    Action.CLAIM: "claim",
    Action.REPLY: "reply",
    Action.NOTE: "note",
    Action.RESOLVE: "resolve",
}
#: What the API leaves to others: users, the bot, and time.
ELSEWHERE = {Action.OPEN, Action.ADD_INFORMATION, Action.WITHDRAW, Action.RECALCULATE}


REPORT = {"cause": "连接池耗尽", "impact": "全市", "measures": "重启", "prevention": "扩容"}


async def account(product: Product, username: str) -> Actor:
    async with product.services.database.reading() as session:
        staff = await repository.staff_by_username(session, username)
    assert staff is not None
    return Actor(ActorKind.ENGINEER, staff.id, staff.name)


async def opened(product: Product, status: Status = Status.NEW) -> str:
    """A ticket without a conversation, brought to a status by chen, who holds it if anybody."""
    app, chen = product.services, await account(product, "chen")
    new = service.NewTicket(
        title="报表打不开",
        description="报表打不开",
        category=Category.FAULT,
        severity=Severity.GENERAL,
        contract_id="foshan",
        channel="phone",
    )
    common: dict[str, Any] = {"actor": chen, "now": app.clock(), "terms": app.terms}
    async with app.database.transaction() as session:
        ticket = await service.open_ticket(session, new, **common)
        if status is Status.DISPATCHED:
            await service.assign(session, ticket, assignee_id=chen.id, **common)
        if status is Status.MERGED:
            other = await service.open_ticket(session, new, **common)
            await service.merge(session, ticket, into=other, **common)
        if status in (Status.IN_PROGRESS, Status.SUSPENDED, Status.RESOLVED, Status.CLOSED):
            await service.claim(session, ticket, **common)
        if status is Status.SUSPENDED:
            await service.pause(session, ticket, reason=PauseReason.USER, **common)
        if status in (Status.RESOLVED, Status.CLOSED):
            await service.resolve(session, ticket, cause="甲", solution="乙", **common)
        if status is Status.CLOSED:
            await service.close(session, ticket, **common)
        assert ticket.status == status
        return ticket.number


async def bodies(product: Product) -> dict[Action, dict[str, Any]]:
    """What each verb needs."""
    lin, other = await account(product, "lin"), await opened(product)
    return {
        Action.ASSIGN: {"assignee_id": lin.id},
        Action.RELEASE: {},
        Action.TRANSFER: {"level": "二线", "why": "要改参数"},
        Action.ESCALATE: {"why": "要改数据"},
        Action.WORK_ORDER: {"order_kind": "缺陷", "order_status": "已受理"},
        Action.PAUSE: {"reason": "等用户"},
        Action.RESUME: {},
        Action.REOPEN: {"why": "又不行了"},
        Action.CLOSE: {},
        Action.CLASSIFY: {"category": "数据问题", "module": "报表"},
        Action.MARK: {"tags": ["年终", "加急"]},
        Action.ARRANGE: {"plan": "明天上午处理"},
        Action.REPORT: REPORT,
        Action.MERGE: {"into": other},
        Action.SPLIT: {"title": "另一件", "description": "另一件事"},
        Action.LINK: {"other": other},
        Action.CHANGE_SEVERITY: {"severity": "紧急", "why": "多人受影响"},
    }


async def post(
    product: Product,
    number: str,
    verb: str,
    body: dict[str, Any],
    who: str = "chen",
    **headers: str,
) -> httpx.Response:
    return await product.client.post(
        f"/api/v1/tickets/{number}/{verb}",
        json=body,
        headers={**await product.staff(who), **headers},
    )


def test_every_action_of_engineers_has_a_verb() -> None:
    theirs = {action for action, kinds in PERFORMERS.items() if ActorKind.ENGINEER in kinds}
    assert theirs - ELSEWHERE == set(SHAPES) | set(SPOKEN)


@pytest.mark.parametrize("status", list(Status))
async def test_a_verb_does_what_the_table_says(product: Product, status: Status) -> None:
    given = await bodies(product)
    for action, body in given.items():
        number = await opened(product, status)
        answer = await post(product, number, action.value, body)
        to = TRANSITIONS.get((status, action))
        if to is None or action is Action.WORK_ORDER:
            assert answer.status_code == 409, (action, answer.text)
            assert answer.json()["detail"]
            continue
        assert answer.status_code == 200, (action, answer.text)
        assert answer.json()["status"] == to, action


@pytest.mark.parametrize("role", [Role.MANAGER, Role.EDITOR, Role.REVIEWER])
async def test_who_does_not_work_on_tickets_moves_none(product: Product, role: Role) -> None:
    await add(product, role.value, role)
    number = await opened(product, Status.IN_PROGRESS)
    for action, body in (await bodies(product)).items():
        answer = await post(product, number, action.value, body, role.value)
        assert answer.status_code == 403, action


async def test_first_line_moves_no_ticket_of_a_colleague_but_operations_does(
    product: Product,
) -> None:
    await add(product, "ops", Role.OPERATIONS)
    given = await bodies(product)
    for action in (Action.TRANSFER, Action.ESCALATE, Action.RELEASE):
        number = await opened(product, Status.IN_PROGRESS)
        refused = await post(product, number, action.value, given[action], "lin")
        assert refused.status_code == 409
        assert refused.json()["type"].endswith("not_holder")
        assert (await post(product, number, action.value, given[action], "ops")).status_code == 200


async def test_a_stale_version_is_told_who_did_what(product: Product) -> None:
    number = await opened(product)
    seen = await product.client.get(f"/api/v1/tickets/{number}", headers=await product.staff("lin"))
    tag = seen.headers["etag"]
    assert (await post(product, number, "claim", {}, **{"If-Match": tag})).status_code == 200
    late = await post(product, number, "link", {"other": number}, "lin", **{"If-Match": tag})
    assert late.status_code == 412
    (news,) = late.json()["news"]
    assert (news["actor"], news["action"]) == ("陈工", "claim")
    assert late.json()["version"] == 2
    for version, current in zip((2, 4, 6, 8), ("*", '"{}"', 'W/"{}"', "{}"), strict=True):
        asked = {"If-Match": current.format(version)}
        answer = await post(product, number, "pause", {"reason": "等用户"}, **asked)
        assert answer.json()["version"] == version + 1, current
        await post(product, number, "resume", {})
    wrong = await post(product, number, "resume", {}, **{"If-Match": "latest"})
    assert wrong.status_code == 422


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("assign", {"assignee_id": "nobody"}),
        ("assign", {"assignee_id": "x" * 33}),
        ("transfer", {"why": "不说去哪"}),
        ("transfer", {"level": "二线", "assignee_id": "a", "why": "两处"}),
        ("transfer", {"level": "省厅研发组", "why": "应升级"}),
        ("transfer", {"level": "二线", "why": "  "}),
        ("escalate", {"why": "上", "level": "省厅研发组"}),
        ("escalate", {"why": "上", "level": "九线"}),
        ("pause", {"reason": "约定时间"}),
        ("pause", {"reason": "等用户", "until": "2099-01-01T00:00:00+00:00"}),
        ("pause", {"reason": "约定时间", "until": "2001-01-01T00:00:00+00:00"}),
        ("pause", {"reason": "约定时间", "until": "2099-01-01T00:00:00"}),
        ("merge", {"into": "x" * 25}),
        ("merge", {"into": "'; drop table"}),
        ("split", {"title": "", "description": "乙"}),
        ("split", {"title": "题" * 201, "description": "乙"}),
        ("report", {**REPORT, "impact": "长" * 10_001}),
        ("report", {**REPORT, "prevention": " "}),
        ("close", {"force": True}),
        ("work_order", {"order_kind": "缺陷", "order_status": "已发布"}),
        ("change_severity", {"severity": "最急", "why": "x"}),
    ],
)
async def test_senseless_bodies_change_nothing(
    product: Product, verb: str, body: dict[str, Any]
) -> None:
    number = await opened(product, Status.IN_PROGRESS)
    answer = await post(product, number, verb, body)
    assert answer.status_code == 422, answer.text
    shown = await product.client.get(f"/api/v1/tickets/{number}", headers=await product.staff())
    assert shown.json()["version"] == 2


async def test_other_tickets_that_are_not_there_are_not_found(product: Product) -> None:
    number = await opened(product, Status.IN_PROGRESS)
    for verb, body in (("merge", {"into": "CW1"}), ("link", {"other": "CW1"})):
        assert (await post(product, number, verb, body)).status_code == 404
    assert (await post(product, "CW1", "resume", {})).status_code == 404


async def test_handing_on_leaves_the_asker_in_the_queue_and_tells_them(product: Product) -> None:
    number = await make_ticket(product)
    await post(product, number, "claim", {})
    moved = await post(product, number, "transfer", {"level": "二线", "why": "要改参数"})
    assert moved.json()["owner"] == "queue"
    shown = await product.client.get(f"/api/v1/tickets/{number}", headers=await product.staff())
    lines = [m["text"] for m in shown.json()["transcript"]]
    assert any("已转给二线" in line for line in lines)
    assert not any("要改参数" in line for line in lines)


async def test_the_province_releases_and_the_asker_is_asked(product: Product) -> None:
    number = await make_ticket(product)
    await post(product, number, "claim", {})
    order = {"order_kind": "缺陷", "external_number": "QX-9"}
    up = {"why": "程序缺陷", "level": "省厅研发组", **order}
    assert (await post(product, number, "escalate", up)).json()["owner"] == "bot"
    planned = {**order, "order_status": "已排期", "release": "V5.2"}
    assert (await post(product, number, "work_order", planned)).status_code == 200
    done = {**order, "order_status": "已发布", "note": "升级到V5.2后菜单恢复，请重新登录"}
    assert (await post(product, number, "work_order", done)).json()["status"] == "已解决"
    shown = (
        await product.client.get(f"/api/v1/tickets/{number}", headers=await product.staff())
    ).json()
    assert "QX-9" in shown["cause"]
    kinds = [m["kind"] for m in shown["transcript"]]
    assert kinds[-1] == "resolved"
    assert shown["work_order"]["status"] == "已发布"


async def test_who_asked_in_a_merged_ticket_is_told_of_the_solution(product: Product) -> None:
    one, two = await make_ticket(product), await make_ticket(product)
    assert (await post(product, one, "merge", {"into": two})).status_code == 200
    await post(product, two, "claim", {})
    await post(product, two, "resolve", {"cause": "权限", "solution": "已恢复权限"})
    shown = (
        await product.client.get(f"/api/v1/tickets/{one}", headers=await product.staff())
    ).json()
    texts = [m["text"] for m in shown["transcript"]]
    assert any(two in text and "合并" in text for text in texts)
    assert any("已恢复权限" in text for text in texts)
    assert shown["owner"] == "bot"
    assert shown["relations"] == [{"relation": "merged_into", "number": two}]


async def test_a_one_time_password_opens_nothing_but_its_change(product: Product) -> None:
    await add(product, "fresh", Role.ENGINEER, must_change=True)
    headers = await product.staff("fresh")
    client = product.client
    refused = await client.get("/api/v1/tickets", headers=headers)
    assert refused.status_code == 403
    assert refused.json()["type"].endswith("password_change_required")
    for path in ("/api/v1/desk/events", "/api/v1/dead-letters"):
        assert (await client.get(path, headers=headers)).status_code == 403
    changed = {"old": "a good long password", "new": "another long password"}
    answer = await client.post("/api/v1/auth/password", json=changed, headers=headers)
    assert answer.status_code == 204
    assert (await client.get("/api/v1/tickets", headers=headers)).status_code == 200


async def test_a_new_password_ends_every_other_session(product: Product) -> None:
    client = product.client
    body = {"username": "chen", "password": "a good long password"}
    other = (await client.post("/api/v1/auth/login", json=body)).json()["token"]
    mine = await product.staff("chen")
    wrong = {"old": "not the password", "new": "another long password"}
    refused = await client.post("/api/v1/auth/password", json=wrong, headers=mine)
    assert refused.status_code == 401
    theirs = {"Authorization": f"Bearer {other}"}
    assert (await client.get("/api/v1/tickets", headers=theirs)).status_code == 200
    right = {"old": "a good long password", "new": "another long password"}
    await client.post("/api/v1/auth/password", json=right, headers=mine)
    assert (await client.get("/api/v1/tickets", headers=theirs)).status_code == 401
    assert (await client.get("/api/v1/tickets", headers=mine)).status_code == 200


async def test_takers_are_those_who_can_take_it(product: Product) -> None:
    await add(product, "editor", Role.EDITOR)
    await add(product, "second", Role.SECOND_LINE)
    number = await opened(product)
    answer = await product.client.get(
        f"/api/v1/tickets/{number}/takers", headers=await product.staff()
    )
    names = {one["name"] for one in answer.json()["takers"]}
    assert names == {"陈工", "林工", "second"}
