"""Channels, rules and news for tests; every channel leads to this machine."""

from datetime import UTC, datetime
from ipaddress import IPv4Network
from typing import Any

from pydantic import SecretStr

from bot.notifications.events import Happened, NoticeEvent
from bot.notifications.makers import place_of
from bot.notifications.tables import NotificationChannel, NotificationRule
from bot.secrets_at_rest import SecretsSettings, Vault, new_key
from connectors.notify_settings import NotifySettings
from store.base import new_id
from store.session import Database
from store.vocabulary import Severity

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)  # a Friday, 10:00 in the region
KEY = new_key()
SECRET = "a-secret-that-must-not-leak"
SETTINGS = NotifySettings(
    public_url="https://caiwen.example",
    allowed_networks=[IPv4Network("127.0.0.0/8")],
    timeout_s=2.0,
)


def vault() -> Vault:
    return SecretsSettings(keys=SecretStr(KEY)).vault()


def rule(channel_id: str = "c", **over: Any) -> NotificationRule:
    """A rule for everything, at once, always."""
    values: dict[str, Any] = {
        "id": new_id(),
        "name": "值班",
        "enabled": True,
        "channel_id": channel_id,
        "recipients": [],
        "events": [],
        "severities": [],
        "regions": [],
        "days": [],
        "active_from": "",
        "active_until": "",
        "quiet_from": "",
        "quiet_until": "",
        "major_breaks_quiet": True,
        "digest_minutes": 0,
        "repeat_minutes": 0,
        "repeat_times": 0,
        "repeat_channel_id": None,
        "repeat_recipients": [],
        "title_template": "",
        "text_template": "",
        "version": 1,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return NotificationRule(**{**values, **over})


def channel(kind: str, config: dict[str, Any], secrets: dict[str, str]) -> NotificationChannel:
    """A channel that is on."""
    found = NotificationChannel(
        id=new_id(),
        name=kind,
        kind=kind,
        config=config,
        secrets={},
        state="on",
        retry_at=None,
        version=1,
        created_at=NOW,
        updated_at=NOW,
        last_error="",
    )
    found.secrets = {
        name: vault().seal(secret, place_of(found.id, name)) for name, secret in secrets.items()
    }
    return found


def robot(address: str, **config: Any) -> NotificationChannel:
    return channel("wecom_robot", {"base_url": address, **config}, {"key": SECRET})


def webhook(address: str, **config: Any) -> NotificationChannel:
    return channel("webhook", {"url": address, **config}, {"secret": SECRET})


async def keep(database: Database, *added: NotificationChannel | NotificationRule) -> None:
    """Put rows there, channels before the rules that name them."""
    async with database.transaction() as session:
        for one in added:
            session.add(one)
            await session.flush()


def happened(key: str = "e1", **over: Any) -> Happened:
    """A new general ticket."""
    values: dict[str, Any] = {
        "key": key,
        "event": NoticeEvent.OPENED,
        "at": NOW,
        "severity": Severity.GENERAL,
        "subject": "FS20261120-0001",
        "region": "禅城区",
        "path": "/console/tickets/FS20261120-0001",
        "values": {"title": "送审失败", "unit": "市一小"},
    }
    return Happened(**{**values, **over})
