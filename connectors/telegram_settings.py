"""What a deployment may choose about Telegram (environment prefix CAIWEN_TELEGRAM__)."""

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Mode(StrEnum):
    """How updates come in."""

    WEBHOOK = "webhook"
    POLLING = "polling"


class TelegramSettings(BaseModel):
    """One bot. Off by default: government networks do not reach it without a proxy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(default=False, description="Take and send messages in this channel.")
    token: str = Field(
        default="",
        repr=False,
        pattern=r"^([0-9]{1,20}:[A-Za-z0-9_-]{10,100})?$",
        description="The bot's token, from BotFather.",
    )
    mode: Mode = Field(
        default=Mode.WEBHOOK,
        description="webhook: Telegram calls us; polling: we ask it, for development.",
    )
    webhook_secret: str = Field(
        default="",
        repr=False,
        pattern=r"^[A-Za-z0-9_-]{0,256}$",
        description="What Telegram has to send with every call; needed for webhooks.",
    )
    public_url: str = Field(
        default="",
        pattern=r"^(https://[^\s?#]+)?$",
        description="Our address as Telegram reaches it; registered at every start.",
    )
    base_url: str = Field(
        default="https://api.telegram.org",
        pattern=r"^https?://[^\s?#]+[^/\s?#]$",
        description="Where the Bot API is; a local Bot API server's address otherwise.",
    )
    proxy: str = Field(
        default="",
        repr=False,
        pattern=r"^(https?://[^\s/]+/?)?$",
        description="HTTP proxy for calls to the Bot API: http://[user:password@]host:port.",
    )
    per_second: int = Field(default=30, ge=1, description="Messages a second to all people.")
    pause_s: float = Field(
        default=1.0, ge=0, le=60, description="Pause between two messages to one person, seconds."
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.enabled:
            return self
        needed = ["token"] if self.mode is Mode.POLLING else ["token", "webhook_secret"]
        missing = [name for name in needed if not getattr(self, name)]
        if missing:
            raise ValueError("missing: " + ", ".join(missing))
        return self
