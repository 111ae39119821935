"""A signed JSON POST to any system: who receives it can check that we sent it, and when.

``X-Caiwen-Signature`` is ``v1=`` and the hexadecimal HMAC-SHA256 over ``{timestamp}.{body}``;
``X-Caiwen-Delivery`` is the same for every attempt at one notice.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connectors.notify_base import Notice
from connectors.notify_http import JSON_HEADERS, as_json, post
from connectors.notify_pacing import ChannelPace, Past


class SignedWebhookConfig(BaseModel):
    """One receiver."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(min_length=8, max_length=2_000)
    secret: SecretStr = Field(min_length=16, max_length=200)
    per_minute: int = Field(default=120, ge=1, le=6_000)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The value of ``X-Caiwen-Signature``."""
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"v1={signed.hexdigest()}"


class SignedWebhook:
    """Posts to one receiver; see :class:`connectors.notify_base.Notifier`."""

    def __init__(
        self, client: httpx.AsyncClient, config: SignedWebhookConfig, clock: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._config = config
        self._clock = clock
        self._pace = ChannelPace(config.per_minute)

    async def send(self, notice: Notice) -> None:
        now = self._clock()
        self._pace.take(now, urgent=notice.urgent)
        body = as_json(
            {
                "id": notice.key,
                "thread": notice.thread,
                "event": notice.template,
                "title": notice.title,
                "text": notice.text,
                "link": notice.link,
                "facts": dict(notice.facts),
            }
        )
        timestamp = str(int(now.timestamp()))
        headers = {
            **JSON_HEADERS,
            "X-Caiwen-Timestamp": timestamp,
            "X-Caiwen-Delivery": notice.key,
            "X-Caiwen-Signature": signature(
                self._config.secret.get_secret_value(), timestamp, body
            ),
        }
        await post(self._client, self._config.url, body, headers)

    def recall(self, past: Sequence[Past]) -> None:
        self._pace.recall(past)

    async def close(self) -> None:
        await self._client.aclose()
