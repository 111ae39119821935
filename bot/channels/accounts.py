"""What administrators do with the accounts of channels: set up, change secrets, try, take back.

Secrets are written and never read back. After a change the secrets before it are taken for a while
longer, so that nothing is refused until the other side has them too. Refuses forms that somebody
else has overtaken.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.accounts.service import Principal
from bot.channels import repository as rows
from bot.channels.kinds import base_of, kind_of
from bot.channels.live import LiveChannels, opened, place_of
from bot.channels.tables import ChannelAccount
from bot.clock import Clock
from bot.errors import InvalidInput
from bot.notifications.admin import TestResult
from bot.notifications.delivery import Outcome
from bot.notifications.errors import NotificationChanged
from bot.notifications.forms import ChannelForm
from bot.notifications.kinds import Kind, config_of, typed
from bot.secrets_at_rest import Vault
from bot.settings import Settings
from connectors.base import Held, PermanentError, TransientError
from connectors.wecom_api import CredentialsRefused
from store import audit
from store.session import Database

#: Secrets before a change are taken for so long, unless they are cut off at once.
OVERLAP = timedelta(hours=24)
_PROBE_S = 15.0


@dataclass(frozen=True, slots=True)
class Shown:
    """An account as its page shows it: values of plain fields, names of secrets that are kept."""

    channel: str
    kind: Kind
    values: Mapping[str, Any]
    kept: frozenset[str]
    version: int
    former_until: datetime | None
    updated_by: str = ""
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChannelAccounts:
    """The verbs."""

    database: Database
    vault: Vault
    settings: Settings
    channels: LiveChannels
    clock: Clock

    async def show(self, staff: Principal, channel: str) -> Shown:
        """One account. Raises :class:`InvalidInput` for a channel without a page."""
        staff.require()
        kind = _kind(channel)
        base = base_of(self.settings, channel)
        async with self.database.reading() as session:
            row = await rows.account(session, channel)
        values = {**base, **(row.config if row else {})}
        kept = {name for name in kind.secrets if base.get(name)} | set(row.secrets if row else ())
        return Shown(
            channel=channel,
            kind=kind,
            values={field.name: values.get(field.name) for field in kind.fields},
            kept=frozenset(kept),
            version=row.version if row else 0,
            former_until=self._former_until(row),
            updated_by=row.updated_by if row else "",
            updated_at=row.updated_at if row else None,
        )

    async def save(
        self, staff: Principal, channel: str, form: ChannelForm, *, cut_off: bool = False
    ) -> None:
        """Keep an account and use it at once. ``cut_off``: the secrets before are void now.

        Raises :class:`NotificationInvalid`, :class:`NotificationChanged`,
        :class:`SecretsKeyMissing`, :class:`InvalidInput`.
        """
        staff.require()
        kind, now = _kind(channel), self.clock()
        base = base_of(self.settings, channel)
        async with self.database.transaction() as session:
            row = await rows.account(session, channel, lock=True)
            if (row.version if row else 0) != form.version:
                raise NotificationChanged(channel)
            before = self._secrets(kind, base, row)
            after = {n: s for n, s in before.items() if n not in form.forget}
            after |= {name: secret for name, secret in form.secrets.items() if secret}
            config = self._checked(kind, base, form, after)
            account = row or _empty(channel)
            account.config, account.secrets = config, self._sealed(channel, after)
            if after != before:
                account.former = self._sealed(channel, before) if before and not cut_off else {}
                account.former_until = now + OVERLAP if account.former else None
            elif cut_off:
                account.former, account.former_until = {}, None
            account.version, account.updated_at = account.version + 1, now
            account.updated_by = staff.name[:100]
            session.add(account)
            changed = sorted(n for n in kind.secrets if after.get(n) != before.get(n))
            await _trail(session, staff, "saved", channel, now, secrets=changed, cut_off=cut_off)
        await self.channels.refresh()

    async def take_back(self, staff: Principal, channel: str) -> None:
        """Forget what the page keeps: the environment's word holds again."""
        staff.require()
        _kind(channel)
        async with self.database.transaction() as session:
            row = await rows.account(session, channel, lock=True)
            if row is None:
                return
            await session.delete(row)
            await _trail(session, staff, "taken_back", channel, self.clock())
        await self.channels.refresh()

    async def test(self, staff: Principal, channel: str) -> TestResult:
        """Ask the platform whether it takes our credentials; sends nothing to anybody."""
        staff.require()
        _kind(channel)
        loop = asyncio.get_running_loop()
        started = loop.time()
        outcome, error = Outcome.SENT, ""
        try:
            async with asyncio.timeout(_PROBE_S):
                await self.channels.probe(channel)
        except CredentialsRefused as refused:
            outcome, error = Outcome.REFUSED, str(refused)
        except Held as held:
            outcome, error = Outcome.HELD, str(held)
        except TransientError as failed:
            outcome, error = Outcome.RETRY, str(failed)
        except PermanentError as refused:
            outcome, error = Outcome.REFUSED, str(refused)
        except TimeoutError:
            outcome, error = Outcome.RETRY, "TimeoutError"
        now = self.clock()
        async with self.database.transaction() as session:
            await _trail(session, staff, "tested", channel, now, outcome=outcome.value)
        return TestResult(outcome, error[:200], round((loop.time() - started) * 1000))

    def _former_until(self, row: ChannelAccount | None) -> datetime | None:
        until = row.former_until if row is not None else None
        return until if until is not None and until > self.clock() else None

    def _secrets(
        self, kind: Kind, base: Mapping[str, Any], row: ChannelAccount | None
    ) -> dict[str, str]:
        """The secrets that hold now: the page's, or the environment's where there is no page's."""
        if row is not None:
            return opened(self.vault, row.channel, row.secrets)
        return {name: str(base[name]) for name in kind.secrets if base.get(name)}

    @staticmethod
    def _checked(
        kind: Kind, base: Mapping[str, Any], form: ChannelForm, secrets: Mapping[str, str]
    ) -> dict[str, Any]:
        """What rests of the plain fields, once all makes an account."""
        known = {field.name: base.get(field.name) for field in kind.fields}
        emptied: dict[str, Any] = {name: "" for name, v in known.items() if isinstance(v, str)}
        emptied |= {name: [] for name, v in known.items() if isinstance(v, list)}
        plain = {**base, **emptied, **typed(kind, form.fields)}
        account = config_of(kind, plain, secrets)
        names = {field.name for field in kind.fields} - set(kind.secrets)
        return account.model_dump(mode="json", include=names)

    def _sealed(self, channel: str, secrets: Mapping[str, str]) -> dict[str, str]:
        return {n: self.vault.seal(text, place_of(channel, n)) for n, text in secrets.items()}


def _kind(channel: str) -> Kind:
    kind = kind_of(channel)
    if kind is None:
        raise InvalidInput("channel", "console.error.form")
    return kind


def _empty(channel: str) -> ChannelAccount:
    return ChannelAccount(
        channel=channel, config={}, secrets={}, former={}, former_until=None, version=0
    )


async def _trail(
    session: AsyncSession,
    staff: Principal,
    verb: str,
    channel: str,
    now: datetime,
    **detail: Any,
) -> None:
    await audit.record(
        session,
        actor=f"staff:{staff.staff_id}",
        action=f"channel_account.{verb}",
        subject=f"channel:{channel}",
        detail=detail,
        now=now,
    )
