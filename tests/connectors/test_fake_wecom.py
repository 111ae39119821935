"""The pretended platform behaves as the vendor documents the real one."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.fake_wecom.handsets import Fate, Handsets
from connectors.fake_wecom.letters import Letters
from connectors.fake_wecom.network import FakeNetwork
from connectors.fake_wecom.platform import FakeWecom
from connectors.fake_wecom.postman import Postman, Weather
from connectors.fake_wecom.settings import FakeSettings, Member
from connectors.wecom_api import gateway_signature
from connectors.wecom_crypto import CallbackKeys, Signed
from connectors.wecom_messages import Kind, envelope, message

KEYS = CallbackKeys.of(
    token="T", encoding_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", receive_id="ww1"
)
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@dataclass
class Fake:
    now: datetime = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    platform: FakeWecom = field(init=False)
    client: httpx.AsyncClient = field(init=False)
    token: str = ""

    def __post_init__(self) -> None:
        members = {"u1": Member("u1", "李华", 2), "u2": Member("u2", "王芳", visible=False)}
        settings = FakeSettings("ww1", 7, "s", members=members, departments={2: "财政局"})
        self.platform = FakeWecom(settings, self.clock)
        self.client = FakeNetwork(self.platform).client()

    def clock(self) -> datetime:
        return self.now

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        answer = await self.client.get(f"http://w.test{path}", params=query)
        found: dict[str, Any] = answer.json()
        return found

    async def call(self, path: str, body: object = None, **query: str) -> dict[str, Any]:
        if not self.token:
            given = await self.get("/cgi-bin/gettoken", corpid="ww1", corpsecret="s")
            self.token = given["access_token"]
        address = f"http://w.test/cgi-bin/{path}"
        params = {"access_token": self.token, **query}
        if body is None:
            answer = await self.client.get(address, params=params)
        else:
            answer = await self.client.post(address, params=params, json=body)
        found: dict[str, Any] = answer.json()
        return found

    async def send(self, content: str = "你好", user: str = "u1", **over: Any) -> dict[str, Any]:
        body = {"touser": user, "agentid": 7, "msgtype": "text", "text": {"content": content}}
        return await self.call("message/send", body | over)


@pytest.fixture
def fake() -> Fake:
    return Fake()


async def test_a_token_is_the_same_while_it_is_good_and_secrets_are_not_guessed(fake: Fake) -> None:
    right = {"corpid": "ww1", "corpsecret": "s"}
    first = await fake.get("/any/prefix/cgi-bin/gettoken", **right)
    fake.now += timedelta(seconds=7_199)
    assert (await fake.get("/cgi-bin/gettoken", **right))["access_token"] == first["access_token"]
    fake.now += timedelta(seconds=1)
    assert (await fake.get("/cgi-bin/gettoken", **right))["access_token"] != first["access_token"]
    wrong = {"corpid": "ww1", "corpsecret": "guess"}
    codes = [(await fake.get("/cgi-bin/gettoken", **wrong))["errcode"] for _ in range(4)]
    assert codes == [40001, 40001, 40001, 45009]
    assert (await fake.get("/cgi-bin/gettoken", **right))["errcode"] == 45009
    fake.now += timedelta(hours=1)
    assert (await fake.get("/cgi-bin/gettoken", **right))["errcode"] == 0


async def test_texts_are_cut_by_bytes_and_the_excess_is_dropped_in_silence(fake: Fake) -> None:
    await fake.send("长" * 1_000)
    assert len(fake.platform.texts("u1")[0].encode()) == 2_046
    answers = [await fake.send(f"第{n}条") for n in range(40)]
    assert {answer["errcode"] for answer in answers} == {0}
    assert (len(fake.platform.shown), fake.platform.dropped) == (30, 11)


async def test_a_repeated_request_is_shown_once_within_its_span(fake: Fake) -> None:
    for _ in range(3):
        await fake.send("一次", enable_duplicate_check=1, duplicate_check_interval=60)
    assert len(fake.platform.shown) == 1
    fake.now += timedelta(seconds=61)
    await fake.send("一次", enable_duplicate_check=1, duplicate_check_interval=60)
    assert len(fake.platform.shown) == 2


@pytest.mark.parametrize(
    ("over", "code"),
    [
        ({"agentid": 8}, 40056),
        ({"touser": ""}, 82001),
        ({"touser": "u2|nobody"}, 81013),
        ({"msgtype": "hologram"}, 40008),
        ({"text": {"content": ""}}, 44004),
        ({"msgtype": "image", "image": {"media_id": "none"}}, 40007),
        ({"msgtype": "template_card", "template_card": {"card_type": "text_notice"}}, 42014),
    ],
)
async def test_bad_bodies_have_their_codes(fake: Fake, over: dict[str, Any], code: int) -> None:
    assert (await fake.send(**over))["errcode"] == code
    assert fake.platform.shown == []


async def test_a_partly_invalid_send_names_the_invalid_in_lower_case(fake: Fake) -> None:
    answer = await fake.send(user="u1|U9")
    assert (answer["errcode"], answer["invaliduser"]) == (0, "u9")
    assert len(fake.platform.texts("u1")) == 1


async def test_files_are_kept_three_days_and_an_error_is_json(fake: Fake) -> None:
    await fake.send()
    upload = await fake.client.post(
        "http://w.test/cgi-bin/media/upload",
        params={"access_token": fake.token, "type": "image"},
        files={"media": ("a.png", PNG, "image/png")},
    )
    media_id = upload.json()["media_id"]
    assert (await fake.send(msgtype="image", image={"media_id": media_id}))["errcode"] == 0
    query = {"access_token": fake.token, "media_id": media_id}
    got = await fake.client.get("http://w.test/cgi-bin/media/get", params=query)
    assert (got.content, got.headers["content-type"]) == (PNG, "image/png")
    fake.now += timedelta(days=3)
    fake.token = ""
    assert (await fake.call("media/get", media_id=media_id))["errcode"] == 40007


async def test_a_clicked_card_is_updated_once(fake: Fake) -> None:
    card = {
        "card_type": "button_interaction",
        "main_title": {"title": "选哪个"},
        "task_id": "t1",
        "button_list": [{"text": "1", "key": "k1"}],
    }
    sent = await fake.send(msgtype="template_card", template_card=card)
    update = {"response_code": sent["response_code"], "button": {"replace_name": "已选择"}}
    codes = [(await fake.call("message/update_template_card", update))["errcode"] for _ in range(2)]
    assert codes == [0, 40058]
    assert fake.platform.shown[0].replaced == "已选择"


async def test_a_login_code_is_good_once_and_for_five_minutes(fake: Fake) -> None:
    code = fake.platform.authorize("u1")
    assert (await fake.call("auth/getuserinfo", code=code))["userid"] == "u1"
    assert (await fake.call("auth/getuserinfo", code=code))["errcode"] == 40029
    late = fake.platform.authorize("u1")
    fake.now += timedelta(minutes=5)
    assert (await fake.call("auth/getuserinfo", code=late))["errcode"] == 40029
    assert "openid" in await fake.call("auth/getuserinfo", code=fake.platform.authorize(""))
    assert (await fake.call("user/get", userid="u1"))["name"] == "李华"
    assert (await fake.call("department/get", id="2"))["department"]["name"] == "财政局"


async def test_a_gateway_lets_only_signed_calls_through(fake: Fake) -> None:
    fake.platform.settings.gateway = ("pid", "hush", "x-tif")
    address = "http://w.test/ebus/a/cgi-bin/gettoken?corpid=ww1&corpsecret=s"
    assert (await fake.client.get(address)).status_code == 403
    told = {"x-tif-paasid": "pid", "x-tif-timestamp": "1", "x-tif-nonce": "n"}
    signature = gateway_signature("hush", "1", "n")
    signed = await fake.client.get(address, headers={**told, "x-tif-signature": signature})
    assert signed.json()["errcode"] == 0


@dataclass
class Receiver:
    """A callback address that answers from a script, then 200."""

    script: list[int | Exception] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    def answer(self, request: httpx.Request) -> httpx.Response:
        query = request.url.params
        try:
            encrypted = envelope(request.content)
            signed = Signed(query["msg_signature"], query["timestamp"], query["nonce"], encrypted)
            found = message(KEYS.open(signed))
        except Exception:
            return httpx.Response(403)
        due = self.script.pop(0) if self.script else 200
        if isinstance(due, Exception):
            raise due
        if due == 200:
            self.taken.append(found.external_id)
            assert found.kind in (Kind.TEXT, Kind.ENTER)
        return httpx.Response(due)


def phones(fake: Fake, receiver: Receiver) -> Handsets:
    client = httpx.AsyncClient(transport=httpx.MockTransport(receiver.answer))
    letters = Letters("ww1", 7, fake.clock)
    settings = fake.platform.settings
    postman = Postman(
        client, "http://p.test/cb", KEYS, letters, settings, fake.clock, sleep=receiver.sleep
    )
    return Handsets(fake.platform, postman, letters, fake.clock)


async def test_a_callback_is_tried_three_times_five_seconds_apart(fake: Fake) -> None:
    receiver = Receiver([503, httpx.ConnectError("down"), 500])
    handsets = phones(fake, receiver)
    lost = handsets.send("u1", "text", "在吗", Content="在吗")
    await handsets.settle()
    assert (lost.fate, receiver.waits, handsets.postman.lost) == (Fate.LOST, [5.0, 5.0], 1)
    receiver.script = [500]
    taken = handsets.tell("u1", "enter_agent", "进入")
    await handsets.settle()
    assert (taken.fate, len(receiver.taken)) == (Fate.TAKEN, 1)


async def test_bad_weather_repeats_delays_and_cuts_but_delivers(fake: Fake) -> None:
    receiver = Receiver()
    handsets = phones(fake, receiver)
    fake.platform.settings.retries = 40
    handsets.postman.weather = Weather(duplicate=0.5, late=0.5, truncate=0.5)
    for n in range(40):
        handsets.send("u1", "text", f"{n}", Content=f"{n}")
    await handsets.settle()
    await handsets.postman.settle()
    assert len(set(receiver.taken)) == 40
    assert len(receiver.taken) > 45  # repeated
    assert handsets.postman.posts > len(receiver.taken) + 10  # cut off
    assert [line.text for line in handsets.screen("u1")] == [f"{n}" for n in range(40)]  # type: ignore[union-attr]
