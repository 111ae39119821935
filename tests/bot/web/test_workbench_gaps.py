"""The gap loop: asked in vain, grouped, drafted from an engineer's words, published, told."""

from dataclasses import replace

import pytest

from bot.gaps.collecting import Collected
from bot.gaps.service import SURGE
from bot.gaps.tables import GapStatus
from bot.tables import Role
from kb import answer_editing
from kb.answer_editing import Step
from kb.answer_versions import Author
from tests.bot.web.plain_browser import Seat, shown
from tests.product import Chat, Product

AT = "/workbench/gaps"
ASKED = (
    "财政专户外币利息怎么核算",
    "请问财政专户的外币利息怎么核算呢",
    "财政专户外币利息如何核算啊",
)
SOLUTION = "外币利息按月末汇率折算成人民币后入账。"


async def ask(product: Product, text: str, unit: str = "市一小") -> Chat:
    chat = await product.open(unit=unit)
    await chat.say(text)
    return chat


async def ask_all(product: Product) -> list[Chat]:
    """Three units ask about one thing that nothing answers."""
    return [await ask(product, text, f"第{n}小学") for n, text in enumerate(ASKED)]


async def number_of(chat: Chat) -> str:
    told = [m for m in await chat.read() if m["kind"] == "ticket"]
    return str(told[0]["data"]["number"])


async def the_gap(product: Product, status: GapStatus = GapStatus.OPEN) -> str:
    found = await product.services.gaps.listed(statuses=[status], least=2)
    assert len(found) == 1
    return found[0].counted.gap.id


async def test_what_several_units_ask_in_vain_becomes_one_gap(any_product: Product) -> None:
    await ask_all(any_product)
    await ask(any_product, "支付申请送审后怎么撤回")
    gaps = any_product.services.gaps
    assert await gaps.collect() == Collected(3, 1)
    assert await gaps.collect() == Collected(0, 0)
    listed = await gaps.listed(statuses=[GapStatus.OPEN], least=1)
    assert [(one.counted.size, one.counted.units, one.surge) for one in listed] == [(3, 3, True)]
    await ask(any_product, "财政专户的外币利息怎样核算", "第九小学")
    assert await gaps.collect() == Collected(1, 0)
    listed = await gaps.listed(statuses=[GapStatus.OPEN], least=1)
    assert [one.counted.size for one in listed] == [4]


@pytest.mark.parametrize(("units", "flagged"), [(3, True), (2, False), (1, False)])
async def test_a_surge_is_several_units_within_a_day(
    product: Product, units: int, flagged: bool, seat: Seat
) -> None:
    for n, text in enumerate(ASKED):
        await ask(product, text, f"第{n % units}小学")
    gaps = product.services.gaps
    await gaps.collect()
    [listed] = await gaps.listed(statuses=[GapStatus.OPEN], least=1)
    assert (listed.counted.size, listed.surge) == (3, flagged)
    page = await (await seat(Role.EDITOR)).get(AT)
    assert ("一天内多个单位都在问" in shown(page)) is flagged
    tomorrow = product.services.clock() + SURGE
    [listed] = await replace(gaps, clock=lambda: tomorrow).listed(
        statuses=[GapStatus.OPEN], least=1
    )
    assert not listed.surge


async def test_a_refused_answer_is_a_gap_too(product: Product) -> None:
    chat = await ask(product, "公务卡怎么还款")
    await chat.say("没解决")
    await ask(product, "你好")
    assert (await product.services.gaps.collect()).questions == 1
    [listed] = await product.services.gaps.listed(statuses=[GapStatus.OPEN], least=1)
    assert listed.counted.gap.title == "公务卡怎么还款"
    opened = await product.services.gaps.opened(listed.counted.gap.id)
    assert [(reason.value, count) for reason, count in opened.reasons.items()] == [
        ("not_solved", 1)
    ]


async def test_from_an_engineers_words_to_an_answer_that_askers_are_told(
    product: Product,
    seat: Seat,
) -> None:
    chats = await ask_all(product)
    number = await number_of(chats[0])
    await product.desk("claim", number)
    await product.desk("reply", number, text="我查一下口径")
    await product.desk("resolve", number, cause="指引里没有", solution=SOLUTION)
    browser = await seat(Role.EDITOR)
    assert (await browser.post(f"{AT}/collect")).headers["location"] == f"{AT}?collected=3"
    gap = await the_gap(product)
    page = await browser.get(f"{AT}/{gap}")
    assert page.status_code == 200
    assert SOLUTION in shown(page)
    assert number in page.text
    drafted = await browser.post(f"{AT}/{gap}/draft")
    article = drafted.headers["location"].rsplit("/", 1)[1]
    again = await browser.post(f"{AT}/{gap}/draft")
    assert again.headers["location"] == drafted.headers["location"]
    early = await browser.post(f"{AT}/{gap}/tell")
    assert early.status_code == 409
    await publish(product, article)
    replayed = await browser.get(f"{AT}/{gap}")
    assert "3 个问题里，3 个排在第一的就是这条答案" in shown(replayed)
    told = await browser.post(f"{AT}/{gap}/tell")
    assert told.headers["location"] == f"{AT}/{gap}?told=3"
    assert (await browser.post(f"{AT}/{gap}/tell")).headers["location"].endswith("told=0")
    for chat in chats:
        answers = [m for m in await chat.read() if m["kind"] == "answer"]
        assert len(answers) == 1
        assert SOLUTION in answers[0]["text"]
    fresh = await ask(product, ASKED[1], "第十小学")
    assert [SOLUTION in m["text"] for m in await fresh.read() if m["kind"] == "answer"] == [True]


async def publish(product: Product, article: str) -> None:
    """Two people's work: submitted by the author, approved by another."""
    now = product.services.clock()
    async with product.services.database.transaction() as session:
        author, reviewer = Author("a", "甲"), Author("b", "乙")
        done = await answer_editing.submit(session, Step(article, 1, author, now))
        await answer_editing.approve(
            session, Step(article, done.version, reviewer, now), allow_own=False
        )
    assert await product.services.publishing.refresh([article])


async def test_an_engineer_who_speaks_is_not_talked_over(product: Product, seat: Seat) -> None:
    chats = await ask_all(product)
    number = await number_of(chats[0])
    await product.desk("claim", number)
    browser = await seat(Role.EDITOR)
    await product.services.gaps.collect()
    gap = await the_gap(product)
    drafted = await browser.post(f"{AT}/{gap}/draft")
    await publish(product, drafted.headers["location"].rsplit("/", 1)[1])
    told = await browser.post(f"{AT}/{gap}/tell")
    assert told.headers["location"].endswith("told=2")
    assert not [m for m in await chats[0].read() if m["kind"] == "answer"]


async def test_a_gap_is_dismissed_with_a_reason_and_taken_up_again(
    product: Product, seat: Seat
) -> None:
    await ask_all(product)
    browser = await seat(Role.EDITOR)
    await product.services.gaps.collect()
    gap = await the_gap(product)
    await browser.get(f"{AT}/{gap}")
    await browser.post(f"{AT}/{gap}/dismiss", note="属于业务政策<b>")
    assert await the_gap(product, GapStatus.DISMISSED) == gap
    listed = await browser.get(AT, tab="dismissed")
    assert "属于业务政策&lt;b&gt;" in listed.text
    await browser.get(f"{AT}/{gap}")
    await browser.post(f"{AT}/{gap}/reopen")
    assert await the_gap(product) == gap


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.MANAGER])
async def test_others_may_look_but_not_decide(product: Product, role: Role, seat: Seat) -> None:
    await ask_all(product)
    await product.services.gaps.collect()
    gap = await the_gap(product)
    browser = await seat(role)
    page = await browser.get(f"{AT}/{gap}")
    assert page.status_code == 200
    assert "/draft" not in page.text
    for verb in ("draft", "tell", "reopen"):
        assert (await browser.post(f"{AT}/{gap}/{verb}")).status_code == 403


@pytest.mark.parametrize("path", ["/x", "/" + "f" * 32, "/" + "f" * 33, "/%00"])
async def test_addresses_of_nothing_are_pages_that_say_so(
    product: Product, path: str, seat: Seat
) -> None:
    browser = await seat(Role.EDITOR)
    answer = await browser.get(AT + path)
    assert answer.status_code in (404, 422)
    assert "Traceback" not in answer.text
