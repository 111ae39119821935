"""All settings, from the environment or ``.env``, prefix ``CAIWEN_``; each package owns a section.

Example: ``CAIWEN_KB__EMBEDDER=/models/bge-small-zh``. Read once, at start.
"""

import re
from pathlib import Path

from pydantic import BaseModel, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.attachments.settings import AttachmentSettings
from bot.secrets_at_rest import SecretsSettings
from connectors.notify_settings import NotifySettings
from connectors.settings import RelaySettings, WecomBotSettings, WecomSettings
from connectors.speech import SpeechSettings
from connectors.telegram_settings import TelegramSettings
from handoff.settings import HandoffSettings
from kb.settings import KnowledgeSettings
from nlu.settings import NluSettings

#: What HMAC-SHA256 needs to be worth its name.
MIN_IDENTITY_SECRET = 32
#: What a widget key may be: it stands in addresses.
WIDGET_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")


class WebSettings(BaseModel):
    """The web process: limits, origins and cookies."""

    allowed_origins: list[str] = Field(
        default_factory=list,
        description="Exact origins of host pages that embed the widget without naming a key.",
    )
    widget_origins: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Exact origins by widget key, for host pages that name theirs: JSON,"
        ' {"key": ["https://host"]}. A proof of identity for such a page must be made for its key.',
    )
    identity_secrets: dict[str, str] = Field(
        default_factory=dict,
        repr=False,
        description="Secrets of at least 32 characters by widget name, to check whom a host page"
        ' signs in: JSON, {"name": "secret"}.',
    )
    secure_cookies: bool = Field(
        default=False, description="Mark cookies Secure; on wherever HTTPS is in front."
    )
    max_message_chars: int = Field(default=20_000, ge=100, le=200_000)
    max_body_bytes: int = Field(default=1_000_000, ge=10_000)
    max_alert_bytes: int = Field(
        default=8_000_000,
        ge=100_000,
        description="One delivery of a monitoring system; of a larger one only its beginning is"
        " kept and staff sees that it was cut.",
    )
    max_import_bytes: int = Field(
        default=300_000_000, ge=10_000, description="All files of one upload of guides together."
    )
    stream_ping_s: float = Field(default=15.0, gt=0, description="Comment line against proxies.")

    @field_validator("widget_origins")
    @classmethod
    def _named(cls, given: dict[str, list[str]]) -> dict[str, list[str]]:
        wrong = [name for name in given if not WIDGET_KEY.fullmatch(name)]
        if wrong:
            raise ValueError(f"no widget keys: {', '.join(wrong)}")
        return given

    @field_validator("identity_secrets")
    @classmethod
    def _strong(cls, given: dict[str, str]) -> dict[str, str]:
        weak = [name for name, secret in given.items() if len(secret) < MIN_IDENTITY_SECRET]
        if weak:
            raise ValueError(f"shorter than {MIN_IDENTITY_SECRET} characters: {', '.join(weak)}")
        return given


class Settings(BaseSettings):
    """Everything a deployment may choose."""

    model_config = SettingsConfigDict(
        env_prefix="CAIWEN_", env_nested_delimiter="__", env_file=".env", extra="ignore"
    )

    home: Path = Field(
        default=Path("var"), validate_default=True, description="Database, models, indexes, media."
    )
    database_url: str = Field(
        default="", description="Empty: SQLite in the home. Else postgresql://user@host/name."
    )
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65_535)
    locale: str = "zh-CN"
    portal: bool = Field(
        default=True, description="Serve the demonstration portal page that embeds the widget."
    )
    web: WebSettings = Field(default_factory=WebSettings)
    nlu: NluSettings = Field(default_factory=NluSettings)
    kb: KnowledgeSettings = Field(default_factory=KnowledgeSettings)
    handoff: HandoffSettings = Field(default_factory=HandoffSettings)
    relay: RelaySettings = Field(default_factory=RelaySettings)
    wecom: WecomSettings = Field(default_factory=WecomSettings)
    wecom_bot: WecomBotSettings = Field(default_factory=WecomBotSettings)
    telegram: TelegramSettings = Field(default_factory=TelegramSettings)
    speech: SpeechSettings = Field(default_factory=SpeechSettings)
    attachments: AttachmentSettings = Field(default_factory=AttachmentSettings)
    notify: NotifySettings = Field(default_factory=NotifySettings)
    secrets: SecretsSettings = Field(default_factory=SecretsSettings)

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        """Programs that we start have working directories of their own."""
        return home.expanduser().resolve()

    @property
    def effective_database_url(self) -> str:
        """The database that is used."""
        return self.database_url or f"sqlite:///{(self.home / 'caiwen.db').resolve()}"


def data_dir() -> Path:
    """The content that ships with the product: training data, phrases, calendars."""
    return Path(__file__).resolve().parent.parent / "data"
