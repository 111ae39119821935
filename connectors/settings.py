"""What a deployment may choose about channels (environment prefix CAIWEN_WECOM__ and so on)."""

from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from connectors.wecom_crypto import CallbackKeys

_NEEDED = ("corp_id", "agent_id", "secret", "token", "encoding_aes_key")


class RelaySettings(BaseModel):
    """The worker that sends what is waiting."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lease_s: float = Field(
        default=15.0,
        ge=1.0,
        description="What a worker was sending when it died is sent by another after this.",
    )


class GatewaySettings(BaseModel):
    """The gateway of a government network, if calls to the platform pass one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gateway_id: str = Field(
        default="", description="The paasid at a TIF or RIO gateway; empty: no gateway headers."
    )
    gateway_token: str = Field(default="", repr=False, description="The gateway's token.")
    gateway_prefix: str = Field(
        default="x-tif",
        pattern=r"^[a-z][a-z0-9-]{0,30}$",
        description="How the gateway's headers begin: x-tif or x-rio.",
    )


class WecomSettings(GatewaySettings):
    """粤政易, 政务微信 or WeCom: one application of one corporation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(default=False, description="Take and send messages in this channel.")
    corp_id: str = Field(default="", max_length=64, description="The corporation's id.")
    agent_id: int = Field(default=0, ge=0, description="The application's number.")
    secret: str = Field(
        default="", repr=False, max_length=200, description="The application's secret."
    )
    token: str = Field(
        default="", repr=False, pattern=r"^[A-Za-z0-9]{0,32}$", description="The callback's Token."
    )
    encoding_aes_key: str = Field(
        default="", repr=False, max_length=43, description="The callback's EncodingAESKey."
    )
    base_url: str = Field(
        default="https://qyapi.weixin.qq.com",
        pattern=r"^https?://[^\s?#]+$",
        description="Where the API is, with the gateway's path prefix if there is one.",
    )
    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="Where people's browsers reach us, for the login of the page /h5; empty: none.",
    )
    oauth_url: str = Field(
        default="https://open.weixin.qq.com/connect/oauth2/authorize",
        pattern=r"^https?://[^\s?#]+$",
        description="Where a browser inside the client asks for a login code.",
    )
    sso_url: str = Field(
        default="https://open.work.weixin.qq.com/wwopen/sso/qrConnect",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="Where any other browser asks for one, by a code to scan; empty: as inside.",
    )
    directory: bool = Field(
        default=False, description="Read names and departments of those who write to us."
    )
    regions: dict[str, str] = Field(
        default_factory=dict, description='Regions by department number: JSON, {"12": "name"}.'
    )
    ca_bundle: Path | None = Field(
        default=None, description="Certificates (PEM) of a private authority to trust."
    )
    proxy: str = Field(default="", repr=False, description="HTTP proxy for calls to the API.")
    cards: bool = Field(
        default=True,
        description="Offer candidates as buttons; where the platform refuses them, as a list.",
    )
    feedback: bool = Field(
        default=True,
        description="Ask below an answer whether it helped, where there are buttons.",
    )
    max_pictures: int = Field(
        default=4, ge=0, le=20, description="Pictures of one answer that are sent; 0: none."
    )
    duplicate_check: bool = Field(
        default=True, description="Let the platform drop a message that is sent again by a retry."
    )
    per_minute: int = Field(default=30, ge=1, description="Messages to one member in a minute.")
    per_hour: int = Field(default=1_000, ge=1, description="Messages to one member in an hour.")
    clock_skew_s: int = Field(
        default=300,
        ge=0,
        description="Callbacks older or newer than this are refused; 0 turns the check off.",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.enabled:
            missing = [name for name in _NEEDED if not getattr(self, name)]
            if missing:
                raise ValueError("missing: " + ", ".join(missing))
            self.keys()
        return self

    def keys(self) -> CallbackKeys:
        """The callback's keys. Raises :class:`InvalidCallbackKey`."""
        return CallbackKeys.of(
            token=self.token, encoding_aes_key=self.encoding_aes_key, receive_id=self.corp_id
        )


class BotMode(StrEnum):
    """How a bot's messages come; the platform has one of them per bot."""

    WEBHOOK = "webhook"
    SOCKET = "socket"


_NEEDED_BY = {
    BotMode.WEBHOOK: ("token", "encoding_aes_key"),
    BotMode.SOCKET: ("bot_id", "secret"),
}


class WecomBotSettings(GatewaySettings):
    """A bot of 粤政易, 政务微信 or WeCom: callbacks posted to us, or one connection of ours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(default=False, description="Take and send messages in this channel.")
    mode: BotMode = Field(
        default=BotMode.WEBHOOK,
        description="webhook: callbacks are posted to us; socket: we keep one long connection."
        " The platform takes one of them per bot.",
    )
    token: str = Field(
        default="", repr=False, pattern=r"^[A-Za-z0-9]{0,32}$", description="The callback's Token."
    )
    encoding_aes_key: str = Field(
        default="", repr=False, max_length=43, description="The callback's EncodingAESKey."
    )
    bot_id: str = Field(
        default="",
        max_length=64,
        pattern=r"^[\x21-\x7e]*$",
        description="The bot's id; callbacks of others are refused. Needed in socket mode.",
    )
    secret: str = Field(
        default="",
        repr=False,
        max_length=200,
        pattern=r"^[\x21-\x7e]*$",
        description="The bot's secret for the long connection (socket mode).",
    )
    socket_url: str = Field(
        default="wss://openws.work.weixin.qq.com",
        pattern=r"^wss?://[^\s?#@]+$",
        max_length=500,
        description="Where the long connection goes (socket mode). A private build has an address"
        " of its own: ask for it.",
    )
    proxy: str = Field(
        default="",
        repr=False,
        pattern=r"^(https?://[^\s?#]+)?$",
        description="HTTP proxy that the long connection is tunnelled through.",
    )
    retry_s: float = Field(
        default=1.0,
        gt=0,
        le=60,
        description="Seconds before a broken long connection is tried again; doubling up to 60.",
    )
    by_application: bool = Field(
        default=True,
        description="Send what comes too late for a reply by the application, where one is set up;"
        " otherwise it waits until the person writes again.",
    )
    settle_s: float = Field(
        default=1.0,
        gt=0,
        le=30,
        description="Seconds after the last words when a reply counts as complete.",
    )
    max_pictures: int = Field(
        default=4, ge=0, le=10, description="Pictures of one answer that are shown; 0: none."
    )
    cards: bool = Field(
        default=True,
        description="Offer what must be chosen as buttons below the reply (socket mode).",
    )
    allowed_networks: list[IPv4Network | IPv6Network] = Field(
        default_factory=list,
        description="Private networks (CIDR) that files may be fetched from and replies posted to.",
    )
    ca_bundle: Path | None = Field(
        default=None, description="Certificates (PEM) of a private authority to trust."
    )
    clock_skew_s: int = Field(
        default=300,
        ge=0,
        description="Callbacks older or newer than this are refused; 0 turns the check off.",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.enabled:
            missing = [name for name in _NEEDED_BY[self.mode] if not getattr(self, name)]
            if missing:
                raise ValueError("missing: " + ", ".join(missing))
            if self.mode is BotMode.WEBHOOK:
                self.keys()
        return self

    @property
    def keeps_socket(self) -> bool:
        """Whether we keep the long connection."""
        return self.enabled and self.mode is BotMode.SOCKET

    def keys(self) -> CallbackKeys:
        """The callback's keys; a bot's receiver is empty. Raises :class:`InvalidCallbackKey`.

        There are none in socket mode.
        """
        return CallbackKeys.of(
            token=self.token, encoding_aes_key=self.encoding_aes_key, receive_id=""
        )
