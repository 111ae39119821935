"""The channels of conversations that can be set up at a page: their fields, kept and made whole.

Addresses, certificates and proxies stay in the environment: a page that took them could be made to
call anything with a secret in hand. What a page keeps goes before what the environment says.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator
from pydantic import Field as Checked

from bot.notifications.kinds import Entry, Field, Kind, Reach
from bot.settings import MIN_IDENTITY_SECRET, WIDGET_KEY, Settings
from bot.web.cross_origin import exact_origins
from connectors.settings import BotMode, WecomBotSettings, WecomSettings
from connectors.telegram_settings import TelegramSettings

#: What a widget's account is called: this and its key.
WIDGET = "widget:"
_ON = Field("enabled", Entry.FLAG)


class WidgetAccount(BaseModel):
    """A host page's widget key: its exact origins, and the secret that its server signs with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    origins: list[str] = Checked(default_factory=list, max_length=50)
    identity_secret: str = Checked(default="", repr=False, max_length=500)

    @field_validator("origins")
    @classmethod
    def _exact(cls, given: list[str]) -> list[str]:
        found = list(exact_origins(given))
        if len(found) != len(given):
            raise ValueError("no origin")
        return found

    @field_validator("identity_secret")
    @classmethod
    def _strong(cls, given: str) -> str:
        if given and len(given) < MIN_IDENTITY_SECRET:
            raise ValueError("too short")
        return given


LINES: Mapping[str, Kind] = {
    "wecom": Kind(
        WecomSettings,
        (
            _ON,
            Field("corp_id", required=True),
            Field("agent_id", Entry.NUMBER, required=True),
            Field("secret", Entry.SECRET, required=True),
            Field("token", Entry.SECRET, required=True),
            Field("encoding_aes_key", Entry.SECRET, required=True),
            Field("gateway_id"),
            Field("gateway_token", Entry.SECRET),
            Field("cards", Entry.FLAG),
            Field("feedback", Entry.FLAG),
        ),
        Reach.NOBODY,
        "base_url",
    ),
    "wecom_bot": Kind(
        WecomBotSettings,
        (
            _ON,
            Field("mode", Entry.CHOICE, choices=tuple(BotMode)),
            Field("bot_id"),
            # Which of them are needed depends on the mode.
            Field("secret", Entry.SECRET),
            Field("token", Entry.SECRET),
            Field("encoding_aes_key", Entry.SECRET),
            Field("gateway_id"),
            Field("gateway_token", Entry.SECRET),
            Field("by_application", Entry.FLAG),
        ),
        Reach.NOBODY,
        "",
    ),
    "telegram": Kind(
        TelegramSettings,
        (
            _ON,
            Field("token", Entry.SECRET, required=True),
            Field("webhook_secret", Entry.SECRET),
        ),
        Reach.NOBODY,
        "base_url",
    ),
}
_WIDGET_KIND = Kind(
    WidgetAccount,
    (_ON, Field("origins", Entry.WORDS), Field("identity_secret", Entry.SECRET)),
    Reach.NOBODY,
    "",
)


def kind_of(channel: str) -> Kind | None:
    """The kind of a channel; nothing for what cannot be set up at a page."""
    if channel.startswith(WIDGET):
        return _WIDGET_KIND if WIDGET_KEY.fullmatch(channel.removeprefix(WIDGET)) else None
    return LINES.get(channel)


def base_of(settings: Settings, channel: str) -> Mapping[str, Any]:
    """What the environment says of a channel, by field."""
    if channel.startswith(WIDGET):
        key = channel.removeprefix(WIDGET)
        return {
            "origins": settings.web.widget_origins.get(key, []),
            "identity_secret": settings.web.identity_secrets.get(key, ""),
        }
    account: BaseModel = getattr(settings, channel)
    return account.model_dump()


def with_account(settings: Settings, channel: str, account: BaseModel) -> Settings:
    """The settings in which this account is the channel's."""
    if not isinstance(account, WidgetAccount):
        return settings.model_copy(update={channel: account})
    key = channel.removeprefix(WIDGET)
    origins = {k: v for k, v in settings.web.widget_origins.items() if k != key}
    proofs = {k: v for k, v in settings.web.identity_secrets.items() if k != key}
    if account.enabled:
        origins[key] = account.origins
        if account.identity_secret:
            proofs[key] = account.identity_secret
    web = settings.web.model_copy(update={"widget_origins": origins, "identity_secrets": proofs})
    return settings.model_copy(update={"web": web})
