"""Short messages through an HTTP gateway that sends approved templates with values.

Names of fields are the gateway's and so are settings. Free text cannot be sent. Sending twice
would reach somebody's telephone twice, so an answer that was lost is not tried again unless the
gateway is said to drop repeated ids.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connectors.base import PermanentError
from connectors.notify_base import Notice, Unsure
from connectors.notify_http import JSON_HEADERS, as_json, post
from connectors.notify_pacing import LONGEST_PACE, ChannelPace, Past
from connectors.pacing import Limit, Pace

#: Values of a template are short; gateways refuse or split longer ones.
VALUE_CHARS = 35
#: The template for what has none of its own.
ANY = "*"


class SmsGateway(Protocol):
    """Any gateway: approved template, values by name, one telephone number, one id."""

    async def send_sms(
        self, template_id: str, values: Mapping[str, str], phone: str, key: str
    ) -> None:
        """Hand one message over; raises as :meth:`connectors.notify_base.Notifier.send`."""
        ...

    async def close(self) -> None:
        """Put connections down."""
        ...


class SmsConfig(BaseModel):
    """What every gateway needs. ``templates`` are its ids by event, or for ``*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    templates: dict[str, str] = Field(min_length=1)
    values: tuple[str, ...] = ("number", "severity", "event")
    per_minute: int = Field(default=60, ge=1, le=6_000)
    per_phone_hour: int = Field(default=10, ge=1, le=200)


class HttpSmsConfig(SmsConfig):
    """A gateway that takes JSON."""

    url: str = Field(min_length=8, max_length=2_000)
    secret: SecretStr = Field(min_length=8, max_length=500)
    secret_header: str = Field(default="Authorization", pattern=r"^[A-Za-z][A-Za-z0-9-]{0,60}$")
    sign: str = Field(default="", max_length=40)
    phone_field: str = "phone"
    template_field: str = "template_id"
    values_field: str = "params"
    key_field: str = "request_id"
    sign_field: str = "sign"
    code_field: str = "code"
    success: str = "0"
    drops_repeats: bool = False


class HttpSmsGateway:
    """One gateway over HTTP."""

    def __init__(self, client: httpx.AsyncClient, config: HttpSmsConfig) -> None:
        self._client = client
        self._config = config

    async def send_sms(
        self, template_id: str, values: Mapping[str, str], phone: str, key: str
    ) -> None:
        config = self._config
        body: dict[str, Any] = {
            config.phone_field: phone,
            config.template_field: template_id,
            config.values_field: dict(values),
            config.key_field: key,
        }
        if config.sign:
            body[config.sign_field] = config.sign
        headers = {**JSON_HEADERS, config.secret_header: config.secret.get_secret_value()}
        try:
            answer = await post(self._client, config.url, as_json(body), headers)
            code = answer.fields().get(config.code_field)
        except Unsure as unsure:
            if self._config.drops_repeats:
                raise
            raise never_twice(unsure) from None
        if str(code) != config.success:
            raise PermanentError("refused by the gateway")

    async def close(self) -> None:
        """Put connections down."""
        await self._client.aclose()


class SmsNotifier:
    """Notices as short messages; see :class:`connectors.notify_base.Notifier`."""

    def __init__(
        self, gateway: SmsGateway, config: SmsConfig, clock: Callable[[], datetime]
    ) -> None:
        self._gateway = gateway
        self._config = config
        self._clock = clock
        self._pace = ChannelPace(config.per_minute)
        self._people = Pace((Limit(config.per_phone_hour, LONGEST_PACE),))

    async def send(self, notice: Notice) -> None:
        if not notice.recipient:
            raise PermanentError("no telephone number")
        templates = self._config.templates
        template = templates.get(notice.template) or templates.get(ANY)
        if template is None:
            raise PermanentError("no template for this event")
        now = self._clock()
        self._people.take(notice.recipient, now)
        self._pace.take(now, urgent=notice.urgent)
        values = _values(self._config.values, notice.values)
        await self._gateway.send_sms(template, values, notice.recipient, notice.key)

    def recall(self, past: Sequence[Past]) -> None:
        self._pace.recall(past)
        self._people.recall((one.recipient, one.at) for one in past)

    async def close(self) -> None:
        await self._gateway.close()


def never_twice(unsure: Unsure) -> PermanentError:
    """What a lost answer means where a repetition would reach a telephone twice."""
    return PermanentError(f"it may have been sent: {unsure}")


def _values(wanted: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
    return {name: known.get(name, "")[:VALUE_CHARS] for name in wanted}
