"""The main job over HTTP on both databases: ask, be answered with the source, get a person."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.product import Chat, Product


def only(messages: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    found = [message for message in messages if message["kind"] == kind]
    assert len(found) == 1, [m["kind"] for m in messages]
    return found[0]


async def ticket_of(chat: Chat, text: str = "财政专户外币利息怎么核算") -> str:
    """The ticket that a question without an answer ends in, offers declined on the way."""
    said = await chat.say(text)
    while not (tickets := [m for m in said if m["kind"] == "ticket"]):
        said = await chat.say("都不是", kind="none_of_these")
    number: str = tickets[0]["data"]["number"]
    return number


async def test_the_whole_way_from_question_to_stars(any_product: Product) -> None:
    chat = await any_product.open(name="李会计", unit="禾城市教育局", region="城东区")
    (greeting,) = await chat.read()
    assert greeting["kind"] == "greeting"
    assert len(greeting["data"]["hot_questions"]) == 6

    answer = only(await chat.say("UKey插上没有反应怎么办"), "answer")
    assert answer["data"]["ref"] == "CA01"
    assert answer["data"]["source"]["guide"] == "常见问题"
    assert "出处" in answer["text"]

    number = await ticket_of(chat)
    state = await chat.state()
    assert state["owner"] == "queue"
    card = only(state["messages"], "ticket")
    assert card["data"]["severity"] in ("一般", "紧急", "重大")
    assert "前首次响应" in card["data"]["promise"]

    listed = await any_product.client.get("/api/v1/tickets", headers=await any_product.staff())
    assert [row["number"] for row in listed.json()["tickets"]] == [number]
    claimed = await any_product.desk("claim", number)
    assert claimed.json()["owner"] == "engineer"
    whole = await any_product.client.get(
        f"/api/v1/tickets/{number}", headers=await any_product.staff()
    )
    ticket = whole.json()
    said = [line["text"] for line in ticket["transcript"]]
    assert "UKey插上没有反应怎么办" in said
    assert ticket["turns"][0]["search"][0]["found"]
    assert ticket["deadlines"][0]["why"]
    assert len(ticket["summary"]) == 3

    replied = await any_product.desk("reply", number, text="请把单据号发我看看")
    assert replied.status_code == 200
    await any_product.desk("note", number, text="疑似口径问题")
    newest = (await chat.read())[-1]
    assert newest["sender"] == "engineer"
    assert newest["data"]["name"] == "陈工"
    assert "疑似口径问题" not in json.dumps(await chat.read(), ensure_ascii=False)

    silent = await chat.send("单号是12345")
    assert silent.status_code == 202
    await any_product.settle()
    assert (await chat.read())[-1]["sender"] == "user"  # the bot does not speak between people

    resolved = await any_product.desk(
        "resolve", number, cause="口径不清", solution="按月末汇率折算"
    )
    assert resolved.json()["status"] == "已解决"
    kinds = [message["kind"] for message in await chat.read(newest["seq"])]
    assert kinds == ["text", "resolved", "returned"]
    assert (await chat.state())["owner"] == "bot"
    confirmed = await chat.say("已解决", kind="confirm", number=number)
    assert [message["kind"] for message in confirmed] == ["text", "rating_request"]
    thanked = await chat.say("5 星", kind="rate", stars=5, comment="很快")
    assert thanked[-1]["text"] == "谢谢您的评价！"


async def test_a_guide_answers_with_steps_picture_and_section(product: Product) -> None:
    chat = await product.open()
    messages = await chat.say("退付申请录入")
    if messages[0]["kind"] == "offer":
        choice = next(c for c in messages[0]["data"]["candidates"] if "退付申请录入" in c["title"])
        messages = await chat.say(choice["title"], kind="choose", answer_id=choice["answer_id"])
    answer = only(messages, "answer")
    source = answer["data"]["source"]
    assert source["guide"] == "非税收入退付操作手册"
    assert source["version"] == "V1.1"
    assert "退付申请录入" in source["section"]
    image = next(b for b in answer["data"]["blocks"] if b["kind"] == "image")
    shown = await product.client.get(image["url"])
    assert shown.status_code == 200
    assert shown.headers["content-type"] == "image/png"
    assert shown.headers["x-content-type-options"] == "nosniff"


async def test_the_same_message_is_recorded_once(any_product: Product) -> None:
    chat = await any_product.open()
    first = await chat.send("公务卡怎么还款", client_msg_id="m-1")
    assert first.status_code == 202
    await any_product.settle()
    again = await chat.send("something else", client_msg_id="m-1")
    assert again.status_code == 200
    assert again.json() == first.json()
    at_once = await asyncio.gather(
        *(chat.send("年终结转结余怎么办理", client_msg_id="m-2") for _ in range(8))
    )
    assert sorted(a.status_code for a in at_once) == [200] * 7 + [202]
    await any_product.settle()
    users = [m for m in await chat.read() if m["sender"] == "user"]
    assert [m["data"]["client_msg_id"] for m in users] == ["m-1", "m-2"]


async def test_messages_of_one_conversation_are_answered_in_order(any_product: Product) -> None:
    chats = [await any_product.open() for _ in range(5)]
    questions = ["公务卡怎么还款", "UKey插上没有反应怎么办", "年终结转结余怎么办理"]
    for question in questions:
        await asyncio.gather(*(chat.send(question) for chat in chats))
    await any_product.settle()
    for chat in chats:
        answers = [m["data"]["ref"] for m in await chat.read() if m["kind"] == "answer"]
        assert answers == ["GW02", "CA01", "JZ01"]
        seqs = [m["seq"] for m in await chat.read()]
        assert seqs == list(range(1, len(seqs) + 1))


async def test_of_two_engineers_exactly_one_claims(any_product: Product) -> None:
    chat = await any_product.open()
    number = await ticket_of(chat)
    await any_product.staff("chen")
    await any_product.staff("lin")
    both = await asyncio.gather(
        any_product.desk("claim", number, "chen"), any_product.desk("claim", number, "lin")
    )
    assert sorted(answer.status_code for answer in both) == [200, 409]
    loser = "lin" if both[0].status_code == 200 else "chen"
    refused = await any_product.desk("reply", number, loser, text="我来")
    assert refused.status_code == 409
    joined = [m for m in await chat.read() if m["kind"] == "joined"]
    assert len(joined) == 1


async def test_the_same_problem_again_adds_to_the_open_ticket(product: Product) -> None:
    chat = await product.open()
    number = await ticket_of(chat, "预算编制里面导出按钮一直报错导不出来")
    again = await chat.say("预算编制里面导出按钮还是报错导不出来")
    assert number in again[0]["text"]
    assert not [m for m in again if m["kind"] == "ticket"]


async def test_a_collecting_entry_asks_for_details_and_opens_a_ticket(product: Product) -> None:
    chat = await product.open()
    messages = await chat.say("登录后一个菜单都没有")
    ticket = only(messages, "ticket")
    assert ticket["data"]["category"] == "权限账号"
    assert not [m for m in messages if m["kind"] == "answer"]


async def test_feedback_and_next_best(product: Product) -> None:
    chat = await product.open()
    answer = only(await chat.say("指标可用余额不足怎么处理"), "answer")
    thanked = await chat.say("有用", kind="helpful", seq=answer["seq"])
    assert thanked[0]["text"] == "谢谢反馈！"
    next_one = await chat.say("没用", kind="unhelpful", seq=answer["seq"])
    assert next_one[0]["kind"] in ("offer", "ticket")


async def test_identity_numbers_never_rest(product: Product) -> None:
    chat = await product.open(phone="13800138000")
    secret = "11010519491231002X"
    said = await chat.say(f"身份证{secret}登录不了怎么办")
    assert any("打码" in m["text"] for m in said)
    assert secret not in json.dumps(await chat.read())
    stored = (product.services.settings.home / "caiwen.db").read_bytes()
    wal = product.services.settings.home / "caiwen.db-wal"
    stored += wal.read_bytes() if wal.exists() else b""
    assert secret.encode() not in stored
    assert b"13800138000" not in stored


@pytest.mark.parametrize(
    "text",
    ["", "   ", "😀😀", "\x00\x01\x02", "急" * 10_000, "<script>alert(1)</script>", "' OR 1=1 --"],
)
async def test_odd_input_is_answered(product: Product, text: str) -> None:
    chat = await product.open()
    said = await chat.say(text)
    assert said
    assert (await chat.read())[1]["text"] == text


async def test_malformed_requests_get_problem_json(product: Product) -> None:
    chat = await product.open()
    path = f"/api/v1/conversations/{chat.id}/messages"
    post = product.client.post
    bad: list[httpx.Response] = [
        await post(path, content=b"{", headers=chat.headers),
        await post(path, json={"text": "x"}, headers=chat.headers),
        await post(path, json={"client_msg_id": "a b", "text": "x"}, headers=chat.headers),
        await post(path, json={"client_msg_id": "1", "text": 5}, headers=chat.headers),
        await post(
            path,
            json={"client_msg_id": "1", "text": "x", "action": {"kind": "drop"}},
            headers=chat.headers,
        ),
    ]
    assert {answer.status_code for answer in bad} == {422}
    for answer in bad:
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json()) >= {"type", "title", "status", "detail"}
    long = await chat.send("长" * 20_001)
    assert long.status_code == 413
    huge = await post(path, content=b"x" * 2_000_000, headers=chat.headers)
    assert huge.status_code == 413
    assert [m["kind"] for m in await chat.read()] == ["greeting"]


async def test_a_conversation_opens_only_with_its_own_token(product: Product) -> None:
    mine, other = await product.open(), await product.open()
    path = f"/api/v1/conversations/{mine.id}/messages"
    for headers in ({}, other.headers, {"Authorization": "Bearer x"}, {"Authorization": "Basic x"}):
        answer = await product.client.get(path, headers=headers)
        assert answer.status_code == 404
    unknown = await product.client.get("/api/v1/conversations/nope/messages", headers=mine.headers)
    assert unknown.status_code == 404
    by_query = await product.client.get(path, params={"token": mine.token})
    assert by_query.status_code == 404  # only the stream may carry it in its address


async def test_staff_doors_are_closed_to_others(product: Product) -> None:
    chat = await product.open()
    number = await ticket_of(chat)
    get, post = product.client.get, product.client.post
    assert (await get("/api/v1/tickets")).status_code == 401
    assert (await get(f"/api/v1/tickets/{number}", headers=chat.headers)).status_code == 401
    assert (await post(f"/api/v1/tickets/{number}/claim")).status_code == 401
    missing = await get("/api/v1/tickets/CW20990101-0001", headers=await product.staff())
    assert missing.status_code == 404
    unclaimed = await product.desk("reply", number, text="没有接单就回复")
    assert unclaimed.status_code == 409
    empty = await product.desk("note", number, text="   ")
    assert empty.status_code == 422


async def test_five_wrong_passwords_lock_the_account(product: Product) -> None:
    async def attempt(password: str, name: str = "lin") -> httpx.Response:
        return await product.client.post(
            "/api/v1/auth/login", json={"username": name, "password": password}
        )

    wrong = [(await attempt("wrong")).status_code for _ in range(5)]
    assert wrong == [401, 401, 401, 401, 429]
    locked = await attempt("a good long password")
    assert locked.status_code == 429
    assert int(locked.headers["retry-after"]) > 0
    assert (await attempt("x", "nobody")).json()["title"] == "登录失败"
    assert (await attempt("a good long password", "chen")).status_code == 200


async def test_health_and_figures(product: Product) -> None:
    assert (await product.client.get("/healthz")).json() == {"status": "ok"}
    assert (await product.client.get("/readyz")).status_code == 200
    chat = await product.open()
    await chat.say("公务卡怎么还款")
    figures = (await product.client.get("/metrics")).text
    assert 'caiwen_messages_total{outcome="done"} 1.0' in figures
    spec = (await product.client.get("/openapi.json")).json()
    assert "/api/v1/conversations/{conversation_id}/messages" in spec["paths"]


async def test_an_engineer_gives_the_word_back_and_takes_it_again(product: Product) -> None:
    chat = await product.open()
    number = await ticket_of(chat)
    await product.desk("claim", number)
    given = await product.desk("return", number)
    assert given.json()["owner"] == "bot"
    assert only(await chat.say("公务卡怎么还款"), "answer")["data"]["ref"] == "GW02"
    await chat.say("转人工", kind="human")
    assert (await chat.state())["owner"] == "queue"
    again = await product.desk("claim", number)
    assert again.json()["owner"] == "engineer"
    assert (await product.desk("reply", number, text="我在")).status_code == 200
