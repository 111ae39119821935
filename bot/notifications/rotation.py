"""Seals every kept credential again under the key that encrypts now.

Run after a new key was put in front of the old one; when nothing is left under the old key, it may
go. Refuses to stop at one that cannot be read: it is counted, and stays as it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts import repository as alert_repository
from bot.alerts.sources import place_of as source_place
from bot.channels import repository as channel_repository
from bot.channels.live import place_of as account_place
from bot.notifications import repository as notification_repository
from bot.notifications.errors import SecretsKeyMissing, SecretUnreadable
from bot.notifications.makers import place_of as channel_place
from bot.secrets_at_rest import Vault
from store import audit
from store.session import Database

#: Who acts when the command does.
ACTOR = "system:command"


@dataclass(slots=True)
class Resealed:
    """How many credentials were sealed again, were already, and could not be read."""

    changed: int = 0
    current: int = 0
    unreadable: int = 0


async def reseal(database: Database, vault: Vault, *, now: datetime) -> Resealed:
    """Seal everything again in one transaction. Raises :class:`SecretsKeyMissing` without keys."""
    if not vault.ready:
        raise SecretsKeyMissing
    counted = Resealed()
    async with database.transaction() as session:
        for channel in await notification_repository.channels(session):
            sealed = _again(vault, counted, channel.secrets, _in(channel_place, channel.id))
            channel.secrets = sealed
        for source in await alert_repository.sources(session):
            source.secrets = _again(vault, counted, source.secrets, _in(source_place, source.id))
        for account in await channel_repository.accounts(session):
            place = _in(account_place, account.channel)
            account.secrets = _again(vault, counted, account.secrets, place)
            account.former = _again(vault, counted, account.former, place)
        await _trail(session, counted, now)
    return counted


def _in(place_of: Callable[[str, str], str], row_id: str) -> Callable[[str], str]:
    return lambda name: place_of(row_id, name)


def _again(
    vault: Vault, counted: Resealed, secrets: Mapping[str, str], place_of: Callable[[str], str]
) -> dict[str, str]:
    found = dict(secrets)
    for name, sealed in secrets.items():
        if vault.is_current(sealed):
            counted.current += 1
            continue
        try:
            found[name] = vault.seal(vault.open(sealed, place_of(name)), place_of(name))
        except (SecretsKeyMissing, SecretUnreadable):
            counted.unreadable += 1
        else:
            counted.changed += 1
    return found


async def _trail(session: AsyncSession, counted: Resealed, now: datetime) -> None:
    await audit.record(
        session,
        actor=ACTOR,
        action="secrets.resealed",
        subject="secrets",
        detail={"changed": counted.changed, "unreadable": counted.unreadable},
        now=now,
    )
