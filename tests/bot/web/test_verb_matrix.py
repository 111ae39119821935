"""Every verb of the API in every status by every role: allowed or refused, as the rules say."""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.tables import Role
from handoff.ticket import HOLDER_ACTIONS, TRANSITIONS, Action, Status
from tests.bot.web.plain_browser import add
from tests.bot.web.test_staff_dispatch import SPOKEN, bodies, opened, post
from tests.product import Product

#: Who acts, by account; chen holds the ticket wherever somebody does.
ACTORS: Mapping[str, Role] = {
    "chen": Role.ENGINEER,
    "lin": Role.ENGINEER,
    "second": Role.SECOND_LINE,
    "ops": Role.OPERATIONS,
    "root": Role.ADMIN,
}
READERS = (Role.MANAGER, Role.EDITOR, Role.REVIEWER)
HELD = (Status.DISPATCHED, Status.IN_PROGRESS, Status.SUSPENDED, Status.RESOLVED, Status.CLOSED)
#: What first-line engineers do only with tickets of their own or of nobody.
OWN_HANDS = {Action.ASSIGN, Action.RELEASE, Action.TRANSFER, Action.ESCALATE, Action.MERGE}


async def given(product: Product) -> dict[str, dict[str, Any]]:
    """What each verb is sent, by its name in the address."""
    words = {"text": "已经在处理"}
    spoken: dict[Action, dict[str, Any]] = {
        Action.CLAIM: {},
        Action.REPLY: words,
        Action.NOTE: words,
        Action.RESOLVE: {"cause": "甲", "solution": "乙"},
    }
    assert spoken.keys() == SPOKEN.keys()
    return {action.value: body for action, body in {**await bodies(product), **spoken}.items()}


def is_allowed(status: Status, action: Action, who: str) -> bool:
    """The rules once more, in the words of the manual."""
    held = status in HELD
    if (status, action) not in TRANSITIONS:
        # Claiming again what one works on changes nothing and is no error.
        return action is Action.CLAIM and status is Status.IN_PROGRESS and who == "chen"
    if action in (Action.WORK_ORDER, Action.REPLY):
        # These tickets have no work order at the province, and no conversation.
        return False
    if action in HOLDER_ACTIONS:
        return held and who == "chen"
    if action is Action.CLAIM or (action in OWN_HANDS and ACTORS[who] is Role.ENGINEER):
        return not held or who == "chen"
    return True


async def check(product: Product, status: Status, who: str) -> None:
    """Each verb on a ticket of its own; what was refused has changed nothing."""
    untouched = await opened(product, status)
    for verb, body in (await given(product)).items():
        allowed = is_allowed(status, Action(verb), who)
        number = await opened(product, status) if allowed else untouched
        answer = await post(product, number, verb, body, who)
        assert answer.status_code == (200 if allowed else 409), (verb, answer.text)
        assert allowed or answer.json()["detail"], verb
    await expect_untouched(product, untouched, status)


async def expect_untouched(product: Product, number: str, status: Status) -> None:
    headers = await product.staff()
    shown = (await product.client.get(f"/api/v1/tickets/{number}", headers=headers)).json()
    assert (shown["status"], shown["version"]) == (status, len(shown["events"]))
    fresh = await opened(product, status)
    other = (await product.client.get(f"/api/v1/tickets/{fresh}", headers=headers)).json()
    assert shown["version"] == other["version"]


async def add_all(product: Product) -> None:
    for who, role in ACTORS.items():
        if who not in ("chen", "lin"):
            await add(product, who, role)


#: By default each status is tried by one who does not hold it, all roles being tried by somebody.
SOME = list(zip(Status, ("second", "lin", "ops", "root", "second", "lin", "ops"), strict=True))


@pytest.mark.parametrize(
    ("status", "who"), SOME, ids=[f"{s.name}-{who}".lower() for s, who in SOME]
)
async def test_every_verb_in_every_status(product: Product, status: Status, who: str) -> None:
    await add_all(product)
    await check(product, status, who)


@pytest.mark.slow
@pytest.mark.parametrize("who", list(ACTORS))
async def test_every_verb_in_every_status_by_everybody(product: Product, who: str) -> None:
    await add_all(product)
    for status in Status:
        await check(product, status, who)


async def test_who_only_reads_moves_nothing_in_any_status(product: Product) -> None:
    for role in READERS:
        await add(product, role.value, role)
    verbs = await given(product)
    for status in Status:
        number = await opened(product, status)
        for role in READERS:
            for verb, body in verbs.items():
                answer = await post(product, number, verb, body, role.value)
                assert answer.status_code == 403, (status, role, verb)
        await expect_untouched(product, number, status)


async def test_nobody_without_a_login_moves_anything(product: Product) -> None:
    number = await opened(product)
    for verb, body in (await given(product)).items():
        answer = await product.client.post(f"/api/v1/tickets/{number}/{verb}", json=body)
        assert answer.status_code == 401, verb
