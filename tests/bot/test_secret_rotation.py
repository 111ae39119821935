"""Changing the key: by the command, and what it does to what is kept."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.notifications.errors import SecretsKeyMissing
from bot.notifications.makers import place_of
from bot.notifications.rotation import reseal
from bot.notifications.tables import NotificationChannel
from bot.secrets_at_rest import SecretsSettings, Vault, new_key
from store import audit
from store.session import Database
from tests.bot.command import caiwen
from tests.bot.notification_builders import KEY, NOW, SECRET, keep, robot, webhook

NEW = new_key()


def vault(*keys: str) -> Vault:
    return SecretsSettings(keys=SecretStr(",".join(keys))).vault()


async def secret_of(database: Database, channel_id: str, name: str, opening: Vault) -> str:
    async with database.reading() as session:
        row = await session.get(NotificationChannel, channel_id)
    assert row is not None
    return opening.open(row.secrets[name], place_of(channel_id, name))


async def test_everything_is_sealed_under_the_new_key(sqlite_database: Database) -> None:
    group, hook = robot("http://127.0.0.1:1"), webhook("http://127.0.0.1:1")
    lost = robot("http://127.0.0.1:1")
    lost.secrets = {"key": vault(new_key()).seal("x", "elsewhere")}
    await keep(sqlite_database, group, hook, lost)
    done = await reseal(sqlite_database, vault(NEW, KEY), now=NOW)
    assert (done.changed, done.current, done.unreadable) == (2, 0, 1)
    assert await secret_of(sqlite_database, group.id, "key", vault(NEW)) == SECRET
    with pytest.raises(SecretsKeyMissing):
        await secret_of(sqlite_database, group.id, "key", vault(KEY))
    again = await reseal(sqlite_database, vault(NEW), now=NOW)
    assert (again.changed, again.current, again.unreadable) == (0, 2, 1)
    async with sqlite_database.reading() as session:
        assert len(await audit.entries_of(session, "secrets")) == 2
    with pytest.raises(SecretsKeyMissing):
        await reseal(sqlite_database, vault(), now=NOW)


def test_the_command_makes_keys_and_changes_to_them(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = caiwen(home, "secrets", "new-key")
    assert made.exit_code == 0
    key = made.stdout.strip()
    assert vault(key).ready
    assert caiwen(home, "migrate").exit_code == 0
    without = caiwen(home, "secrets", "rotate")
    assert without.exit_code == 1
    assert "CAIWEN_SECRETS__KEYS" in without.output
    done = caiwen(home, "secrets", "rotate", CAIWEN_SECRETS__KEYS=key)
    assert done.exit_code == 0
    assert key not in done.output
    wrong = caiwen(home, "secrets", "rotate", CAIWEN_SECRETS__KEYS="no-key-at-all")
    assert wrong.exit_code == 2
    assert "CAIWEN_SECRETS__KEYS" in wrong.output
    assert "no-key-at-all" not in wrong.output
