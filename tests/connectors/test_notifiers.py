"""Every way of notifying over real sockets: what arrives, and what each refusal means."""

import asyncio
import email
import email.policy
import gzip
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors import dingtalk, signed_webhook
from connectors.base import Held, PermanentError, TransientError
from connectors.dingtalk import DingtalkConfig, DingtalkRobot
from connectors.email_smtp import EmailConfig, EmailNotifier
from connectors.notify_base import Misconfigured, Notice, Notifier, Unsure
from connectors.notify_breaker import FAILURES, Breaker
from connectors.notify_text import shortened
from connectors.signed_webhook import SignedWebhook, SignedWebhookConfig
from connectors.sms_gateway import HttpSmsConfig, HttpSmsGateway, SmsNotifier
from connectors.wecom_robot import TEXT_BYTES, WecomRobot, WecomRobotConfig
from tests.connectors.notify_peers import HERE, client, http_peer, smtp_peer

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
SECRET = "a-secret-that-must-not-leak"
NOTICE = Notice(
    key="k1",
    thread="GD-1",
    title="重大工单 FS20261120-0001",
    text="全单位送审失败\n地区：禅城区",
    template="opened",
    link="https://caiwen.example/console/tickets/FS20261120-0001",
    recipient="chen@example.cn",
    values={"number": "FS20261120-0001", "severity": "重大", "event": "新工单"},
    facts={"number": "FS20261120-0001"},
)


def clock() -> datetime:
    return NOW


def robot(address: str) -> Notifier:
    return WecomRobot(client(), WecomRobotConfig(base_url=address, key=SECRET), clock)


def ding(address: str) -> Notifier:
    config = DingtalkConfig(base_url=address, access_token=SECRET, secret="this is secret")
    return DingtalkRobot(client(), config, clock)


def webhook(address: str) -> Notifier:
    return SignedWebhook(client(), SignedWebhookConfig(url=address, secret=SECRET), clock)


def sms(address: str, **more: Any) -> Notifier:
    config = HttpSmsConfig(url=address, secret=SECRET, templates={"*": "T1"}, **more)
    return SmsNotifier(HttpSmsGateway(client(), config), config, clock)


OVER_HTTP = [robot, ding, webhook, sms]


@pytest.mark.parametrize("make", OVER_HTTP)
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((500, {}), TransientError),
        ((503, b"<html>"), TransientError),
        ((429, {}, {"Retry-After": "7"}), Held),
        ((429, {}, {"Retry-After": "soon"}), Held),
        ((401, {}), Misconfigured),
        ((404, b""), Misconfigured),
        ((301, b"", {"Location": "http://127.0.0.1/"}), Misconfigured),
        ((422, {}), PermanentError),
    ],
)
async def test_statuses_are_told_apart_and_nothing_secret_is_said(
    make: Callable[[str], Notifier], answer: Any, kind: type[Exception]
) -> None:
    async with http_peer(answers=[answer]) as peer:
        notifier = make(peer.address)
        with pytest.raises((TransientError, PermanentError)) as caught:
            await notifier.send(NOTICE)
        assert type(caught.value) is kind
        said = repr(caught.value) + repr(caught.value.__cause__) + repr(notifier)
        assert SECRET not in said
        assert "127.0.0.1" not in said
        if kind is Held:
            assert isinstance(caught.value, Held)
            assert 1 <= caught.value.wait_s <= 3_600
        await notifier.send(NOTICE)
        await notifier.close()


@pytest.mark.parametrize("make", OVER_HTTP)
async def test_nobody_there_is_transient(make: Callable[[str], Notifier]) -> None:
    async with http_peer() as peer:
        address = peer.address
    notifier = make(address)
    with pytest.raises(TransientError) as caught:
        await notifier.send(NOTICE)
    assert not isinstance(caught.value, Misconfigured | Unsure)
    await notifier.close()


@pytest.mark.parametrize("make", [robot, ding])
@pytest.mark.parametrize("answer", [b"<html>", b"[]", b"{}", b'{"errcode":"0"}', b"[" * 50_000])
async def test_answers_that_are_none_are_transient(
    make: Callable[[str], Notifier], answer: bytes
) -> None:
    async with http_peer(answers=[answer]) as peer:
        notifier = make(peer.address)
        with pytest.raises(TransientError):
            await notifier.send(NOTICE)
        await notifier.close()


async def test_a_packed_or_endless_answer_is_not_unpacked() -> None:
    packed = gzip.compress(b'{"errcode":0}' + b" " * 50_000_000)
    async with http_peer() as peer:
        peer.answers = [(200, packed, {"Content-Encoding": "gzip"}), (200, b"x" * 10_000_000)]
        notifier = robot(peer.address)
        for _ in range(2):
            with pytest.raises(TransientError):
                await notifier.send(NOTICE)
        assert peer.taken[0].headers["Accept-Encoding"] == "identity"
        await notifier.close()


@pytest.mark.parametrize(
    ("make", "code", "kind"),
    [
        (robot, 93000, Misconfigured),
        (robot, 45009, Held),
        (robot, -1, TransientError),
        (robot, 40008, PermanentError),
        (ding, 310000, Misconfigured),
        (ding, 130101, Held),
        (ding, -1, TransientError),
        (ding, 400013, PermanentError),
    ],
)
async def test_error_codes_decide(
    make: Callable[[str], Notifier], code: int, kind: type[Exception]
) -> None:
    async with http_peer(answers=[{"errcode": code, "errmsg": SECRET}]) as peer:
        notifier = make(peer.address)
        with pytest.raises((TransientError, PermanentError)) as caught:
            await notifier.send(NOTICE)
        assert type(caught.value) is kind
        assert SECRET not in str(caught.value)
        await notifier.close()


async def test_the_group_robot_gets_one_text_with_its_mentions() -> None:
    async with http_peer() as peer:
        notifier = robot(peer.address)
        await notifier.send(replace(NOTICE, mentions=["13800000000"]))
        (taken,) = peer.taken
        assert taken.path == "/cgi-bin/webhook/send"
        assert taken.query == {"key": SECRET}
        assert taken.json == {
            "msgtype": "text",
            "text": {
                "content": f"{NOTICE.title}\n{NOTICE.text}\n{NOTICE.link}",
                "mentioned_mobile_list": ["13800000000"],
            },
        }
        await notifier.close()


async def test_a_robot_is_never_sent_to_faster_than_it_takes() -> None:
    async with http_peer() as peer:
        notifier = robot(peer.address)
        for _ in range(15):
            await notifier.send(NOTICE)
        with pytest.raises(Held) as caught:
            await notifier.send(NOTICE)
        assert caught.value.wait_s == 60
        urgent = replace(NOTICE, urgent=True)
        for _ in range(3):
            await notifier.send(urgent)
        with pytest.raises(Held):
            await notifier.send(urgent)
        assert len(peer.taken) == 18
        await notifier.close()


def test_long_texts_are_cut_but_links_are_whole() -> None:
    for length in (10, 600, 5_000):
        text = shortened(replace(NOTICE, text="汉" * length), TEXT_BYTES)
        assert len(text.encode()) <= TEXT_BYTES
        assert text.endswith(NOTICE.link)
        assert "\ufffd" not in text


def test_the_signature_of_dingtalk_is_as_documented() -> None:
    known = "sSFWELbV2YwjdDQhWZwTcWlX5BWUx5J6TPpsZmuPii0="
    assert dingtalk.signature("this is secret", "1700000000000") == known


async def test_dingtalk_gets_its_signature_keyword_and_mentions() -> None:
    async with http_peer() as peer:
        config = DingtalkConfig(
            base_url=peer.address, access_token=SECRET, secret="this is secret", keyword="财问"
        )
        notifier = DingtalkRobot(client(), config, clock)
        await notifier.send(replace(NOTICE, mentions=["13800000000"]))
        (taken,) = peer.taken
        stamp = str(int(NOW.timestamp() * 1000))
        assert taken.query == {
            "access_token": SECRET,
            "timestamp": stamp,
            "sign": dingtalk.signature("this is secret", stamp),
        }
        assert taken.json["text"]["content"].startswith("财问\n")
        assert taken.json["at"] == {"atMobiles": ["13800000000"], "isAtAll": False}
        await notifier.close()


async def test_who_gets_a_webhook_can_check_it() -> None:
    async with http_peer() as peer:
        notifier = webhook(f"{peer.address}/in")
        await notifier.send(NOTICE)
        (taken,) = peer.taken
        stamp = taken.headers["X-Caiwen-Timestamp"]
        expected = hmac.new(SECRET.encode(), stamp.encode() + b"." + taken.body, hashlib.sha256)
        assert taken.headers["X-Caiwen-Signature"] == f"v1={expected.hexdigest()}"
        assert signed_webhook.signature("other", stamp, taken.body) != f"v1={expected.hexdigest()}"
        assert taken.headers["X-Caiwen-Delivery"] == "k1"
        assert taken.json["facts"] == {"number": "FS20261120-0001"}
        await notifier.close()


async def test_a_webhook_whose_answer_is_lost_is_unsure() -> None:
    async with http_peer(answers=[5.0]) as peer:
        notifier = webhook(peer.address)
        with pytest.raises(Unsure):
            await notifier.send(NOTICE)
        await notifier.close()


async def test_a_short_message_is_a_template_with_values() -> None:
    async with http_peer() as peer:
        notifier = sms(peer.address, sign="财问", values=("number", "severity", "none"))
        await notifier.send(replace(NOTICE, recipient="13800000000"))
        (taken,) = peer.taken
        assert taken.headers["Authorization"] == SECRET
        assert taken.json == {
            "phone": "13800000000",
            "template_id": "T1",
            "params": {"number": "FS20261120-0001", "severity": "重大", "none": ""},
            "request_id": "k1",
            "sign": "财问",
        }
        await notifier.close()


@pytest.mark.parametrize(("drops_repeats", "kind"), [(False, PermanentError), (True, Unsure)])
async def test_a_short_message_that_may_have_gone_is_not_sent_twice(
    drops_repeats: bool, kind: type[Exception]
) -> None:
    async with http_peer(answers=[5.0]) as peer:
        notifier = sms(peer.address, drops_repeats=drops_repeats)
        with pytest.raises((PermanentError, TransientError)) as caught:
            await notifier.send(NOTICE)
        assert type(caught.value) is kind
        await notifier.close()


async def test_one_telephone_is_not_flooded_and_others_still_reached() -> None:
    async with http_peer() as peer:
        notifier = sms(peer.address)
        for _ in range(10):
            await notifier.send(NOTICE)
        with pytest.raises(Held):
            await notifier.send(NOTICE)
        await notifier.send(replace(NOTICE, recipient="13900000000"))
        await notifier.close()


async def test_a_short_message_without_number_template_or_success() -> None:
    async with http_peer(answers=[{"code": 7}]) as peer:
        notifier = sms(peer.address)
        for notice in (NOTICE, replace(NOTICE, recipient="")):
            with pytest.raises(PermanentError):
                await notifier.send(notice)
        config = HttpSmsConfig(url=peer.address, secret=SECRET, templates={"resolved": "T2"})
        other = SmsNotifier(HttpSmsGateway(client(), config), config, clock)
        with pytest.raises(PermanentError, match="template"):
            await other.send(NOTICE)
        await notifier.close()
        await other.close()


def mailer(port: int, **more: Any) -> EmailNotifier:
    config = EmailConfig(
        host="127.0.0.1",
        port=port,
        security="none",
        sender="caiwen@example.gov.cn",
        sender_name="财问\r\nBcc: x@example.cn",
        **more,
    )
    return EmailNotifier(config, HERE, clock, timeout_s=2.0)


async def test_a_mail_has_a_stable_id_a_thread_and_no_foreign_headers() -> None:
    async with smtp_peer() as peer:
        notifier = mailer(peer.port, username="u", password=SECRET)
        hostile = replace(NOTICE, title="重大\r\nBcc: evil@example.cn\n" + "长" * 500)
        await notifier.send(hostile)
        await notifier.send(hostile)
        await notifier.send(replace(hostile, key="k2"))
        first, again, other = (
            email.message_from_bytes(mail, policy=email.policy.default) for mail in peer.mails
        )
        assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]
        assert first["References"] == first["In-Reply-To"] == other["References"]
        assert first["Bcc"] is None
        assert first["To"] == "chen@example.cn"
        assert first["Auto-Submitted"] == "auto-generated"
        assert len(first["Subject"]) <= 200
        assert NOTICE.text in first.get_content().replace("\r\n", "\n")
        assert NOTICE.link in first.get_content()
        assert peer.logins[0] == ("u", SECRET)
        assert all("chen@example.cn" in line for line in peer.recipients)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ({"CONNECT": "421 busy"}, TransientError),
        ({"CONNECT": "554 not you"}, PermanentError),
        ({"AUTH": "535 wrong"}, Misconfigured),
        ({"AUTH": "454 later"}, TransientError),
        ({"MAIL": "550 not your address"}, Misconfigured),
        ({"RCPT": "450 later"}, TransientError),
        ({"RCPT": "550 nobody"}, PermanentError),
        ({"DATA": "554 no"}, PermanentError),
        ({"END": "452 full"}, TransientError),
    ],
)
async def test_refusals_of_a_relay_are_told_apart(
    script: dict[str, str], kind: type[Exception]
) -> None:
    async with smtp_peer(script=script) as peer:
        with pytest.raises((PermanentError, TransientError)) as caught:
            await mailer(peer.port, username="u", password=SECRET).send(NOTICE)
        assert type(caught.value) is kind
        assert SECRET not in str(caught.value)


async def test_a_relay_that_is_no_relay_or_lies_inside() -> None:
    async with http_peer() as peer:
        port = int(peer.address.rpartition(":")[2])
        with pytest.raises(TransientError):
            await asyncio.wait_for(mailer(port).send(NOTICE), 5)
    with pytest.raises(TransientError):
        await mailer(port).send(NOTICE)
    config = EmailConfig(host="localhost", port=port, security="none", sender="a@example.cn")
    from connectors.ssrf import AddressGuard

    with pytest.raises(Misconfigured, match="network"):
        await EmailNotifier(config, AddressGuard(), clock, timeout_s=2.0).send(NOTICE)


async def test_tls_with_an_unknown_authority_is_refused() -> None:
    async with smtp_peer() as peer:
        config = EmailConfig(host="127.0.0.1", port=peer.port, security="tls", sender="a@b.cn")
        with pytest.raises((Misconfigured, TransientError)):
            await EmailNotifier(config, HERE, clock, timeout_s=1.0).send(NOTICE)
    assert peer.mails == []


def test_the_breaker_rests_longer_each_time_and_tries_once() -> None:
    breaker, now = Breaker(), NOW
    for _ in range(FAILURES - 1):
        breaker.enter(now)
        breaker.failed(now)
    breaker.enter(now)
    breaker.failed(now)
    for rest in (30, 60, 120, 240, 480, 600, 600):
        with pytest.raises(Held) as caught:
            breaker.enter(now + timedelta(seconds=rest - 1))
        assert caught.value.wait_s == 1
        now += timedelta(seconds=rest)
        breaker.enter(now)
        with pytest.raises(Held):
            breaker.enter(now)
        breaker.failed(now)
    breaker.succeeded()
    breaker.enter(now)
    assert breaker.resting_until is None
