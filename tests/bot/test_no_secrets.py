"""Every channel is driven, well and badly, and nothing that must stay secret is found anywhere.

The other sides answer with all our secrets in their words, as verbose peers do. Looked through are
all lines of every logger at DEBUG, what was printed, and the whole database.
"""

import asyncio
import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.testing import capture_logs

from bot.alerts.authentication import signature
from bot.alerts.sources import SourceForm, SourceKind
from bot.cli.main import NOISY, quieten_libraries
from bot.clock import utc_now
from bot.notifications.admin import TestResult
from bot.notifications.tables import NotificationChannel
from bot.secrets_at_rest import SecretsSettings
from bot.settings import WebSettings
from connectors.fake_wecom.app import create_app
from connectors.fake_wecom.bots import FakeBot
from connectors.fake_wecom.platform import FakeWecom
from tests.bot.notification_builders import KEY, channel, keep, rule
from tests.bot.notification_builders import SETTINGS as NOTIFY
from tests.bot.test_alert_reading import body, raw
from tests.bot.test_alerts_http import ADMIN
from tests.bot.test_wecom_bot_callback import ADDRESS as BOT_ADDRESS
from tests.bot.test_wecom_bot_callback import SETTINGS as BOT
from tests.bot.web.test_identity_api import SECRET as PROOF_SECRET
from tests.bot.web.test_identity_api import proof
from tests.bot.wecom_platform import SETTINGS as WECOM
from tests.bot.wecom_platform import Platform, fake_settings
from tests.connectors.fake_telegram import SECRET as WEBHOOK_SECRET
from tests.connectors.fake_telegram import TOKEN, FakeTelegram, fake_telegram, message
from tests.connectors.notify_peers import HttpPeer, SmtpPeer, http_peer, smtp_peer
from tests.listening import listening
from tests.product import Chat, Product, copy_workspace, make_settings, serving

#: Numbers of nobody, with right check digits, as people type them.
PRIVATE = ("11010519491231002X", "13912345678", "6222021234567890128", "Kl7-pass-word")
#: What was asked stands in the conversation, and in no log.
TOPIC = "转账凭证"
TYPED = f"{TOPIC} {PRIVATE[0]} 电话{PRIVATE[1]} 卡{PRIVATE[2]} 密码是{PRIVATE[3]}"
#: Whom rules tell. Rules and notifications name them; logs, errors and the trail do not.
STAFF_PHONE = "13700001111"
#: Secrets of notification channels, by kind, and the plain fields beside them.
NOTIFIED: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "wecom_robot": ({"key": "robot-key-secret-1"}, {"base_url": "{at}"}),
    "dingtalk": (
        {"access_token": "ding-token-secret-2", "secret": "ding-sign-secret-3"},
        {"base_url": "{at}"},
    ),
    "webhook": ({"secret": "webhook-secret-number-4"}, {"url": "{at}/hook"}),
    "sms": (
        {"secret": "Bearer sms-secret-5"},
        {"url": "{at}/sms", "templates": {"*": "tpl"}},
    ),
    "sms_aliyun": (
        {"access_key_secret": "aliyun-secret-6"},
        {"url": "{at}", "access_key_id": "LTAI0", "sign": "CW", "templates": {"*": "SMS_1"}},
    ),
    "sms_mas": (
        {"secret_key": "mas-secret-7"},
        {"url": "{at}", "ec_name": "ec", "ap_id": "ap", "sign": "S", "templates": {"*": "t"}},
    ),
    "dingtalk_gov": (
        {"app_secret": "gov-secret-8"},
        {"base_url": "{at}", "app_key": "AK", "tenant_id": "196729"},
    ),
    "email": (
        {"password": "mail-password-9"},
        {
            "host": "127.0.0.1",
            "port": "{port}",
            "security": "none",
            "username": "helpdesk",
            "sender": "helpdesk@caiwen.example",
        },
    ),
    "wecom_app": ({}, {}),
}
RECIPIENTS = {
    "email": ["chen@caiwen.example"],
    "sms": [STAFF_PHONE],
    "sms_aliyun": [STAFF_PHONE],
    "sms_mas": [STAFF_PHONE],
    "dingtalk_gov": ["10021"],
    "wecom_app": ["chenyu"],
}
GIVEN_TOKEN = "gov-token-that-was-given-10"
HMAC_SECRET = "hmac-secret-of-grafana-11"
SECRETS = (
    *(secret for secrets, _ in NOTIFIED.values() for secret in secrets.values()),
    *(WECOM.secret, WECOM.token, WECOM.encoding_aes_key, BOT.token, BOT.encoding_aes_key),
    *(TOKEN, WEBHOOK_SECRET, PROOF_SECRET, KEY.partition(":")[2] or KEY),
    *(GIVEN_TOKEN, HMAC_SECRET),
)
FINE = {
    "errcode": 0,
    "errmsg": "ok",
    "code": 0,
    "Code": "OK",
    "rspcod": "success",
    "success": True,
    "content": {
        "success": True,
        "responseCode": "0",
        "data": {"accessToken": GIVEN_TOKEN, "expiresIn": 7200},
    },
}
TELLTALE = " ".join((*SECRETS, *PRIVATE, STAFF_PHONE))
REFUSED = {
    "errcode": 93000,
    "errmsg": TELLTALE,
    "code": 9,
    "Code": "isv.X",
    "Message": TELLTALE,
    "rspcod": TELLTALE,
    "success": False,
    "content": {"success": False, "responseCode": "9", "responseMessage": TELLTALE},
    "message": TELLTALE,
}


@dataclass
class Gate:
    """Before the platform: lets through, or answers with a status and too many words."""

    inside: ASGIApp
    status: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.status:
            return await self.inside(scope, receive, send)
        content = json.dumps({"errcode": 40013, "errmsg": TELLTALE}).encode()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": content})
        return None


@dataclass
class World:
    product: Product
    platform: FakeWecom
    gate: Gate
    callbacks: Platform
    bot: FakeBot
    telegram: FakeTelegram
    peer: HttpPeer
    relay: SmtpPeer
    #: Tokens and links that were given out on the way.
    given: list[str]

    async def quiet(self) -> None:
        """Until everything that was said is handled, and everything that leaves was tried."""
        await self.product.settle()
        waits = (
            "select count(*) from outbox_rows o"
            " where attempts = 0 and status = 'pending' and last_error is null and not exists"
            " (select 1 from outbox_rows b where b.conversation_id = o.conversation_id"
            " and b.id < o.id and b.status = 'pending') and not exists"
            # A channel that failed rests, and what else waits for it may not be tried for long.
            " (select 1 from outbox_rows b where b.kind = o.kind and b.status = 'pending'"
            " and b.last_error is not null) and not exists"
            " (select 1 from notification_channels c where c.state = 'broken'"
            " and o.kind like '%' || c.id || '%')"
        )
        for _ in range(1_200):
            await self.bot.poll()
            with closing(sqlite3.connect(self.home / "caiwen.db")) as rows:
                if rows.execute(waits).fetchone() == (0,):
                    return
            await asyncio.sleep(0.05)
        raise TimeoutError("something was never tried")

    @property
    def home(self) -> Path:
        return self.product.services.workspace.home

    def rests(self) -> str:
        """The whole database in words."""
        with closing(sqlite3.connect(self.home / "caiwen.db")) as rows:
            return "\n".join(rows.iterdump())


@pytest.fixture
async def world(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[World]:
    copy_workspace(prepared_workspace, tmp_path / "home")
    platform = FakeWecom(fake_settings(), utc_now)
    gate = Gate(create_app(platform))
    async with (
        fake_telegram() as telegram,
        http_peer(always=FINE) as peer,
        smtp_peer() as relay,
        listening(gate) as port,
    ):
        update = {
            "wecom": WECOM.model_copy(update={"base_url": f"http://127.0.0.1:{port}"}),
            "wecom_bot": BOT,
            "telegram": telegram.settings(),
            "web": WebSettings(identity_secrets={"portal": PROOF_SECRET}),
            "notify": NOTIFY.model_copy(update={"timeout_s": 15.0}),
            "secrets": SecretsSettings(keys=SecretStr(KEY)),
        }
        async with serving(make_settings(tmp_path / "home").model_copy(update=update)) as product:
            bot = FakeBot(product.client, BOT_ADDRESS, BOT.keys(), utc_now)
            callbacks = Platform(product.client)
            yield World(product, platform, gate, callbacks, bot, telegram, peer, relay, [])


@pytest.fixture
def loud() -> Iterator[None]:
    """Every library at its most talkative, as far as the program lets it."""
    before = {name: logging.getLogger(name).level for name in ("", *NOISY)}
    logging.getLogger().setLevel(logging.DEBUG)
    quieten_libraries()
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


async def test_no_secret_and_no_number_of_a_person_is_left_anywhere(
    world: World,
    loud: None,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs(processors=[structlog.processors.format_exc_info]) as lines:
        await _people_talk(world)
        channels = await _staff_is_told(world)
        await _monitors_call(world)
        await _everything_fails(world, channels)
    # The servers of this test print what they are asked for; they are the other sides.
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("aiohttp")]
    printed = capfd.readouterr()
    logged = "\n".join((str(lines), *ours, printed.out, printed.err))
    rests = world.rests()
    assert len(lines) > 50
    for secret in (*SECRETS, *world.given):
        assert secret not in logged, secret
        assert secret not in rests, secret
    for number in PRIVATE:
        assert number not in logged, number
        assert number not in rests, number
    assert TOPIC in rests
    assert TOPIC not in logged
    assert STAFF_PHONE not in logged
    _only_where_it_belongs(world)


def _only_where_it_belongs(world: World) -> None:
    """Somebody's telephone number stands in rules and notifications, in no error and no trail."""
    with closing(sqlite3.connect(world.home / "caiwen.db")) as rows:
        tables = [
            name for (name,) in rows.execute("select name from sqlite_schema where type = 'table'")
        ]
        for table in set(tables) - {"notification_rules", "notifications"}:
            found = str(rows.execute(f'select * from "{table}"').fetchall())  # noqa: S608
            assert STAFF_PHONE not in found, table


async def _people_talk(world: World) -> None:
    product = world.product
    token = proof("p")
    opened = await product.client.post("/api/v1/conversations", json={"identity": token})
    chat = Chat(product, opened.json()["conversation_id"], opened.json()["token"])
    await chat.say(TYPED)
    forged = proof("q")[:-3]
    refused = await product.client.post("/api/v1/conversations", json={"identity": forged})
    assert refused.status_code == 401
    world.given += [token, forged, chat.token]
    assert (await world.callbacks.say(TYPED)).status_code == 200
    assert (await world.callbacks.post(b"<xml><a></xml>")).status_code in (200, 400, 403)
    forged_query = {"msg_signature": "0" * 40}
    query = world.callbacks.message("text", Content=TYPED)
    assert (await world.callbacks.post(query, **forged_query)).status_code == 403
    await world.callbacks.post(world.callbacks.message("image", MediaId="nothing-there"))
    await world.bot.say("lihua", TYPED)
    world.telegram.files = {"d": ("documents/file_8.txt", b"0001")}
    document = {"file_id": "d", "file_unique_id": "d", "file_name": "a.txt"}
    for update in (
        message(1, TYPED),
        message(2, None, document=document),
        message(3, None, document={**document, "file_id": "none"}),
    ):
        for secret in (WEBHOOK_SECRET, "wrong"):
            headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
            await product.client.post("/channels/telegram/webhook", json=update, headers=headers)
    await world.quiet()
    assert world.telegram.texts("42")
    assert world.platform.texts("lihua")
    await chat.say(TOPIC, kind="human")


async def _staff_is_told(world: World) -> list[NotificationChannel]:
    made = []
    for kind, (secrets, plain) in NOTIFIED.items():
        told = json.dumps(plain).replace("{at}", world.peer.address)
        made.append(
            channel(kind, json.loads(told.replace("{port}", str(world.relay.port))), secrets)
        )
        recipients = RECIPIENTS.get(kind, [])
        await keep(
            world.product.services.database, made[-1], rule(made[-1].id, recipients=recipients)
        )
    chat = await world.product.open(phone=PRIVATE[1], name="李华")
    await chat.say(f"{TOPIC} {TYPED}")
    await chat.say("转人工", kind="human")
    await world.quiet()
    outcomes = await _tested(world, made)
    assert set(outcomes.values()) == {"sent"}, outcomes
    assert world.relay.mails
    return made


async def _tested(world: World, made: list[NotificationChannel]) -> dict[str, str]:
    admin = world.product.services.notifications.admin
    found: dict[str, str] = {}
    for one in made:
        to = (RECIPIENTS.get(one.kind) or [""])[0]
        result: TestResult = await admin.test(ADMIN, one.id, to)
        found[one.kind] = result.outcome.value
    return found


async def _monitors_call(world: World) -> None:
    desk = world.product.services.alert_desk
    for kind, form in (
        (SourceKind.ALERTMANAGER, SourceForm(name="am")),
        (SourceKind.GRAFANA, SourceForm(name="gf", hmac_secret=HMAC_SECRET)),
    ):
        source, token = await desk.add_source(ADMIN, kind, form)
        world.given.append(token)
        content = body(raw(startsAt=utc_now().isoformat()))
        for secret, used in ((HMAC_SECRET, token), ("another", token), (HMAC_SECRET, "another")):
            headers = {
                "Authorization": f"Bearer {used}",
                "X-Grafana-Alerting-Signature": signature(secret, content),
            }
            await world.product.client.post(
                f"/hooks/alerts/{source}", content=content, headers=headers
            )


async def _everything_fails(world: World, channels: list[NotificationChannel]) -> None:
    world.relay.script = {"RCPT": f"550 {TELLTALE}", "AUTH": f"535 {TELLTALE}"}
    script = [(400, {"ok": False, "error_code": 400, "description": TELLTALE})] * 9
    for answer in ((200, REFUSED), (500, REFUSED)):
        world.peer.always, world.gate.status = answer, answer[0]
        world.telegram.script = list(script)
        outcomes = await _tested(world, channels)
        taken = {kind for kind, outcome in outcomes.items() if outcome == "sent"}
        assert taken <= {"webhook"}, outcomes  # any 2xx is a webhook's yes
    world.gate.status = 200
    await world.callbacks.say(TYPED)
    headers = {"X-Telegram-Bot-Api-Secret-Token": WEBHOOK_SECRET}
    update = message(9, TYPED)
    await world.product.client.post("/channels/telegram/webhook", json=update, headers=headers)
    chat = await world.product.open()
    await chat.say(TYPED)
    await chat.say("转人工", kind="human")
    await world.quiet()
