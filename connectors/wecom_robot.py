"""The group robot of WeCom/政务微信: one text per notice into one group.

The key in the address is the whole credential. Plain text only: in Markdown the title of a ticket
could carry somebody's link. Limits and error codes are from documents 91770 and 90313.
"""

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

TEXT_BYTES = 2_048
_BUSY = frozenset({-1, 6000, 45033})
#: The robot is gone, switched off, or was taken out of its group.
_GONE = frozenset({93000, 93004, 93008, 40058, 301042, 60020})
_RATE, _RATE_HOLD_S = 45009, 60.0


class WecomRobotConfig(BaseModel):
    """One robot. The platform takes 20 messages a minute."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str = Field(default="https://qyapi.weixin.qq.com", max_length=500)
    key: SecretStr = Field(min_length=8, max_length=200)
    per_minute: int = Field(default=18, ge=1, le=20)


class WecomRobot:
    """Sends to the group of one robot; see :class:`connectors.notify_base.Notifier`."""

    def __init__(
        self, client: httpx.AsyncClient, config: WecomRobotConfig, clock: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._config = config
        self._clock = clock
        self._pace = ChannelPace(config.per_minute)

    async def send(self, notice: Notice) -> None:
        self._pace.take(self._clock(), urgent=notice.urgent)
        text: dict[str, Any] = {"content": shortened(notice, TEXT_BYTES)}
        if notice.mentions:
            text["mentioned_mobile_list"] = list(notice.mentions)
        query = urlencode({"key": self._config.key.get_secret_value()})
        address = f"{self._config.base_url.rstrip('/')}/cgi-bin/webhook/send?{query}"
        answer = await post(
            self._client, address, as_json({"msgtype": "text", "text": text}), JSON_HEADERS
        )
        _check(answer.fields().get("errcode"))

    def recall(self, past: Sequence[Past]) -> None:
        self._pace.recall(past)

    async def close(self) -> None:
        await self._client.aclose()


def _check(code: object) -> None:
    if code == 0:
        return
    if code in _GONE:
        raise Misconfigured(f"errcode {code}")
    if code == _RATE:
        raise Held(f"errcode {code}", _RATE_HOLD_S)
    if not isinstance(code, int) or code in _BUSY:
        raise TransientError("errcode missing" if not isinstance(code, int) else f"errcode {code}")
    raise PermanentError(f"errcode {code}")
