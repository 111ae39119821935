"""Pictures and files over HTTP: sent, read, answered, shown to engineers, kept from others."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.attachments.retention import Retention
from bot.settings import Settings
from kb.errors import PictureUnread, UnreadReason
from store import audit
from store.base import new_id
from tests.bot.attachments.readers import KnownPictures, png, screen
from tests.bot.attachments.sending import (
    fetch,
    is_answered,
    is_read,
    rows_of,
    said_to,
    send,
    show,
    ticket_with_engineer,
)
from tests.product import Chat, Product, copy_workspace, make_settings, serving
from tests.waiting import until

BALANCE, MENU, BLANK = png(1), png(2), png(3)
SCREENS = {
    BALANCE: screen("首页", "保存失败", "指标可用余额不足", "收款人手机 13800138000"),
    MENU: screen("当前位置：外星管理＞火星登记", "新增", "删除"),
}


@pytest.fixture
def pictures() -> KnownPictures:
    return KnownPictures(dict(SCREENS))


@pytest.fixture
async def desk(any_settings: Settings, pictures: KnownPictures) -> AsyncIterator[Product]:
    """The product with a reader that knows our pictures, once per kind of database."""
    async with serving(any_settings, picture_reader=pictures) as running:
        yield running


@pytest.fixture
async def small(
    prepared_workspace: Path, tmp_path: Path, pictures: KnownPictures
) -> AsyncIterator[Product]:
    """The same on SQLite, with narrow limits."""
    copy_workspace(prepared_workspace, tmp_path / "home")
    settings = make_settings(tmp_path / "home")
    limits = {"max_bytes": 20_000, "max_per_conversation": 2, "wait_s": 0.3}
    narrow = settings.attachments.model_copy(update=limits)
    async with serving(
        settings.model_copy(update={"attachments": narrow}), picture_reader=pictures
    ) as run:
        yield run


async def test_a_bare_screenshotis_answered_by_its_error(desk: Product) -> None:
    chat = await desk.open(region="城东区")
    (answer,) = await show(chat, BALANCE)
    assert answer["kind"] == "answer"
    assert answer["data"]["ref"] == "ZB03"

    mine = next(m for m in await chat.read() if m["sender"] == "user")
    assert (mine["kind"], mine["text"]) == ("attachment", "【图片】")
    (listed,) = mine["data"]["attachments"]
    assert listed["name"] == "截图.png"
    assert (listed["width"], listed["height"], listed["size"]) == (320, 200, len(BALANCE))

    given = await fetch(chat, listed["id"])
    assert given.content == BALANCE
    assert given.headers["content-type"] == "image/png"
    assert given.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in given.headers["content-security-policy"]
    assert "private" in given.headers["cache-control"]

    (row,) = await rows_of(chat)
    assert "138****8000" in row.text
    assert "13800138000" not in row.text


async def test_words_with_a_screenshot_say_what_is_wanted(small: Product) -> None:
    chat = await small.open()
    (answer,) = await show(chat, BALANCE, text="这个要怎么处理")
    assert answer["data"]["ref"] == "ZB03"
    mine = next(m for m in await chat.read() if m["sender"] == "user")
    assert mine["text"] == "这个要怎么处理"
    said = await show(chat, BALANCE, text="我要转人工")
    assert any(m["kind"] == "ticket" for m in said)


async def test_too_little_text_is_asked_about_once(small: Product) -> None:
    for picture in (MENU, BLANK):
        chat = await small.open()
        (asked,) = await show(chat, picture)
        assert asked["kind"] == "ask"
        assert "图片收到了" in asked["text"]
        (kept,) = await show(chat, BLANK)
        assert kept["kind"] == "text"
        (answer,) = await chat.say("电子票据开错了怎么冲红")
        assert answer["data"]["ref"] == "PJ01"


async def test_during_the_handoff_it_reaches_the_engineer_at_once(
    small: Product, pictures: KnownPictures
) -> None:
    chat = await small.open()
    number = await ticket_with_engineer(chat)
    pictures.go_on.clear()
    assert (await send(chat, BALANCE)).status_code == 202
    headers = await small.staff()
    ticket = (await small.client.get(f"/api/v1/tickets/{number}", headers=headers)).json()
    line = ticket["transcript"][-1]
    assert line["kind"] == "attachment"
    (listed,) = line["data"]["attachments"]
    address = f"/api/v1/tickets/{number}/attachments/{listed['id']}"
    assert (await small.client.get(address, headers=headers)).content == BALANCE
    pictures.go_on.set()
    await until(lambda: is_read(chat))
    ticket = (await small.client.get(f"/api/v1/tickets/{number}", headers=headers)).json()
    (seen,) = ticket["transcript"][-1]["files"]
    assert "指标可用余额不足" in seen["text"]
    assert seen["reading"] == "done"


async def test_in_the_queue_it_joins_the_ticket(small: Product) -> None:
    chat = await small.open()
    said = await chat.say("我要转人工", kind="human")
    number = next(m for m in said if m["kind"] == "ticket")["data"]["number"]
    answers = await show(chat, BALANCE)
    assert number in answers[0]["text"]
    assert [m["kind"] for m in answers[1:]] == ["answer"]
    headers = await small.staff()
    ticket = (await small.client.get(f"/api/v1/tickets/{number}", headers=headers)).json()
    assert any("指标可用余额不足" in json.dumps(e, ensure_ascii=False) for e in ticket["events"])


async def test_a_slow_reader_holds_nobody_up(small: Product, pictures: KnownPictures) -> None:
    chat, other = await small.open(), await small.open()
    pictures.go_on.clear()
    assert (await send(chat, BALANCE)).status_code == 202
    (answer,) = await asyncio.wait_for(said_to(other, "公务卡怎么还款"), 10)
    assert answer["data"]["ref"] == "GW02"
    # After its own patience the conversation goes on without the text.
    await asyncio.wait_for(small.settle(), 10)
    assert (await chat.read())[-1]["kind"] == "ask"
    pictures.go_on.set()


async def test_a_reader_that_fails_costs_only_the_text(
    small: Product, pictures: KnownPictures
) -> None:
    for reason in UnreadReason:
        chat = await small.open()
        pictures.known[BALANCE] = PictureUnread(reason)
        (asked,) = await show(chat, BALANCE)
        assert asked["kind"] == "ask"
        (row,) = await rows_of(chat)
        assert (row.reading, row.reading_error, row.text) == ("failed", reason.value, "")


async def test_what_a_crash_left_unreadis_read_afterwards(
    any_settings: Settings, pictures: KnownPictures
) -> None:
    pictures.go_on.clear()
    async with serving(any_settings, picture_reader=pictures) as first:
        chat = await first.open()
        assert (await send(chat, BALANCE)).status_code == 202
        # The server goes down with the picture in hand; stopping lets the reader fail.
        pictures.known[BALANCE] = PictureUnread(UnreadReason.CRASHED)
    assert pictures.interrupted
    again = KnownPictures(dict(SCREENS))
    async with serving(any_settings, picture_reader=again) as second:
        later = Chat(second, chat.id, chat.token)
        await until(lambda: is_answered(later))
        assert again.read_count == 1


async def test_the_same_upload_is_one_message(desk: Product) -> None:
    chat = await desk.open()
    answers = await asyncio.gather(*(send(chat, BALANCE, client_msg_id="one") for _ in range(4)))
    assert sorted(a.status_code for a in answers) == [200, 200, 200, 202]
    assert len({a.text for a in answers}) == 1
    await desk.settle()
    assert len(await rows_of(chat)) == 1
    assert len([m for m in await chat.read() if m["sender"] == "user"]) == 1


HOSTILE = (
    (b"", "a.png", 422, "attachment_empty"),
    (b"<script>1</script>", "a.png", 415, "attachment_unsupported"),
    (b"MZ" + bytes(90), "截图.png", 415, "attachment_unsupported"),
    (b"\x89PNG\r\n\x1a\n", "a.png", 422, "attachment_broken"),
    (bytes(20_001), "a.png", 413, "attachment_too_large"),
    (bytes(900_000), "a.png", 413, "attachment_too_large"),
)


async def test_hostile_files_leave_nothing(small: Product) -> None:
    chat = await small.open()
    for data, name, status, slug in HOSTILE:
        answer = await send(chat, data, name)
        assert answer.status_code == status
        assert answer.json()["type"].endswith(slug)
    assert await rows_of(chat) == []
    assert all(m["sender"] != "user" for m in await chat.read())


FORMS: tuple[dict[str, str], ...] = (
    {},
    {"client_msg_id": ""},
    {"client_msg_id": "x" * 101},
    {"client_msg_id": "空 格"},
)
BODIES = (
    (b"", "application/json"),
    (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
    (b"x" * 500, "multipart/form-data"),
    (b"client_msg_id=1&file=text", "application/x-www-form-urlencoded"),
)


async def test_what_is_no_upload_is_refused(small: Product) -> None:
    chat = await small.open()
    address = f"/api/v1/conversations/{chat.id}/attachments"
    for form in FORMS:
        file = {"file": ("a.png", BALANCE)}
        answer = await small.client.post(address, data=form, files=file, headers=chat.headers)
        assert answer.status_code == 422
    for content, kind in BODIES:
        headers = {**chat.headers, "content-type": kind}
        answer = await small.client.post(address, content=content, headers=headers)
        assert 400 <= answer.status_code < 500
    assert await rows_of(chat) == []


async def test_a_body_in_pieces_ends_at_the_limit(small: Product) -> None:
    chat = await small.open()

    async def pieces() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        for _ in range(400):
            yield bytes(10_000)

    answer = await small.client.post(
        f"/api/v1/conversations/{chat.id}/attachments",
        content=pieces(),
        headers={**chat.headers, "content-type": "multipart/form-data; boundary=x"},
    )
    assert answer.status_code == 413
    assert answer.json()["type"].endswith("attachment_too_large")


async def test_a_conversation_holds_so_many_files(small: Product) -> None:
    chat = await small.open()
    for shade in (10, 11):
        assert (await send(chat, png(shade))).status_code == 202
    answer = await send(chat, png(12), client_msg_id="third")
    assert answer.status_code == 409
    assert answer.json()["limit"] == 2
    await small.settle()
    assert len(await rows_of(chat)) == 2
    # A refusal is no delivery: the same message may come again without the file.
    assert (await chat.send("没有图了", client_msg_id="third")).status_code == 202


async def test_nobody_else_gets_it(small: Product) -> None:
    chat, other = await small.open(region="城东区"), await small.open()
    await show(chat, BALANCE)
    (row,) = await rows_of(chat)
    foreign = await fetch(other, row.id)
    assert foreign.status_code == 404
    assert foreign.json()["type"].endswith("attachment_not_found")
    assert (await fetch(chat, row.id, authorization="Bearer no")).status_code == 404
    assert (await fetch(chat, new_id())).status_code == 404
    assert (await fetch(chat, row.sha256)).status_code == 422
    assert (await send(Chat(small, chat.id, "no"), BALANCE)).status_code == 404
    assert (await small.client.get(f"/media/{row.sha256}")).status_code == 404
    number = await ticket_with_engineer(other)
    address = f"/api/v1/tickets/{number}/attachments/{row.id}"
    assert (await small.client.get(address, headers=await small.staff())).status_code == 404
    assert (await small.client.get(address)).status_code == 401


async def test_an_engineer_answers_with_a_file_once(small: Product) -> None:
    chat = await small.open()
    number = await ticket_with_engineer(chat)
    headers = await small.staff()
    for _ in range(2):
        answer = await small.client.post(
            f"/api/v1/tickets/{number}/attachments",
            data={"client_msg_id": "one", "text": "照这张表填"},
            files={"file": ("口径.csv", "科目,金额\n".encode())},
            headers=headers,
        )
        assert answer.status_code == 200, answer.text
    news = [m for m in await chat.read() if m["sender"] == "engineer"]
    assert [(m["kind"], m["text"]) for m in news] == [("attachment", "照这张表填")]
    (listed,) = news[0]["data"]["attachments"]
    given = await fetch(chat, listed["id"])
    assert given.headers["content-disposition"].startswith("attachment")
    assert given.headers["content-type"] == "application/octet-stream"
    foreign = await small.client.post(
        f"/api/v1/tickets/{number}/attachments",
        data={"client_msg_id": "two"},
        files={"file": ("a.png", BALANCE)},
        headers=await small.staff("lin"),
    )
    assert foreign.status_code == 409


async def test_downloads_are_audited(small: Product) -> None:
    chat = await small.open()
    number = await ticket_with_engineer(chat)
    await send(chat, BALANCE)
    (row,) = await rows_of(chat)
    address = f"/api/v1/tickets/{number}/attachments/{row.id}"
    given = await small.client.get(address, headers=await small.staff())
    assert given.headers["content-disposition"].startswith("attachment")
    async with small.services.database.reading() as session:
        found = await audit.entries_of(session, f"ticket:{number}")
    assert [(e.action, e.detail) for e in found if e.action.startswith("file")] == [
        ("file_downloaded", {"attachment_id": row.id})
    ]


async def test_time_takes_the_file_and_its_text(desk: Product) -> None:
    chat, other = await desk.open(), await desk.open()
    await show(chat, BALANCE)
    await show(other, BALANCE)
    (row,) = await rows_of(chat)
    folder = desk.services.workspace.attachments
    app = desk.services
    assert await Retention(app.database, folder, app.clock, 0).sweep() == 0
    assert await Retention(app.database, folder, app.clock, 1).sweep() == 0
    later = Retention(app.database, folder, lambda: app.clock() + timedelta(days=2), 1)
    assert await later.sweep() == 2
    assert await later.sweep() == 0
    assert not list(folder.glob("*/*"))
    (row,) = await rows_of(chat)
    assert (row.text, row.cues) == ("", "")
    assert (await fetch(chat, row.id)).status_code == 410
    assert any(m["kind"] == "attachment" for m in await chat.read())
