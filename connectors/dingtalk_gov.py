"""Work notices of 浙政钉 (the government's DingTalk): one text to one account.

Every call is signed (HMAC-SHA256 over method, time, nonce, path and sorted values); the token of
the application lasts two hours. Schemes and paths are those of published clients; addresses and
the tenant are settings. Plain text only.
"""

import base64
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connectors.base import PermanentError, TransientError
from connectors.notify_base import Misconfigured, Notice
from connectors.notify_http import as_json, post
from connectors.notify_pacing import ChannelPace, Past
from connectors.notify_text import shortened

TEXT_BYTES = 2_000
#: The gateway reads times of this zone.
_ZONE = ZoneInfo("Asia/Shanghai")
_TOKEN, _NOTICE = "/gettoken.json", "/message/workNotification"
_EARLY, _USUAL_S = timedelta(minutes=5), 7_200
_FORM = "application/x-www-form-urlencoded"


class GovDingtalkConfig(BaseModel):
    """One application of one tenant. ``ip`` and ``mac`` are what the gateway wants to be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str = Field(default="https://openplatform-pro.ding.zj.gov.cn", max_length=500)
    app_key: str = Field(min_length=2, max_length=128)
    app_secret: SecretStr = Field(min_length=8, max_length=200)
    tenant_id: str = Field(min_length=1, max_length=40)
    ip: str = Field(default="127.0.0.1", pattern=r"^[0-9a-fA-F:.]{2,45}$")
    mac: str = Field(default="00:00:00:00:00:00", pattern=r"^[0-9a-fA-F:-]{11,17}$")
    per_minute: int = Field(default=60, ge=1, le=600)


def to_sign(method: str, timestamp: str, nonce: str, path: str, values: Mapping[str, str]) -> str:
    """What is signed: the values as they are, sorted by name."""
    said = "&".join(f"{name}={values[name]}" for name in sorted(values))
    return "\n".join((method, timestamp, nonce, path, *([said] if said else [])))


def signature(secret: str, text: str) -> str:
    """The value of ``X-Hmac-Auth-Signature``."""
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha256")).decode()


class GovDingtalk:
    """Sends as one application; see :class:`connectors.notify_base.Notifier`."""

    def __init__(
        self, client: httpx.AsyncClient, config: GovDingtalkConfig, clock: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._config = config
        self._clock = clock
        self._pace = ChannelPace(config.per_minute)
        self._token = ""
        self._until: datetime | None = None

    async def send(self, notice: Notice) -> None:
        if not notice.recipient:
            raise PermanentError("no account")
        self._pace.take(self._clock(), urgent=notice.urgent)
        content = {"msgtype": "text", "text": {"content": shortened(notice, TEXT_BYTES)}}
        values = {
            "bizMsgId": notice.key,
            "msg": as_json(content).decode(),
            "receiverIds": notice.recipient,
            "tenantId": self._config.tenant_id,
        }
        fresh = self._until is None or self._clock() >= self._until
        answer = await self._call(_NOTICE, values | {"access_token": await self._current()})
        if not _is_taken(answer) and not fresh:
            # A token may end before its time; the answer does not say so in one known way.
            self._until = None
            answer = await self._call(_NOTICE, values | {"access_token": await self._current()})
        if not _is_taken(answer):
            raise PermanentError("refused by the platform")

    async def _current(self) -> str:
        now = self._clock()
        if self._until is not None and now < self._until:
            return self._token
        secret = self._config.app_secret.get_secret_value()
        answer = await self._call(_TOKEN, {"appkey": self._config.app_key, "appsecret": secret})
        data = _data(answer)
        token = data.get("accessToken")
        if not _is_taken(answer) or not isinstance(token, str) or not token:
            raise Misconfigured("no token for these credentials")
        lasting = data.get("expiresIn")
        seconds = lasting if isinstance(lasting, int) and lasting > 0 else _USUAL_S
        span = timedelta(seconds=seconds)
        self._token, self._until = token, now + span - min(_EARLY, span / 2)
        return token

    async def _call(self, path: str, values: Mapping[str, str]) -> Mapping[str, Any]:
        address = self._config.base_url.rstrip("/") + path
        headers = self._headers(path, values)
        return (await post(self._client, address, urlencode(values).encode(), headers)).fields()

    def _headers(self, path: str, values: Mapping[str, str]) -> Mapping[str, str]:
        now = self._clock()
        timestamp = f"{now.astimezone(_ZONE):%Y-%m-%dT%H:%M:%S}.000+08:00"
        nonce = f"{int(now.timestamp() * 1000)}{secrets.randbelow(10_000):04}"
        secret = self._config.app_secret.get_secret_value()
        return {
            "Content-Type": _FORM,
            "X-Hmac-Auth-Timestamp": timestamp,
            "X-Hmac-Auth-Nonce": nonce,
            "X-Hmac-Auth-Version": "1.0",
            "X-Hmac-Auth-Signature": signature(
                secret, to_sign("POST", timestamp, nonce, path, values)
            ),
            "X-Hmac-Auth-IP": self._config.ip,
            "X-Hmac-Auth-MAC": self._config.mac,
            "apiKey": self._config.app_key,
        }

    def recall(self, past: Sequence[Past]) -> None:
        self._pace.recall(past)

    async def close(self) -> None:
        await self._client.aclose()


def _is_taken(answer: Mapping[str, Any]) -> bool:
    if not isinstance(answer.get("success"), bool):
        raise TransientError("the answer does not say how it went")
    inner = answer.get("content")
    return bool(answer["success"]) and (
        not isinstance(inner, dict) or inner.get("success") is not False
    )


def _data(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = answer.get("content")
    found = inner.get("data") if isinstance(inner, dict) else None
    return found if isinstance(found, dict) else {}
