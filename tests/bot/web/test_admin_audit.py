"""The audit trail as an administrator reads it."""

from itertools import product as product_of

import pytest

from bot.changes.service import ChangedKind, Verb
from bot.notifications.delivery import Outcome
from bot.tables import Role
from store import audit
from store.base import new_id
from tests.bot.web.plain_browser import HOSTILE, Browser, Seat, make_ticket, shown
from tests.product import NOW, Product

AUDIT = "/console/admin/audit"


@pytest.fixture
async def root(seat: Seat) -> Browser:
    return await seat(Role.ADMIN)


async def note(product: Product, count: int, *, action: str = "lexicon.saved") -> None:
    async with product.services.database.transaction() as session:
        for number in range(count):
            await audit.record(
                session,
                actor="system",
                action=action,
                subject=f"lexicon:{number:03}",
                detail={"words": HOSTILE},
                now=NOW,
            )


async def test_it_says_who_did_what_to_which_ticket(
    product: Product, root: Browser, chen: Browser
) -> None:
    number = await make_ticket(product)
    await chen.get(f"/console/tickets/{number}")
    await chen.post(f"/console/tickets/{number}/claim")
    page = await root.get(AUDIT, about=f" {number.lower()} ", group="ticket")
    words = shown(page)
    assert "陈工" in words
    assert "领取" in words
    assert "财问" in words
    assert f'href="/console/tickets/{number}"' in page.text
    assert "登录失败" not in words


async def test_everything_that_is_set_up_has_words(product: Product, root: Browser) -> None:
    has = product.services.phrases.has
    for kind, verb in product_of(ChangedKind, (Verb.ADDED, Verb.CHANGED)):
        assert has(f"audit.action.{kind.value}.{verb.value}"), (kind, verb)
        assert has(f"audit.group.{kind.value}"), kind
    for outcome in Outcome:
        assert has(f"audit.action.notification.{outcome.value}"), outcome
    rule = new_id()
    async with product.services.database.transaction() as session:
        about = {"subject": f"ticket_rule:{rule}", "action": "ticket_rule.added"}
        await audit.record(session, actor="system", detail={}, now=NOW, **about)
    page = await root.get(AUDIT, group="ticket_rule")
    assert f'href="/console/admin/ticket-rules/{rule}"' in page.text
    assert f"工单规则 …{rule[-6:]}" in shown(page)
    assert rule in (await root.get(AUDIT, about=rule)).text


async def test_it_is_narrowed_by_person_kind_and_days(product: Product, root: Browser) -> None:
    await note(product, 1)
    async with product.services.database.reading() as session:
        mine = (await session.connection()).exec_driver_sql
        (own,) = (await mine("SELECT id FROM staff WHERE username = 'admin'")).one()
    assert "修改词表" in shown(await root.get(AUDIT, group="lexicon"))
    assert "修改词表" not in shown(await root.get(AUDIT, group="staff"))
    by_me = shown(await root.get(AUDIT, who=own))
    assert "登录" in by_me
    assert "修改词表" not in by_me.partition("明细")[2]
    day = NOW.date().isoformat()
    assert "修改词表" in shown(await root.get(AUDIT, group="lexicon", since=day, until=day))
    none = await root.get(AUDIT, group="lexicon", since="2031-01-01")
    assert "没有符合条件" in shown(none)
    assert "没有符合条件" in shown(await root.get(AUDIT, until="2001-01-01"))


async def test_pages_follow_one_another_and_no_entry_is_markup(
    product: Product, root: Browser
) -> None:
    await note(product, 120)
    seen: list[str] = []
    address = f"{AUDIT}?group=lexicon"
    while address:
        page = await root.get(address)
        assert HOSTILE not in page.text
        seen += [one for one in map("{:03}".format, range(120)) if f"<td>{one}</td>" in page.text]
        _, _, rest = page.text.partition('rel="next" href="')
        address = rest.partition('"')[0].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 120


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"since": "2026-13-01"}, "日期不对"),
        ({"since": "2026-02-02", "until": "2026-02-01"}, "早于开始日期"),
    ],
)
async def test_senseless_days_are_refused_in_words(
    root: Browser, query: dict[str, str], words: str
) -> None:
    page = await root.get(AUDIT, **query)
    assert page.status_code == 422
    assert words in shown(page)


async def test_unknown_names_find_nothing(root: Browser) -> None:
    for query in ({"group": "'; drop"}, {"who": "nobody"}, {"about": HOSTILE}):
        assert "没有符合条件" in shown(await root.get(AUDIT, **query))


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.MANAGER, Role.EDITOR])
@pytest.mark.parametrize("path", [AUDIT, "/console/admin/units"])
async def test_only_administrators_see_it(seat: Seat, role: Role, path: str) -> None:
    somebody = await seat(role)
    assert (await somebody.get(path)).status_code == 403
