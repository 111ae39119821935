"""Rules to begin with: filled forms that nothing keeps, that can be tried, and that begin off."""

import re

import pytest
from sqlalchemy import select

from bot.notifications.starters import starters as notice_starters
from bot.notifications.tables import NotificationRule
from bot.rules.starters import starters
from handoff.rule_checks import Known, check, shadowed
from tests.bot.test_notification_sending import PHRASES
from tests.bot.web.plain_browser import Browser, make_ticket, shown, typed
from tests.bot.web.test_admin_notifications import AT, World, world
from tests.bot.web.test_admin_notifications import RULES as NOTICE_RULES
from tests.bot.web.test_admin_rules import RULES, root, rules
from tests.product import Product

__all__ = ["root", "world"]


@pytest.mark.parametrize("key", list(starters(PHRASES)))
def test_each_makes_sense(key: str) -> None:
    rule = starters(PHRASES)[key]
    check(rule, Known())
    assert rule.name == PHRASES.say(f"rules.starter.{key}.name")
    assert PHRASES.has(f"rules.starter.{key}.about")


def test_together_none_hides_another() -> None:
    named = {key: rule for key, rule in starters(PHRASES).items()}
    assert len({rule.name for rule in named.values()}) == len(named)
    assert not shadowed(list(named.values()))


async def test_a_rule_begins_with_a_starter(product: Product, root: Browser) -> None:
    listed = await root.get(RULES)
    for key, rule in starters(PHRASES).items():
        assert f"{RULES}/new?starter={key}" in listed.text
        form = typed((await root.get(f"{RULES}/new", starter=key)).text)
        assert form["name"] == rule.name
        assert (await root.post(f"{RULES}/new", **{**form, "do": "save"})).status_code == 303
    made = await rules(product)
    assert [one.name for one in made] == [one.name for one in starters(PHRASES).values()]
    assert not [one for one in made if one.enabled]
    await make_ticket(product)
    form = typed((await root.get(f"{RULES}/new", starter="untaken")).text)
    tried = await root.post(f"{RULES}/new", **{**form, "do": "try"})
    await product.services.rules.runs.settle()
    assert (await root.get(tried.headers["location"])).status_code == 200
    unknown = await root.get(f"{RULES}/new", starter="nothing")
    assert (unknown.status_code, typed(unknown.text).get("name")) == (200, None)
    assert (await root.get(f"{RULES}/new", starter="<b>")).status_code == 422


async def test_a_notification_rule_begins_with_a_starter(world: World) -> None:
    assert "starter=" not in (await world.admin.get(AT)).text  # there is no channel yet
    await world.make()
    listed = await world.admin.get(AT)
    for key, filled in notice_starters(PHRASES).items():
        assert f"{NOTICE_RULES}/new?starter={key}" in listed.text
        page = await world.admin.get(f"{NOTICE_RULES}/new", starter=key)
        boxes = re.findall(r'name="(events|severities|enabled)" value="([^"]+)" checked', page.text)
        assert sorted(v for n, v in boxes if n == "events") == sorted(filled.events)
        assert not [value for name, value in boxes if name == "enabled"]
        channel = re.findall(r'<option value="([0-9a-f]{32})"', page.text)[0]
        rest = {n: v for n, v in typed(page.text).items() if n != "channel_id"}
        answer = await world.admin.post(
            f"{NOTICE_RULES}/new", **rest, channel_id=channel, events=filled.events[0]
        )
        assert answer.status_code == 303, shown(answer)
    async with world.product.services.database.reading() as session:
        made = (await session.scalars(select(NotificationRule))).all()
    assert {one.name for one in made} == {one.name for one in notice_starters(PHRASES).values()}
    assert not [one for one in made if one.enabled]
