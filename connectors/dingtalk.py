"""The custom robot of DingTalk (and of government builds of it), with its signature.

Beyond 20 messages a minute the platform rests the robot for ten minutes, so we stay below. Every
answer has status 200; only ``errcode`` counts. Plain text only, as for the robot of WeCom.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connectors.base import Held, PermanentError, TransientError
from connectors.notify_base import Misconfigured, Notice
from connectors.notify_http import JSON_HEADERS, as_json, post
from connectors.notify_pacing import ChannelPace, Past
from connectors.notify_text import shortened

#: The platform takes about 20 kB; nobody reads more than this.
TEXT_BYTES = 6_000
_RATE, _RATE_HOLD_S = 130101, 600.0
#: Security check failed; token or robot unknown.
_REFUSED = frozenset({310000, 300001, 300005, 400101, 400102, 40035})
_BUSY = frozenset({-1, 500000, 41070})


class DingtalkConfig(BaseModel):
    """One robot. ``secret`` is for signing, ``keyword`` for robots that ask for a word."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str = Field(default="https://oapi.dingtalk.com", max_length=500)
    access_token: SecretStr = Field(min_length=8, max_length=200)
    secret: SecretStr = SecretStr("")
    keyword: str = Field(default="", max_length=40)
    per_minute: int = Field(default=18, ge=1, le=20)


def signature(secret: str, timestamp_ms: str) -> str:
    """What a signing robot checks, base64; the query encodes it once more."""
    signed = hmac.new(secret.encode(), f"{timestamp_ms}\n{secret}".encode(), hashlib.sha256)
    return base64.b64encode(signed.digest()).decode()


class DingtalkRobot:
    """Sends to the group of one robot; see :class:`connectors.notify_base.Notifier`."""

    def __init__(
        self, client: httpx.AsyncClient, config: DingtalkConfig, clock: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._config = config
        self._clock = clock
        self._pace = ChannelPace(config.per_minute)

    async def send(self, notice: Notice) -> None:
        self._pace.take(self._clock(), urgent=notice.urgent)
        body: dict[str, Any] = {"msgtype": "text", "text": {"content": self._text(notice)}}
        if notice.mentions:
            body["at"] = {"atMobiles": list(notice.mentions), "isAtAll": False}
        answer = await post(self._client, self._address(), as_json(body), JSON_HEADERS)
        _check(answer.fields().get("errcode"))

    def _text(self, notice: Notice) -> str:
        keyword = self._config.keyword
        text = shortened(notice, TEXT_BYTES)
        # The word has to appear anywhere, or the robot refuses.
        return text if not keyword or keyword in text else f"{keyword}\n{text}"

    def _address(self) -> str:
        query = {"access_token": self._config.access_token.get_secret_value()}
        secret = self._config.secret.get_secret_value()
        if secret:
            timestamp = str(int(self._clock().timestamp() * 1000))
            query |= {"timestamp": timestamp, "sign": signature(secret, timestamp)}
        return f"{self._config.base_url.rstrip('/')}/robot/send?{urlencode(query)}"

    def recall(self, past: Sequence[Past]) -> None:
        self._pace.recall(past)

    async def close(self) -> None:
        await self._client.aclose()


def _check(code: object) -> None:
    if code == 0:
        return
    if code in _REFUSED:
        raise Misconfigured(f"errcode {code}")
    if code == _RATE:
        raise Held(f"errcode {code}", _RATE_HOLD_S)
    if not isinstance(code, int) or code in _BUSY:
        raise TransientError("errcode missing" if not isinstance(code, int) else f"errcode {code}")
    raise PermanentError(f"errcode {code}")
