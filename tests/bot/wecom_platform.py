"""The platform's side of callbacks, for tests: encrypts, signs and posts what people send."""

import secrets
from dataclasses import dataclass, field

import httpx

from bot.clock import utc_now
from connectors.fake_wecom.letters import Letters
from connectors.fake_wecom.settings import FakeSettings
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


def fake_settings() -> FakeSettings:
    """A platform that knows the application of these settings."""
    return FakeSettings(SETTINGS.corp_id, SETTINGS.agent_id, SETTINGS.secret)


@dataclass
class Platform:
    """Posts callbacks to the product, once each; :class:`Postman` is the patient one."""

    client: httpx.AsyncClient
    keys: CallbackKeys = field(default_factory=SETTINGS.keys)
    timestamp: str = field(default_factory=lambda: str(int(utc_now().timestamp())))
    letters: Letters = field(default_factory=lambda: Letters(CORP, 1000002, utc_now))

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
            content=self.letters.envelope(sealed.encrypted),
        )

    def message(self, kind: str, user: str = "lihua", **fields: str | int) -> str:
        return self.letters.message(kind, user, **{"CreateTime": self.timestamp} | fields)

    def event(self, event: str, user: str = "lihua", **fields: str | int) -> str:
        return self.letters.event(event, user, **{"CreateTime": self.timestamp} | fields)

    async def say(self, text: str, user: str = "lihua") -> httpx.Response:
        return await self.post(self.message("text", user, Content=text))


async def check_the_address(
    client: httpx.AsyncClient, address: str, keys: CallbackKeys, timestamp: str
) -> None:
    """The platform's check of an address is answered in bare words, a forged one with nothing."""
    sealed = keys.seal(b"16161403", timestamp=timestamp, nonce="n")
    query = {
        "msg_signature": sealed.signature,
        "timestamp": sealed.timestamp,
        "nonce": sealed.nonce,
        "echostr": sealed.encrypted,
    }
    answer = await client.get(address, params=query)
    assert (answer.status_code, answer.content) == (200, b"16161403")
    assert answer.headers["content-type"].startswith("text/plain")
    forged = await client.get(address, params={**query, "nonce": "m"})
    assert (forged.status_code, forged.content) == (403, b"")
