"""What could not be delivered: who sees it, who sends it again, and that it really goes out."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot import repository
from bot.dead_letters import error_class
from bot.tables import Role
from store import audit, outbox
from store.outbox import MAX_ATTEMPTS
from tests.bot.web.plain_browser import HOSTILE, Browser, add, open_browser, shown
from tests.product import Product

AT = "/console/dead-letters"
API = "/api/v1/dead-letters"
SECRET = "https://peer.example/?token=hunter2"


async def fail(product: Product, count: int = 1, *, region: str = "") -> list[int]:
    """Rows that the relay gave up on; their kind has no handler, so they never go by themselves."""
    database = product.services.database
    now = product.services.clock() - timedelta(hours=1)
    chat = await product.open(name=HOSTILE, unit="市一小", **({"region": region} if region else {}))
    async with database.transaction() as session:
        for index in range(count):
            await outbox.enqueue(
                session,
                kind="deliver",
                payload={"conversation_id": chat.id, "seq": 1},
                dedupe_key=f"test:{chat.id}:{index}",
                conversation_id=chat.id,
                available_at=now + timedelta(days=9),
            )
        await session.flush()
    async with database.transaction() as session:
        later = now + timedelta(days=10)
        lease = timedelta(seconds=1)
        rows = await outbox.claim(session, now=later, lease=lease, token="t", limit=1)
        ids = [row.id for row in rows]
        while rows:
            for row in rows:
                error = f"ConnectError: {SECRET}"
                await outbox.settle_failed(session, row, error=error, now=now)
            rows = await outbox.claim(session, now=later, lease=lease, token="t", limit=100)
            ids += [row.id for row in rows]
    return ids


async def sit_down(product: Product, role: Role) -> Browser:
    await add(product, role.value, role)
    browser = open_browser(product)
    await browser.log_in(role.value)
    return browser


async def status_of(product: Product, row_id: int) -> tuple[str, int]:
    async with product.services.database.reading() as session:
        row = await session.get(outbox.OutboxRow, row_id)
    assert row is not None
    return row.status, row.attempts


@pytest.mark.parametrize(
    ("role", "looks", "sends"),
    [
        (Role.ENGINEER, False, False),
        (Role.SECOND_LINE, False, False),
        (Role.EDITOR, False, False),
        (Role.MANAGER, True, False),
        (Role.OPERATIONS, True, True),
        (Role.ADMIN, True, True),
    ],
)
async def test_who_may_look_and_who_may_send_again(
    product: Product, role: Role, looks: bool, sends: bool
) -> None:
    row_id, *_ = await fail(product)
    browser = await sit_down(product, role)
    headers = await product.staff(role.value)
    page = await browser.get(AT)
    assert page.status_code == (200 if looks else 403)
    assert (f'data-row="{row_id}"' in page.text) is looks
    assert (f"{AT}/{row_id}/resend" in page.text) is sends
    listed = await product.client.get(API, headers=headers)
    assert listed.status_code == (200 if looks else 403)
    for path in (f"{AT}/{row_id}/resend", f"{AT}/resend"):
        if not sends:
            assert (await browser.post(path)).status_code == 403
    sent = await product.client.post(f"{API}/{row_id}/resend", headers=headers)
    assert sent.status_code == (204 if sends else 403)
    await browser.client.aclose()


async def test_the_list_says_what_to_whom_how_often_and_hides_the_peers_words(
    product: Product,
) -> None:
    await fail(product)
    browser = await sit_down(product, Role.OPERATIONS)
    page = await browser.get(AT)
    for words in ("发给用户的消息", "市一小", "网页聊天窗", "连不上对方服务", "ConnectError"):
        assert words in shown(page)
    assert HOSTILE not in page.text
    assert "hunter2" not in page.text
    answer = await product.client.get(API, headers=await product.staff("operations"))
    (letter,) = answer.json()["dead_letters"]
    assert letter["error"] == "ConnectError"
    assert letter["attempts"] == 1
    assert letter["recipient"] == HOSTILE
    assert "hunter2" not in answer.text
    await browser.client.aclose()


async def test_sending_again_gives_fresh_attempts_and_is_audited(product: Product) -> None:
    row_id, *_ = await fail(product)
    browser = await sit_down(product, Role.OPERATIONS)
    await browser.get(AT)
    answer = await browser.post(f"{AT}/{row_id}/resend")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{AT}?resent=1"
    async with product.services.database.reading() as session:
        entries = await audit.entries_of(session, f"outbox:{row_id}")
    assert [entry.action for entry in entries] == ["outbox.resent"]
    assert entries[0].actor.startswith("staff:")
    status, attempts = await status_of(product, row_id)
    # The relay runs: the greeting is there, but nothing sends to the web channel, so it may
    # have been given up again meanwhile. Either way it had a fresh set of attempts.
    assert status in ("pending", "failed")
    assert attempts <= 1 < MAX_ATTEMPTS
    await browser.client.aclose()


async def test_the_second_of_two_people_is_told(product: Product) -> None:
    row_id, *_ = await fail(product)
    async with product.services.database.transaction() as session:
        assert await outbox.resend(
            session, row_id, now=product.services.clock() + timedelta(days=1)
        )
    browser = await sit_down(product, Role.OPERATIONS)
    await browser.get(AT)
    answer = await browser.post(f"{AT}/{row_id}/resend")
    assert answer.status_code == 404
    assert "已经由同事重新发送" in answer.text
    again = await product.client.post(
        f"{API}/{row_id}/resend", headers=await product.staff("operations")
    )
    assert again.status_code == 404
    assert again.json()["type"].endswith("dead_letter_not_found")
    await browser.client.aclose()


async def test_all_of_a_page_are_sent_again_and_older_ones_have_a_page(product: Product) -> None:
    ids = await fail(product, 103)
    browser = await sit_down(product, Role.OPERATIONS)
    page = await browser.get(AT)
    assert page.text.count("data-row=") == 100
    assert "共 103 条" in shown(page)
    older = await browser.get(AT, before=str(sorted(ids)[3]))
    assert older.text.count("data-row=") == 3
    answer = await browser.post(f"{AT}/resend")
    assert answer.headers["location"] == f"{AT}?resent=100"
    await browser.client.aclose()


async def test_what_is_outside_the_scope_is_neither_shown_nor_sent(product: Product) -> None:
    inside, *_ = await fail(product, region="禅城区")
    outside, *_ = await fail(product, region="南海区")
    browser = await sit_down(product, Role.OPERATIONS)
    async with product.services.database.transaction() as session:
        found = await repository.staff_by_username(session, "operations")
        assert found is not None
        found.regions = ["禅城区"]
    page = await browser.get(AT)
    assert f'data-row="{inside}"' in page.text
    assert f'data-row="{outside}"' not in page.text
    assert (await browser.post(f"{AT}/{outside}/resend")).status_code == 404
    assert (await browser.post(f"{AT}/resend")).headers["location"] == f"{AT}?resent=1"
    assert await status_of(product, outside) == ("failed", 1)
    await browser.client.aclose()


HOSTILE_IDS: Sequence[str] = ("0", "-1", "x", "9" * 30, "1;--", "%00")


@pytest.mark.parametrize("row_id", HOSTILE_IDS)
async def test_senseless_ids_are_refused(product: Product, row_id: str) -> None:
    await add(product, "operations", Role.OPERATIONS)
    headers = await product.staff("operations")
    answer = await product.client.post(f"{API}/{row_id}/resend", headers=headers)
    assert answer.status_code in (404, 422)
    listed = await product.client.get(API, params={"before": row_id}, headers=headers)
    assert listed.status_code == 422


async def test_an_empty_list_says_what_would_be_there(product: Product) -> None:
    browser = await sit_down(product, Role.MANAGER)
    assert "没有发送失败的内容" in (await browser.get(AT)).text
    assert 'href="/console/dead-letters"' in (await browser.get("/console")).text
    await browser.client.aclose()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("ConnectError: refused", "ConnectError"),
        ("no channel web", "PermanentError"),
        ("the peer said: no", "PermanentError"),
        (None, "PermanentError"),
        ("", "PermanentError"),
    ],
)
def test_only_the_class_of_an_error_leaves(error: str | None, expected: str) -> None:
    assert error_class(error) == expected
