"""Sends to people in 政务微信/WeCom: texts in parts, candidates as buttons where they are taken.

Refuses to send faster than one person may be sent to; the relay tries later instead.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from connectors.base import Delivery, PermanentError
from connectors.pacing import Limit
from connectors.sends import MemorySends, Sends
from connectors.settings import WecomSettings
from connectors.text_parts import in_parts
from connectors.wecom_api import CardRefused, WecomApi

#: Bytes of a text message; the platform cuts off what is beyond.
TEXT_BYTES = 2_048
#: Characters of a card's title and of the words below it, and how many buttons it may have.
_TITLE, _WORDS, _BUTTONS = 36, 112, 6
#: How long a refused card is not tried again.
_NO_CARDS = timedelta(hours=24)
#: The platform remembers what it has delivered between these many seconds.
_CHECK_FROM_S, _CHECK_SPAN_S = 7_200, 7_200

log = structlog.get_logger("connectors.wecom")


def limits(settings: WecomSettings) -> tuple[Limit, ...]:
    """How fast one member may be sent to."""
    return (
        Limit(settings.per_minute, timedelta(minutes=1)),
        Limit(settings.per_hour, timedelta(hours=1)),
    )


class WecomChannel:
    """One application as a channel."""

    def __init__(
        self,
        api: WecomApi,
        settings: WecomSettings,
        clock: Callable[[], datetime],
        sends: Sends | None = None,
    ) -> None:
        self._api = api
        self._settings = settings
        self._clock = clock
        self._sends = sends or MemorySends(limits(settings))
        self._no_cards_until: datetime | None = None

    @property
    def name(self) -> str:
        return "wecom"

    async def send(self, delivery: Delivery) -> None:
        """Send what is not yet out of a delivery; see :class:`connectors.base.Channel`."""
        text = delivery.text.strip()
        if not text:
            raise PermanentError("nothing to show")
        card = self._card(delivery, text)
        if card is not None:
            try:
                await self._send_all(delivery, [card])
            except CardRefused as refused:
                log.warning("wecom_cards_refused", errcode=str(refused))
                self._no_cards_until = self._clock() + _NO_CARDS
            else:
                return
        parts = in_parts(text, TEXT_BYTES)
        await self._send_all(
            delivery, [{"msgtype": "text", "text": {"content": part}} for part in parts]
        )

    async def _send_all(self, delivery: Delivery, contents: Sequence[Mapping[str, Any]]) -> None:
        key = delivery.dedupe_key
        arrived = await self._sends.arrived(key)
        for n, content in enumerate(contents, 1):
            if n in arrived:
                continue
            await self._sends.take(delivery.external_user, key, n, self._clock())
            await self._post(delivery.external_user, content, f"{key}:{n}")
            if n < len(contents):
                # The last one is settled with the whole delivery.
                await self._sends.mark_arrived(key, n)

    async def _post(self, user: str, content: Mapping[str, Any], key: str) -> None:
        body = {"touser": user, "agentid": self._settings.agent_id, **content}
        if self._settings.duplicate_check:
            body |= {"enable_duplicate_check": 1, "duplicate_check_interval": _interval(key)}
        try:
            answer = await self._api.post("/cgi-bin/message/send", body)
        except CardRefused:
            if content["msgtype"] == "text":
                raise PermanentError("texts are refused") from None
            raise
        for field in ("invaliduser", "unlicenseduser"):
            if user.lower() in str(answer.get(field) or "").lower().split("|"):
                raise PermanentError(field)

    def _card(self, delivery: Delivery, text: str) -> Mapping[str, Any] | None:
        candidates = delivery.data.get("candidates")
        off = self._no_cards_until is not None and self._clock() < self._no_cards_until
        if not self._settings.cards or off or delivery.kind != "offer" or not candidates:
            return None
        title, _, words = text.partition("\n")
        keys = [f"{n}:choose:{one['answer_id']}" for n, one in enumerate(candidates, 1)]
        keys.append(f"{len(keys) + 1}:none_of_these")
        if len(title) > _TITLE or len(words) > _WORDS or len(keys) > _BUTTONS:
            return None  # cut off, the choice could not be understood
        buttons = [{"text": key.partition(":")[0], "style": 1, "key": key} for key in keys]
        return {
            "msgtype": "template_card",
            "template_card": {
                "card_type": "button_interaction",
                "main_title": {"title": title},
                "sub_title_text": words,
                "task_id": hashlib.sha256(delivery.dedupe_key.encode()).hexdigest(),
                "button_list": buttons,
            },
        }


def _interval(key: str) -> int:
    """How long the platform looks for the same request.

    It compares whole requests: different spans keep two messages of the same words apart, while
    a retry of one message is the same request again.
    """
    digest = hashlib.sha256(key.encode()).digest()
    return _CHECK_FROM_S + int.from_bytes(digest[:4], "big") % _CHECK_SPAN_S
