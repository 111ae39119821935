"""Many tickets, one fault, over HTTP: proposed, confirmed, answered at once, ended for all."""

from dataclasses import replace

import pytest

from bot.accounts.service import Principal
from bot.incidents.service import Opened
from bot.tables import Role
from handoff import incident_repository as rows
from handoff.incident import IncidentStatus, PublicWords
from handoff.incident_tables import Incident
from handoff.problem_report import ProblemReport
from store.outbox import Claimed
from store.vocabulary import Severity
from tests.product import Chat, Product
from tests.waiting import until

FAULT = "外币利息核算模块报错打不开，提示 ERR-5021 服务未启动"
UNITS = ("区教育局", "区卫健局", "镇财政所")
WORDS = PublicWords("外币利息核算暂时打不开，正在抢修。", "请先办理其他业务。")
CHEN = Principal("e-chen", "chen", "陈工", "", Role.ENGINEER, (), (), "", False)


async def incidents(product: Product, *statuses: IncidentStatus) -> list[Incident]:
    async with product.services.database.reading() as session:
        return list(await rows.with_status(session, statuses or tuple(IncidentStatus)))


async def report(product: Product, unit: str, text: str = FAULT) -> tuple[Chat, str]:
    """A ticket of a unit; its number."""
    chat = await product.open(name="张会计", unit=unit, region="禅城区")
    said = await chat.say(text)
    for _ in range(3):
        ticket = next((one for one in said if one["kind"] == "ticket"), None)
        if ticket is not None:
            return chat, ticket["data"]["number"]
        said = await chat.say("都不是", kind="human")
    raise AssertionError(said)


async def drained(product: Product) -> None:
    """Everything that left the outbox has arrived."""
    while await product.services.relay.run_once():
        pass
    await product.services.incidents.board.refresh()


async def proposed(product: Product) -> tuple[Incident, list[Chat]]:
    chats = [(await report(product, unit))[0] for unit in UNITS]

    async def there() -> bool:
        return bool(await incidents(product))

    await until(there)
    (incident,) = await incidents(product)
    return incident, chats


async def confirmed(product: Product) -> tuple[Incident, list[Chat]]:
    incident, chats = await proposed(product)
    await product.services.incidents.verbs.confirm(
        CHEN, incident.number, title="外币利息核算打不开", severity=Severity.URGENT, words=WORDS
    )
    await drained(product)

    async def told() -> bool:
        return all([await cards(chat) for chat in chats])

    await until(told)
    await product.services.incidents.board.refresh()
    return incident, chats


async def opened(product: Product, incident: Incident) -> Opened:
    return await product.services.incidents.verbs.opened(CHEN, incident.number)


async def cards(chat: Chat) -> list[str]:
    return [m["data"]["status"] for m in await chat.read() if m["kind"] == "fault"]


async def said(chat: Chat, kind: str) -> list[str]:
    return [message["text"] for message in await chat.read() if message["kind"] == kind]


async def test_three_units_propose_and_the_evidence_says_why(any_product: Product) -> None:
    product = any_product
    incident, _ = await proposed(product)
    shown = await opened(product, incident)
    assert incident.status == "待确认"
    assert incident.code == "ERR-5021"
    assert {row["unit"] for row in incident.evidence["tickets"]} == set(UNITS)
    assert shown.reach.units == 3
    assert shown.severity is not Severity.GENERAL
    board = product.services.incidents.board

    async def noticed() -> bool:
        return board.proposed_to(CHEN) == 1

    await until(noticed)
    assert board.proposed_to(replace(CHEN, modules=("工资统发",))) == (incident.module is None)
    headers = await product.staff()
    page = await product.client.get("/console", headers={**headers, "Accept": "text/html"})
    assert "1 个疑似故障事件待确认" in page.text
    assert not await cards((await report(product, "区水务局"))[0])

    async def joined() -> bool:
        return (await opened(product, incident)).reach.tickets == 4

    await until(joined)
    assert len(await incidents(product)) == 1


async def test_one_unit_again_and_again_proposes_nothing(product: Product) -> None:
    for _ in range(4):
        await report(product, "区教育局")
    await report(product, "区 教育局")
    await drained(product)
    assert await incidents(product) == []


async def test_looking_twice_changes_nothing(product: Product) -> None:
    incident, _ = await proposed(product)
    shown = await opened(product, incident)
    news = product.services.incidents.news
    for member in shown.members:
        payload = {"ticket_id": member.ticket.id, "action": "open"}
        await news.notice(Claimed(1, "ticket_event", None, payload, "x", 1, "t"))
    again = await opened(product, incident)
    assert again.incident.version == shown.incident.version
    assert len(await incidents(product)) == 1


async def test_what_was_rejected_is_not_proposed_again(product: Product) -> None:
    incident, _ = await proposed(product)
    await product.services.incidents.verbs.reject(CHEN, incident.number, "是培训时的演示")
    await report(product, "区水务局")
    await drained(product)
    assert [one.status for one in await incidents(product)] == ["已排除"]


async def test_a_known_fault_is_answered_at_once_and_its_end_is_told(any_product: Product) -> None:
    product = any_product
    incident, chats = await confirmed(product)
    asker = await product.open(name="李会计", unit="区审计局", region="顺德区")
    answer = await asker.say(FAULT)
    assert [one["kind"] for one in answer] == ["fault"]
    assert WORDS.note in answer[0]["text"]
    assert WORDS.meanwhile in answer[0]["text"]
    assert answer[0]["data"]["number"] == incident.number
    number = incident.number
    followed = await asker.say("修好了告诉我", kind="follow", number=number)
    assert "修好后" in followed[0]["text"]
    shown = await opened(product, incident)
    assert (shown.followers, shown.reach.units) == (1, 4)
    assert shown.reach.regions == ("禅城区", "顺德区")

    await product.services.incidents.verbs.resolve(
        CHEN, number, cause="服务未随升级启动", solution="已重启核算服务"
    )
    await drained(product)

    async def all_told() -> bool:
        mine = [await said(chat, "resolved") for chat in chats]
        return all(mine) and "已解决" in await cards(asker)

    await until(all_told)
    await drained(product)
    for chat in chats:
        assert len(await said(chat, "resolved")) == 1
    assert (await cards(asker)).count("已解决") == 1
    shown = await opened(product, incident)
    assert {member.ticket.status for member in shown.members} == {"已解决"}
    assert all(member.ticket.solution == "已重启核算服务" for member in shown.members)
    stranger = await product.open(unit="区统计局")
    assert "fault" not in [one["kind"] for one in await stranger.say(FAULT)]
    late = await asker.say("修好了告诉我", kind="follow", number=number)
    assert "已经处理完" in late[0]["text"]


async def test_a_delivery_that_comes_twice_tells_once(product: Product) -> None:
    incident, chats = await confirmed(product)
    verbs = product.services.incidents.verbs
    await verbs.tell(CHEN, incident.number, PublicWords("已定位，预计 11 点恢复"))

    async def told() -> bool:
        return all([len(await cards(chat)) == 2 for chat in chats])

    await until(told)
    whole = await opened(product, incident)
    seq = whole.incident.version
    for member in whole.members:
        payload = {"incident_id": incident.id, "seq": seq, "ticket_id": member.ticket.id}
        key = f"incident_ticket:{incident.id}:{seq}:{member.ticket.id}"
        again = Claimed(1, "incident_ticket", None, payload, key, 2, "t")
        await product.services.incidents.news.move_ticket(again)
    assert [len(await cards(chat)) for chat in chats] == [2, 2, 2]


async def test_who_still_wants_a_person_gets_one_and_their_ticket_belongs(product: Product) -> None:
    incident, _ = await confirmed(product)
    asker = await product.open(unit="区审计局")
    await asker.say(FAULT)
    answer = await asker.say("还是要人工", kind="human")
    ticket = next(one for one in answer if one["kind"] == "ticket")
    assert ticket["data"]["severity"] == Severity.URGENT.value
    shown = await opened(product, incident)
    found = {m.ticket.number: m.membership.belonging for m in shown.members}
    assert found[ticket["data"]["number"]] == "asked"


async def test_an_agreeing_word_follows_where_there_are_no_buttons(product: Product) -> None:
    incident, _ = await confirmed(product)
    asker = await product.open(unit="区审计局")
    await asker.say(FAULT)
    assert "修好后" in (await asker.say("好的"))[0]["text"]
    assert (await opened(product, incident)).followers == 1


@pytest.mark.parametrize("question", ["支付申请送审后怎么撤回", "公务卡怎么还款", "你好"])
async def test_other_questions_are_answered_as_ever(product: Product, question: str) -> None:
    await confirmed(product)
    asker = await product.open(unit="区审计局")
    assert "fault" not in [one["kind"] for one in await asker.say(question)]


async def test_reopening_takes_up_what_the_incident_resolved(product: Product) -> None:
    incident, chats = await confirmed(product)
    verbs = product.services.incidents.verbs
    first = (await opened(product, incident)).members[0].ticket.number
    await product.desk("claim", first)
    await product.desk("resolve", first, cause="单独原因", solution="单独解决")
    await verbs.resolve(CHEN, incident.number, cause="原因", solution="恢复了")
    await drained(product)

    async def resolved() -> bool:
        return all([await said(chat, "resolved") for chat in chats])

    await until(resolved)
    await verbs.reopen(CHEN, incident.number, "又出现了")
    await drained(product)

    async def going_on() -> bool:
        statuses = [m.ticket.status for m in (await opened(product, incident)).members]
        return statuses.count("已解决") == 1

    await until(going_on)
    kept = next(m for m in (await opened(product, incident)).members if m.ticket.number == first)
    assert (kept.ticket.status, kept.ticket.solution) == ("已解决", "单独解决")


async def test_the_review_is_the_report_of_major_tickets(product: Product) -> None:
    incident, _ = await confirmed(product)
    verbs = product.services.incidents.verbs
    await verbs.change_severity(CHEN, incident.number, Severity.MAJOR, "核心业务停了")
    await verbs.resolve(CHEN, incident.number, cause="原因", solution="恢复了")
    await verbs.review(CHEN, incident.number, ProblemReport("甲", "乙", "丙", "丁"))
    await drained(product)

    async def reported() -> bool:
        return all(m.ticket.reported_at for m in (await opened(product, incident)).members)

    await until(reported)
    assert {m.ticket.severity for m in (await opened(product, incident)).members} == {"重大"}
