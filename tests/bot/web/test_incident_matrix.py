"""Every verb on an incident in every status, and by every role: allowed as the table says."""

from datetime import timedelta
from typing import Any

import pytest

from bot.alerts.proposals import AlertProposal
from bot.conversations.greeting import LOCAL
from bot.incidents.alerts import propose
from bot.tables import Role
from bot.web.incident_verbs import VERBS
from handoff import incident_repository as rows
from handoff.incident import TRANSITIONS, IncidentStatus
from handoff.incident import IncidentAction as Action
from store.base import new_id
from store.vocabulary import Severity
from tests.bot.web.plain_browser import add
from tests.product import Product

REVIEW = {"cause": "甲", "impact": "乙", "measures": "丙", "prevention": "丁"}
#: The way to each status from a proposal.
WAYS: dict[IncidentStatus, tuple[Action, ...]] = {
    IncidentStatus.PROPOSED: (Action.ATTACH,),
    IncidentStatus.REJECTED: (Action.ATTACH, Action.REJECT),
    IncidentStatus.OPEN: (Action.ATTACH, Action.CONFIRM, Action.ADD_MEASURE),
    IncidentStatus.RESOLVED: (
        Action.ATTACH,
        Action.CONFIRM,
        Action.ADD_MEASURE,
        Action.REVIEW,
        Action.RESOLVE,
    ),
    IncidentStatus.CLOSED: (
        Action.ATTACH,
        Action.CONFIRM,
        Action.ADD_MEASURE,
        Action.REVIEW,
        Action.RESOLVE,
        Action.FINISH_MEASURE,
        Action.CLOSE,
    ),
}


class Case:
    """One incident, brought to a status, with a ticket and a measure of its own."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.number = self.ticket = ""

    async def begin(self) -> "Case":
        services, key = self.product.services, new_id()
        alert = AlertProposal(
            key, f"告警{key}", Severity.URGENT, None, "", services.clock(), "摘要"
        )
        async with services.database.transaction() as session:
            await propose(session, [alert], zone=LOCAL, now=services.clock())
            newest = (await rows.with_status(session, [IncidentStatus.PROPOSED]))[0]
        self.number = newest.number
        self.ticket = await self.logged()
        return self

    async def logged(self) -> str:
        body = {"source": "phone", "text": f"想问一下怎么打印 {new_id()}", "request_id": new_id()}
        headers = await self.product.staff()
        answer = await self.product.client.post("/api/v1/tickets", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["number"])

    async def body(self, action: Action) -> dict[str, Any]:
        due = (self.product.services.clock() + timedelta(days=7)).date().isoformat()
        match action:
            case Action.ATTACH if self.ticket in await self.members():
                return {"ticket": await self.logged()}
            case Action.ATTACH:
                return {"ticket": self.ticket}
            case Action.DETACH:
                return {"ticket": self.ticket, "why": "另一件事"}
            case Action.FINISH_MEASURE:
                measures = (await self.read())["measures"]
                return {"measure": measures[0]["id"] if measures else "0" * 32, "outcome": "好了"}
            case _:
                return {
                    Action.CONFIRM: {"title": "故障", "severity": "紧急", "note": "正在处理"},
                    Action.REJECT: {"why": "不是"},
                    Action.CHANGE_SEVERITY: {"severity": "重大", "why": "更多单位"},
                    Action.TELL: {"note": f"进展 {new_id()}"},
                    Action.RESOLVE: {"cause": "原因", "solution": "好了"},
                    Action.REOPEN: {"why": "又坏了"},
                    Action.REVIEW: REVIEW,
                    Action.ADD_MEASURE: {"text": "加监控", "owner": "王工", "due": due},
                    Action.CLOSE: {},
                }[action]

    async def read(self) -> dict[str, Any]:
        headers = await self.product.staff()
        answer = await self.product.client.get(f"/api/v1/incidents/{self.number}", headers=headers)
        body: dict[str, Any] = answer.json()
        return body

    async def members(self) -> set[str]:
        return {one["number"] for one in (await self.read())["members"]}

    async def act(self, action: Action, who: str = "chen") -> int:
        answer = await self.product.client.post(
            f"/api/v1/incidents/{self.number}/{action.value}",
            json=await self.body(action),
            headers=await self.product.staff(who),
        )
        return answer.status_code


@pytest.mark.parametrize("status", list(IncidentStatus), ids=lambda one: one.name.lower())
async def test_every_verb_in_every_status(product: Product, status: IncidentStatus) -> None:
    for action in VERBS:
        case = await Case(product).begin()
        for step in WAYS[status]:
            assert await case.act(step) == 200, step
        assert (await case.read())["status"] == status.value
        if (status, action) == (IncidentStatus.RESOLVED, Action.CLOSE):
            assert await case.act(Action.FINISH_MEASURE) == 200
        allowed = (status, action) in TRANSITIONS
        assert await case.act(action) == (200 if allowed else 409), action
        after = TRANSITIONS.get((status, action), status)
        assert (await case.read())["status"] == after.value


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.ENGINEER, 200),
        (Role.SECOND_LINE, 200),
        (Role.OPERATIONS, 200),
        (Role.ADMIN, 200),
        (Role.MANAGER, 403),
        (Role.EDITOR, 403),
        (Role.REVIEWER, 403),
    ],
)
async def test_every_role(product: Product, role: Role, expected: int) -> None:
    await add(product, "somebody", role)
    case = await Case(product).begin()
    for action in (Action.ATTACH, Action.CONFIRM, Action.TELL, Action.RESOLVE, Action.REVIEW):
        assert await case.act(action, "somebody") == expected, action
