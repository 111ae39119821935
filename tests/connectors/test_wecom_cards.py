"""Pictures, menus and pressed cards in 政务微信; what helps against each error code."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors.base import Choice, Delivery, Enclosed, Held, Menu, PermanentError, TransientError
from connectors.fake_wecom.looks import Look
from connectors.sends import StoredSends
from connectors.wecom import WecomChannel, limits
from connectors.wecom_api import FileRefused, MediaGone, WecomApi
from connectors.wecom_codes import Remedy, remedy, table
from connectors.wecom_pictures import WecomPictures
from store.session import Database
from tests.connectors.test_wecom import SETTINGS, Wecom

PNG, OTHER = b"\x89PNG\r\n\x1a\n" + b"1" * 50, b"\xff\xd8\xff" + b"2" * 50
FILES = {"a" * 64: PNG, "b" * 64: OTHER, "c" * 64: b"GIF89a......", "d" * 64: b""}
RATING = Menu("请打分", tuple(Choice(f"{n}分", f"rate:{n}") for n in range(1, 6)), needed=True)
HELPFUL = Menu("有用吗？", (Choice("有用", "helpful:2"), Choice("没用", "unhelpful:2")))


@dataclass
class Rig:
    """A channel with a database, which a new process finds as it was."""

    database: Database
    wecom: Wecom = field(default_factory=Wecom)
    settings: Any = SETTINGS

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        clock = self.wecom.clock
        api = WecomApi(self.wecom.network.client(), self.settings, clock)
        sends = StoredSends(self.database, "wecom", limits(self.settings))
        pictures = WecomPictures(api, self.database, self.picture, clock)
        self.api = api
        self.channel = WecomChannel(api, self.settings, clock, sends, pictures)

    async def picture(self, sha256: str) -> bytes | None:
        return FILES.get(sha256)

    def looks(self) -> list[Look]:
        return [one.look for one in self.wecom.fake.shown]

    def kinds(self) -> list[str]:
        return [look.kind for look in self.looks()]


@pytest.fixture
def rig(sqlite_database: Database) -> Rig:
    return Rig(sqlite_database)


def answer(key: str, *shas: str, menu: Menu | None = None) -> Delivery:
    blocks = [{"kind": "image", "sha256": sha * 64} for sha in shas]
    return Delivery(key, "u1", "answer", f"答案{key}", {"blocks": blocks}, 2, menu)


async def test_pictures_of_an_answer_follow_it_and_are_uploaded_once(rig: Rig) -> None:
    await rig.channel.send(answer("1", "a", "b", "a"))
    rig.restart()
    await rig.channel.send(answer("2", "b"))
    assert rig.kinds() == ["text", "image", "image", "text", "image"]
    assert rig.wecom.fake.uploads == 2
    rig.wecom.now += timedelta(days=2, hours=19)
    await rig.channel.send(answer("3", "b"))
    assert rig.wecom.fake.uploads == 3


async def test_a_lost_answer_to_a_picture_shows_it_once(rig: Rig) -> None:
    rig.wecom.network.failures = [httpx.ConnectError("away")]
    with pytest.raises(TransientError):
        await rig.channel.send(answer("1", "a"))
    await rig.channel.send(answer("1"))  # the words, and nothing behind them
    delivery = answer("2", "a")
    rig.wecom.fake.script = [45009]
    with pytest.raises(Held):
        await rig.channel.send(delivery)
    rig.wecom.now += timedelta(minutes=2)
    await rig.channel.send(replace(delivery))
    rig.restart()
    await rig.channel.send(delivery)  # as after a crash before it was settled
    assert rig.kinds() == ["text", "text", "image"]


async def test_a_picture_that_is_gone_is_uploaded_again_once(rig: Rig) -> None:
    await rig.channel.send(answer("1", "a"))
    rig.wecom.fake.media.items.clear()
    await rig.channel.send(answer("2", "a"))
    assert rig.kinds() == ["text", "image", "text", "image"]
    assert rig.wecom.fake.uploads == 2
    rig.wecom.fake.script = [0, 40007, 40007]
    await rig.channel.send(answer("3", "a"))  # in vain, but the words are there
    assert rig.wecom.fake.uploads == 3


@pytest.mark.parametrize("sha", ["c", "d", "e"])
async def test_what_is_no_picture_is_left_out(rig: Rig, sha: str) -> None:
    await rig.channel.send(answer("1", sha, "a"))
    assert rig.kinds() == ["text", "image"]


async def test_a_refused_upload_leaves_the_words_and_trouble_is_tried_again(rig: Rig) -> None:
    rig.wecom.fake.upload_script = [40005]
    await rig.channel.send(answer("1", "a"))
    assert rig.kinds() == ["text"]
    rig.wecom.fake.upload_script = [-1]
    with pytest.raises(TransientError):
        await rig.channel.send(answer("2", "a"))
    await rig.channel.send(answer("2", "a"))
    assert rig.kinds() == ["text", "text", "image"]


async def test_below_an_answer_is_asked_whether_it_helped(rig: Rig) -> None:
    await rig.channel.send(answer("1", menu=HELPFUL))
    text, card = rig.looks()
    assert (text.kind, card.text) == ("text", "有用吗？")
    assert [key for _, key in card.buttons] == ["helpful:2", "unhelpful:2"]
    rig.wecom.fake.settings.takes_cards = False
    await rig.channel.send(answer("2", menu=HELPFUL))
    await rig.channel.send(answer("3", menu=HELPFUL))
    assert rig.kinds() == ["text", "template_card", "text", "text"]
    assert sum(b"template_card" in r.content for r in rig.wecom.network.requests) == 2


async def test_feedback_can_be_switched_off(rig: Rig) -> None:
    rig.settings = SETTINGS.model_copy(update={"feedback": False, "max_pictures": 1})
    rig.restart()
    await rig.channel.send(answer("1", "a", "b", menu=HELPFUL))
    assert rig.kinds() == ["text", "image"]


async def test_what_must_be_chosen_is_a_card_or_a_numbered_list(rig: Rig) -> None:
    rating = Delivery("1", "u1", "rating_request", "请打分", menu=RATING)
    await rig.channel.send(rating)
    assert rig.kinds() == ["template_card"]
    rig.wecom.fake.settings.takes_cards = False
    await rig.channel.send(replace(rating, dedupe_key="2"))
    assert rig.looks()[-1].text == "请打分\n1. 1分\n2. 2分\n3. 3分\n4. 4分\n5. 5分"


async def test_labels_too_long_for_buttons_are_listed(rig: Rig) -> None:
    menu = Menu("哪一种？", (Choice("一个放不进按钮的很长选项", "say:x"),), needed=True)
    await rig.channel.send(Delivery("1", "u1", "ask", "哪一种？", menu=menu))
    assert [look.text for look in rig.looks()] == ["哪一种？\n1. 一个放不进按钮的很长选项"]


async def test_a_pressed_card_shows_what_was_chosen(rig: Rig) -> None:
    await rig.channel.send(Delivery("1", "u1", "rating_request", "请打分", menu=RATING))
    shown = rig.wecom.fake.shown[0]
    code = rig.wecom.fake.press(shown)
    await rig.channel.replace_buttons("u1", code, "已选：5分")
    assert shown.replaced == "已选：5分"
    await rig.channel.replace_buttons("u1", code, "again")  # used up; nobody is troubled
    rig.wecom.fake.settings.takes_updates = False
    with pytest.raises(TransientError):  # 48002 is for an administrator to mend
        await rig.channel.replace_buttons("u1", rig.wecom.fake.press(shown), "x")


async def test_a_build_without_updates_is_asked_once_a_day(rig: Rig) -> None:
    calls: list[str] = []

    def old(request: httpx.Request) -> httpx.Response:
        calls.append(request.url.path)
        if request.url.path.endswith("gettoken"):
            return httpx.Response(200, json={"access_token": "t", "expires_in": 7_200})
        return httpx.Response(404)

    client = httpx.AsyncClient(transport=httpx.MockTransport(old))
    channel = WecomChannel(WecomApi(client, SETTINGS, rig.wecom.clock), SETTINGS, rig.wecom.clock)
    for _ in range(3):
        await channel.replace_buttons("u1", "code", "x")
    assert len(calls) == 2


async def test_files_that_members_sent_are_fetched(rig: Rig) -> None:
    shelf = rig.wecom.fake.media
    media_id = shelf.put("file", "报错 截图.docx", "application/octet-stream", PNG, rig.wecom.now)
    found = await rig.api.fetch(media_id)
    assert (found.content, found.filename) == (PNG, "报错 截图.docx")
    rig.wecom.fake.revoke()
    await rig.channel.send(answer("1"))  # gets another token
    assert (await rig.api.fetch(media_id)).content == PNG
    with pytest.raises(MediaGone):
        await rig.api.fetch("none")
    big = shelf.put("file", "a", "text/plain", b"x" * 20 * 1024 * 1024, rig.wecom.now)
    assert len((await rig.api.fetch(big)).content) == 20 * 1024 * 1024
    shelf.items[big] = replace(shelf.items[big], content=b"x" * (20 * 1024 * 1024 + 1))
    with pytest.raises(FileRefused):
        await rig.api.fetch(big)


async def test_too_many_calls_rest_longer_each_time(rig: Rig) -> None:
    rig.wecom.fake.script = [45009, 45009, 45009, 45009]
    waits = []
    for n in range(4):
        with pytest.raises(Held) as held:
            await rig.channel.send(answer(f"{n}"))
        waits.append(held.value.wait_s)
        calls = len(rig.wecom.network.requests)
        with pytest.raises(Held):  # meanwhile nothing is called at all
            await rig.channel.send(Delivery(f"o{n}", "u2", "text", "另一人"))
        assert len(rig.wecom.network.requests) == calls
        rig.wecom.now += timedelta(seconds=held.value.wait_s)
    assert waits == [60, 600, 3_600, 3_600]
    await rig.channel.send(answer("done"))
    rig.wecom.fake.script = [45009]
    with pytest.raises(Held) as held:
        await rig.channel.send(answer("more"))
    assert held.value.wait_s == 60


@pytest.mark.parametrize("code", sorted(table()))
async def test_no_code_leaves_the_channel_by_another_exception(rig: Rig, code: int) -> None:
    rig.wecom.fake.script = [code, code]
    with pytest.raises((TransientError, PermanentError)) as raised:
        await rig.channel.send(answer("1"))
    unreachable = remedy(code) is Remedy.UNREACHABLE
    assert str(raised.value).startswith("Unreachable: ") == unreachable
    assert remedy(123_456) is Remedy.NEVER


SCREEN = Enclosed("a" * 64, "截图.png", "image/png", len(PNG), "收不了“截图.png”")
MANUAL = Enclosed("d4" * 32, "操作说明.pdf", "application/pdf", 60, "收不了“操作说明.pdf”")


def reply(key: str, *files: Enclosed, captioned: bool = True) -> Delivery:
    words = "按图里的做" if captioned else "【图片】截图.png"
    return Delivery(key, "u1", "attachment", words, files=files, captioned=captioned)


async def test_an_engineers_files_follow_the_words_and_are_uploaded_once(rig: Rig) -> None:
    FILES[MANUAL.sha256] = b"%PDF-1.7 " + b"3" * 51
    await rig.channel.send(reply("1", SCREEN, MANUAL))
    rig.restart()
    await rig.channel.send(reply("1", SCREEN, MANUAL))  # as after a crash before it was settled
    await rig.channel.send(reply("2", SCREEN, captioned=False))
    assert rig.kinds() == ["text", "image", "file", "image"]
    assert rig.wecom.fake.uploads == 2
    media = rig.wecom.fake.media.items[rig.looks()[2].media_id]
    assert (media.filename, media.content) == ("操作说明.pdf", FILES[MANUAL.sha256])


@pytest.mark.parametrize(
    ("upload", "post"), [([40005], []), ([99999], []), ([], [0, 40008])], ids=str
)
async def test_a_file_that_is_refused_is_told(rig: Rig, upload: list[int], post: list[int]) -> None:
    FILES[MANUAL.sha256] = b"%PDF-1.7 " + b"3" * 51
    rig.wecom.fake.upload_script, rig.wecom.fake.script = upload, post
    await rig.channel.send(reply("1", MANUAL))
    assert (rig.looks()[-1].kind, rig.looks()[-1].text) == ("text", MANUAL.instead)


async def test_a_file_that_is_gone_is_told(rig: Rig) -> None:
    await rig.channel.send(reply("1", replace(MANUAL, sha256="f" * 64)))
    assert rig.looks()[-1].text == MANUAL.instead


async def test_trouble_with_a_file_is_tried_again_without_repeating_the_words(rig: Rig) -> None:
    rig.wecom.fake.upload_script = [-1]
    with pytest.raises(TransientError):
        await rig.channel.send(reply("1", SCREEN))
    await rig.channel.send(reply("1", SCREEN))
    assert rig.kinds() == ["text", "image"]
