"""The platform's side of callbacks, for tests: encrypts, signs and posts what people send."""

import itertools
import secrets
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

import httpx

from bot.clock import utc_now
from connectors.settings import WecomSettings
from connectors.wecom_crypto import CallbackKeys

CORP = "ww0123456789abcdef"
ADDRESS = "/channels/wecom/callback"
SETTINGS = WecomSettings(
    enabled=True,
    corp_id=CORP,
    agent_id=1000002,
    secret="app-secret-of-the-test",
    token="TokenOfTheTest",
    encoding_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    base_url="http://wecom.test",
)


def xml(**fields: str | int) -> str:
    parts = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items())
    return f"<xml>{parts}</xml>"


@dataclass
class Platform:
    """Posts callbacks to the product."""

    client: httpx.AsyncClient
    keys: CallbackKeys = field(default_factory=SETTINGS.keys)
    timestamp: str = field(default_factory=lambda: str(int(utc_now().timestamp())))
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(7_000_000_000))

    async def post(self, plain: str | bytes, **query: str) -> httpx.Response:
        raw = plain.encode() if isinstance(plain, str) else plain
        sealed = self.keys.seal(raw, timestamp=self.timestamp, nonce=secrets.token_hex(5))
        return await self.client.post(
            ADDRESS,
            params={
                "msg_signature": sealed.signature,
                "timestamp": sealed.timestamp,
                "nonce": sealed.nonce,
                **query,
            },
            content=xml(ToUserName=CORP, AgentID=1000002, Encrypt=sealed.encrypted),
        )

    def message(self, kind: str, user: str = "lihua", **fields: str | int) -> str:
        return xml(
            ToUserName=CORP,
            FromUserName=user,
            CreateTime=self.timestamp,
            MsgType=kind,
            **{"MsgId": next(self.numbers), "AgentID": 1000002, **fields},
        )

    def event(self, event: str, user: str = "lihua", **fields: str | int) -> str:
        return xml(
            ToUserName=CORP,
            FromUserName=user,
            CreateTime=self.timestamp,
            MsgType="event",
            Event=event,
            **{"EventKey": "", "AgentID": 1000002, **fields},
        )

    async def say(self, text: str, user: str = "lihua") -> httpx.Response:
        return await self.post(self.message("text", user, Content=text))
