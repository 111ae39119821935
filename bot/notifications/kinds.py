"""The kinds of channels that can be made: their fields, and the connector that each becomes.

Refuses to keep anything; what is typed is checked here and kept by ``bot.notifications.admin``.
"""

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

from bot.clock import Clock
from bot.notifications.errors import NotificationInvalid
from connectors.dingtalk import DingtalkConfig, DingtalkRobot
from connectors.dingtalk_gov import GovDingtalk, GovDingtalkConfig
from connectors.email_smtp import EmailConfig, EmailNotifier, Security
from connectors.errors import InvalidCallbackKey
from connectors.notify_base import Notifier
from connectors.notify_settings import NotifySettings
from connectors.signed_webhook import SignedWebhook, SignedWebhookConfig
from connectors.sms_aliyun import AliyunSmsConfig, AliyunSmsGateway
from connectors.sms_gateway import HttpSmsConfig, HttpSmsGateway, SmsConfig, SmsGateway, SmsNotifier
from connectors.sms_mas import MasMode, MasSmsConfig, MasSmsGateway
from connectors.ssrf import AddressRefused, guarded_client
from connectors.wecom_notices import Application, WecomNotices, WecomNoticesConfig
from connectors.wecom_robot import WecomRobot, WecomRobotConfig


class ChannelKind(StrEnum):
    """What a channel is; the values are phrase keys."""

    WECOM_ROBOT = "wecom_robot"
    DINGTALK = "dingtalk"
    EMAIL = "email"
    WEBHOOK = "webhook"
    SMS = "sms"
    SMS_ALIYUN = "sms_aliyun"
    SMS_MAS = "sms_mas"
    DINGTALK_GOV = "dingtalk_gov"
    WECOM_APP = "wecom_app"


class Entry(StrEnum):
    """How a field is typed."""

    TEXT = "text"
    SECRET = "secret"  # noqa: S105  # the name of a kind of field
    NUMBER = "number"
    CHOICE = "choice"
    FLAG = "flag"
    WORDS = "words"
    PAIRS = "pairs"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. ``required`` secrets may stay empty when one is kept already."""

    name: str
    entry: Entry = Entry.TEXT
    required: bool = False
    choices: Sequence[str] = ()


class Reach(StrEnum):
    """What a rule's list of people means to a channel."""

    MENTIONS = "mentions"
    MAILBOXES = "mailboxes"
    PHONES = "phones"
    ACCOUNTS = "accounts"
    MEMBERS = "members"
    NOBODY = "nobody"


_ONE_EACH = frozenset({Reach.MAILBOXES, Reach.PHONES, Reach.ACCOUNTS, Reach.MEMBERS})


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of channel; ``address`` is the field whose address is typed, if any is."""

    model: type[BaseModel]
    fields: Sequence[Field]
    reach: Reach
    address: str

    @property
    def secrets(self) -> Sequence[str]:
        """Names of the fields that are sealed."""
        return [field.name for field in self.fields if field.entry is Entry.SECRET]

    @property
    def one_each(self) -> bool:
        """Whether every recipient gets a notification of their own."""
        return self.reach in _ONE_EACH


_PACE = Field("per_minute", Entry.NUMBER)
#: What every way of sending short messages needs.
_TEMPLATES = (Field("templates", Entry.PAIRS, required=True), Field("values", Entry.WORDS))
_PACES = (_PACE, Field("per_phone_hour", Entry.NUMBER))
KINDS: Mapping[ChannelKind, Kind] = {
    ChannelKind.WECOM_ROBOT: Kind(
        WecomRobotConfig,
        (Field("base_url"), Field("key", Entry.SECRET, required=True), _PACE),
        Reach.MENTIONS,
        "base_url",
    ),
    ChannelKind.DINGTALK: Kind(
        DingtalkConfig,
        (
            Field("base_url"),
            Field("access_token", Entry.SECRET, required=True),
            Field("secret", Entry.SECRET),
            Field("keyword"),
            _PACE,
        ),
        Reach.MENTIONS,
        "base_url",
    ),
    ChannelKind.EMAIL: Kind(
        EmailConfig,
        (
            Field("host", required=True),
            Field("port", Entry.NUMBER),
            Field("security", Entry.CHOICE, choices=tuple(Security)),
            Field("username"),
            Field("password", Entry.SECRET),
            Field("sender", required=True),
            Field("sender_name"),
            _PACE,
        ),
        Reach.MAILBOXES,
        "host",
    ),
    ChannelKind.WEBHOOK: Kind(
        SignedWebhookConfig,
        (
            Field("url", required=True),
            Field("secret", Entry.SECRET, required=True),
            _PACE,
        ),
        Reach.NOBODY,
        "url",
    ),
    ChannelKind.SMS: Kind(
        HttpSmsConfig,
        (
            Field("url", required=True),
            Field("secret", Entry.SECRET, required=True),
            Field("secret_header"),
            *_TEMPLATES,
            Field("sign"),
            Field("phone_field"),
            Field("template_field"),
            Field("values_field"),
            Field("key_field"),
            Field("sign_field"),
            Field("code_field"),
            Field("success"),
            Field("drops_repeats", Entry.FLAG),
            *_PACES,
        ),
        Reach.PHONES,
        "url",
    ),
    ChannelKind.SMS_ALIYUN: Kind(
        AliyunSmsConfig,
        (
            Field("url"),
            Field("access_key_id", required=True),
            Field("access_key_secret", Entry.SECRET, required=True),
            Field("sign", required=True),
            *_TEMPLATES,
            Field("region_id"),
            *_PACES,
        ),
        Reach.PHONES,
        "url",
    ),
    ChannelKind.SMS_MAS: Kind(
        MasSmsConfig,
        (
            Field("url", required=True),
            Field("ec_name", required=True),
            Field("ap_id", required=True),
            Field("secret_key", Entry.SECRET, required=True),
            Field("sign", required=True),
            Field("add_serial"),
            Field("mode", Entry.CHOICE, choices=tuple(MasMode)),
            *_TEMPLATES,
            Field("base64_body", Entry.FLAG),
            Field("repeats_key", Entry.FLAG),
            *_PACES,
        ),
        Reach.PHONES,
        "url",
    ),
    ChannelKind.DINGTALK_GOV: Kind(
        GovDingtalkConfig,
        (
            Field("base_url"),
            Field("app_key", required=True),
            Field("app_secret", Entry.SECRET, required=True),
            Field("tenant_id", required=True),
            Field("ip"),
            Field("mac"),
            _PACE,
        ),
        Reach.ACCOUNTS,
        "base_url",
    ),
    ChannelKind.WECOM_APP: Kind(WecomNoticesConfig, (_PACE,), Reach.MEMBERS, ""),
}


def typed(kind: Kind, form: Mapping[str, str]) -> dict[str, Any]:
    """What stands in the form's plain fields, as values; empty ones take the default."""
    found: dict[str, Any] = {}
    for field in kind.fields:
        text = form.get(field.name, "").strip()
        if field.entry is Entry.FLAG:
            found[field.name] = bool(text)
        elif not text or field.entry is Entry.SECRET:
            continue
        elif field.entry is Entry.PAIRS:
            found[field.name] = _pairs(text, field.name)
        elif field.entry is Entry.WORDS:
            found[field.name] = text.replace(",", " ").replace("，", " ").split()
        else:
            found[field.name] = text
    return found


def _pairs(text: str, name: str) -> dict[str, str]:
    pairs = [line.partition("=") for line in text.splitlines() if line.strip()]
    if any(not mark or not key.strip() or not value.strip() for key, mark, value in pairs):
        raise NotificationInvalid(name, "pairs")
    return {key.strip(): value.strip() for key, _, value in pairs}


def config_of(kind: Kind, plain: Mapping[str, Any], secrets: Mapping[str, str]) -> BaseModel:
    """The connector's configuration. Raises :class:`NotificationInvalid`, without any value."""
    given = {**plain, **secrets}
    try:
        return kind.model.model_validate(given)
    except ValidationError as error:
        first: Mapping[str, Any] = dict(error.errors(include_input=False, include_url=False)[0])
    raise _refused(kind, given, first)


def _refused(kind: Kind, given: Mapping[str, Any], first: Mapping[str, Any]) -> NotificationInvalid:
    """What the model says, about the field that it is about; about the form where none is."""
    if first["loc"]:
        reason = "missing" if first["type"] == "missing" else "value"
        return NotificationInvalid(str(first["loc"][0]), reason)
    if isinstance(first.get("ctx", {}).get("error"), InvalidCallbackKey):
        return NotificationInvalid("encoding_aes_key", "value")
    empty = [one.name for one in kind.fields if one.required and not given.get(one.name)]
    return (
        NotificationInvalid(empty[0], "missing") if empty else NotificationInvalid("form", "value")
    )


async def check_address(kind: Kind, config: BaseModel, settings: NotifySettings) -> None:
    """Refuse an address that may not be connected to. Raises :class:`NotificationInvalid`."""
    if not kind.address:
        return
    guard = settings.guard()
    address = str(getattr(config, kind.address))
    try:
        if isinstance(config, EmailConfig):
            await guard.addresses(config.host, config.port)
        else:
            await guard.check(address)
    except AddressRefused as refused:
        raise NotificationInvalid(kind.address, f"address_{refused.refusal}") from None


def notifier_of(
    config: BaseModel,
    settings: NotifySettings,
    clock: Clock,
    application: Callable[[], Application | None],
) -> Notifier:
    """The connector of a configuration; ``application`` is the one that is set up at that time."""
    match config:
        case WecomNoticesConfig():
            return WecomNotices(application, config, clock)
        case WecomRobotConfig():
            return WecomRobot(_client(settings), config, clock)
        case DingtalkConfig():
            return DingtalkRobot(_client(settings), config, clock)
        case SignedWebhookConfig():
            return SignedWebhook(_client(settings), config, clock)
        case SmsConfig():
            return SmsNotifier(_gateway_of(config, _client(settings), clock), config, clock)
        case GovDingtalkConfig():
            return GovDingtalk(_client(settings), config, clock)
        case EmailConfig():
            return EmailNotifier(
                config,
                settings.guard(),
                clock,
                timeout_s=settings.timeout_s,
                ca_bundle=settings.ca_bundle,
            )
        case _:
            raise TypeError(type(config).__name__)


def _gateway_of(config: SmsConfig, client: httpx.AsyncClient, clock: Clock) -> SmsGateway:
    match config:
        case HttpSmsConfig():
            return HttpSmsGateway(client, config)
        case AliyunSmsConfig():
            return AliyunSmsGateway(client, config, clock)
        case MasSmsConfig():
            return MasSmsGateway(client, config)
        case _:
            raise TypeError(type(config).__name__)


def _client(settings: NotifySettings) -> httpx.AsyncClient:
    context = ssl.create_default_context(cafile=settings.ca_bundle)
    return guarded_client(settings.guard(), context, settings.timeout_s)
