"""What administrators do with channels and rules: each verb one transaction, with its trail.

Credentials are written and never read back: a form shows that one is kept, not which. Refuses
addresses that the deployment does not allow, texts that cannot be filled, and forms that somebody
else has overtaken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.accounts.service import Principal
from bot.changes import repository as change_repository
from bot.changes import service as changes
from bot.changes.service import Change, ChangedKind, Verb
from bot.clock import Clock
from bot.notifications import repository as rows
from bot.notifications.delivery import Outcome, note_health
from bot.notifications.errors import NotificationChanged, NotificationGone, NotificationInvalid
from bot.notifications.events import Happened
from bot.notifications.forms import ChannelForm, RuleForm, named, recipients
from bot.notifications.kinds import KINDS, ChannelKind, Kind, check_address, config_of, typed
from bot.notifications.makers import Makers, place_of
from bot.notifications.planning import PREFIX, Planner, Target, channel_of
from bot.notifications.repository import Traffic
from bot.notifications.sending import SEND_TIMEOUT_S, Sender
from bot.notifications.tables import (
    ChannelState,
    Notification,
    NotificationAttempt,
    NotificationChannel,
    NotificationRule,
)
from bot.notifications.trial import try_out
from bot.phrases import Phrases
from bot.secrets_at_rest import Vault
from bot.tables import Role
from connectors.notify_base import Notice
from connectors.notify_settings import NotifySettings
from store import audit, outbox
from store.base import new_id
from store.session import Database

#: Who may look besides administrators; only those change anything.
LOOK_ROLES = (Role.OPERATIONS, Role.MANAGER)
#: The span of the error rate.
TRAFFIC_SPAN = timedelta(hours=24)

log = structlog.get_logger("bot.notifications")


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """A channel, what waits for it, and how its last day went."""

    channel: NotificationChannel
    waiting: int
    traffic: Traffic


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the pages list."""

    channels: Sequence[ChannelHealth]
    rules: Sequence[NotificationRule]
    recent: Sequence[Notification]
    ready: bool


@dataclass(frozen=True, slots=True)
class TestResult:
    """How a test went; ``error`` is a class or code, never what the other side said."""

    __test__ = False

    outcome: Outcome
    error: str
    elapsed_ms: int


@dataclass(frozen=True, slots=True)
class NotificationAdmin:
    """The verbs."""

    database: Database
    settings: NotifySettings
    vault: Vault
    makers: Makers
    planner: Planner
    sender: Sender
    phrases: Phrases
    clock: Clock

    async def overview(self, staff: Principal) -> Overview:
        """All channels with their health, all rules, the newest notifications."""
        staff.require(*LOOK_ROLES)
        now = self.clock()
        async with self.database.reading() as session:
            traffic = await rows.traffic_since(session, now - TRAFFIC_SPAN)
            waiting: dict[str, int] = {}
            for kind, count in (await outbox.waiting(session, f"{PREFIX}:")).items():
                channel_id = channel_of(kind)[0]
                waiting[channel_id] = waiting.get(channel_id, 0) + count
            channels = await rows.channels(session)
            rules = await rows.rules(session)
            recent = await rows.recent(session)
        health = [
            ChannelHealth(one, waiting.get(one.id, 0), traffic.get(one.id, Traffic(0, 0)))
            for one in channels
        ]
        return Overview(health, rules, recent, self.vault.ready)

    async def channel(self, staff: Principal, channel_id: str) -> NotificationChannel:
        """One channel; its secrets are sealed. Raises :class:`NotificationGone`."""
        staff.require(*LOOK_ROLES)
        async with self.database.reading() as session:
            return await rows.channel(session, channel_id)

    async def rule(self, staff: Principal, rule_id: str) -> NotificationRule:
        """One rule. Raises :class:`NotificationGone`."""
        staff.require(*LOOK_ROLES)
        async with self.database.reading() as session:
            return await rows.rule(session, rule_id)

    async def add_channel(self, staff: Principal, kind: ChannelKind, form: ChannelForm) -> str:
        """Make a channel, switched on; its id.

        Raises :class:`NotificationInvalid` and :class:`SecretsKeyMissing`.
        """
        staff.require()
        channel_id, now = new_id(), self.clock()
        config = await self._checked(KINDS[kind], form, {})
        sealed = self._sealed(channel_id, KINDS[kind], form)
        async with self.database.transaction() as session:
            session.add(
                NotificationChannel(
                    id=channel_id,
                    name=named(form.name),
                    kind=kind.value,
                    config=config,
                    secrets=sealed,
                    state=ChannelState.ON.value,
                    retry_at=None,
                    version=1,
                    created_at=now,
                    updated_at=now,
                    last_error="",
                )
            )
            await session.flush()
            await _trail(session, staff, "notification_channel.added", channel_id, now=now)
        return channel_id

    async def change_channel(self, staff: Principal, channel_id: str, form: ChannelForm) -> None:
        """Save a channel; a broken one is tried again at once.

        Raises :class:`NotificationGone`, :class:`NotificationChanged`,
        :class:`NotificationInvalid` and :class:`SecretsKeyMissing`.
        """
        staff.require()
        known = await self.channel(staff, channel_id)
        kind = KINDS[ChannelKind(known.kind)]
        kept = self._opened(known, kind, form)
        config = await self._checked(kind, form, kept)
        sealed = self._sealed(channel_id, kind, form)
        now = self.clock()
        async with self.database.transaction() as session:
            channel = await rows.channel(session, channel_id, lock=True)
            if channel.version != form.version:
                raise NotificationChanged(channel_id)
            channel.name, channel.config = named(form.name), config
            remaining = {n: s for n, s in channel.secrets.items() if n not in form.forget}
            channel.secrets = {**remaining, **sealed}
            channel.version, channel.updated_at = channel.version + 1, now
            if channel.state == ChannelState.BROKEN.value:
                channel.state, channel.retry_at = ChannelState.ON.value, None
            await _trail(
                session,
                staff,
                "notification_channel.changed",
                channel_id,
                now=now,
                secrets=sorted(sealed),
                forgotten=sorted(form.forget),
            )
        self.sender.wake()

    async def switch(self, staff: Principal, channel_id: str, *, on: bool) -> None:
        """Switch a channel; what waits for it is kept. Raises :class:`NotificationGone`."""
        staff.require()
        now = self.clock()
        state = ChannelState.ON if on else ChannelState.OFF
        async with self.database.transaction() as session:
            channel = await rows.channel(session, channel_id, lock=True)
            channel.state, channel.retry_at, channel.updated_at = state.value, None, now
            action = f"notification_channel.switched_{state.value}"
            await _trail(session, staff, action, channel_id, now=now)
        self.sender.wake()

    async def test(self, staff: Principal, channel_id: str, recipient: str = "") -> TestResult:
        """Send one message now and say how it went; written down like any other.

        Raises :class:`NotificationGone` and :class:`NotificationInvalid`.
        """
        staff.require()
        channel = await self.channel(staff, channel_id)
        kind = KINDS[ChannelKind(channel.kind)]
        to = recipients(recipient, kind.reach, "recipient") if kind.one_each else [""]
        outcome, error, elapsed = await try_out(
            self.makers, channel, self._test_notice(to[0]), timeout_s=SEND_TIMEOUT_S
        )
        now = self.clock()
        async with self.database.transaction() as session:
            session.add(
                NotificationAttempt(
                    channel_id=channel_id,
                    notification_id=None,
                    at=now,
                    outcome=outcome.value,
                    error=error,
                    elapsed_ms=elapsed,
                )
            )
            await note_health(session, channel_id, outcome, error, now=now)
            await _trail(
                session,
                staff,
                "notification_channel.tested",
                channel_id,
                now=now,
                outcome=outcome.value,
                error=error,
            )
        self.sender.wake()
        return TestResult(outcome, error, elapsed)

    def _test_notice(self, recipient: str) -> Notice:
        say, base = self.phrases.say, self.settings.public_url.rstrip("/")
        return Notice(
            key=f"test:{new_id()}",
            thread="test",
            title=say("notify.test.title"),
            text=say("notify.test.text"),
            template="test",
            recipient=recipient,
            urgent=True,
            link=f"{base}/console" if base else "",
            values={"event": say("notify.test.title"), "number": "TEST"},
        )

    async def save_rule(self, staff: Principal, rule_id: str | None, form: RuleForm) -> str:
        """Make or save a rule; its id.

        Raises :class:`NotificationGone`, :class:`NotificationChanged` and
        :class:`NotificationInvalid`.
        """
        staff.require()
        now = self.clock()
        async with self.database.transaction() as session:
            known = {one.id: one for one in await rows.channels(session)}
            columns = form.columns(
                _kind(known, form.channel_id, "channel_id"),
                _kind(known, form.repeat_channel_id, "repeat_channel_id")
                if form.repeat_channel_id
                else None,
            )
            columns |= {
                "channel_id": form.channel_id,
                "repeat_channel_id": form.repeat_channel_id or None,
                "updated_at": now,
            }
            if rule_id is None:
                rule = NotificationRule(id=new_id(), version=1, created_at=now, **columns)
                session.add(rule)
            else:
                rule = await rows.rule(session, rule_id, lock=True)
                if rule.version != form.version:
                    raise NotificationChanged(rule_id)
                for name, value in columns.items():
                    setattr(rule, name, value)
                rule.version += 1
            await session.flush()
            verb = Verb.ADDED if rule_id is None else Verb.CHANGED
            kept = {name: value for name, value in columns.items() if name != "updated_at"}
            kind = ChangedKind.NOTIFICATION_RULE
            await changes.note(session, staff, kind, rule.id, verb, content=kept, now=now)
            return rule.id

    async def history(self, staff: Principal, rule_id: str) -> Sequence[Change]:
        """What was changed about a rule, the newest first."""
        staff.require(*LOOK_ROLES)
        async with self.database.reading() as session:
            return await changes.history(session, ChangedKind.NOTIFICATION_RULE, rule_id)

    async def restore_rule(self, staff: Principal, rule_id: str, change_id: str) -> None:
        """Save a rule as it was after a change. Raises as ``save_rule``."""
        staff.require()
        async with self.database.reading() as session:
            row = await rows.rule(session, rule_id)
            kind = ChangedKind.NOTIFICATION_RULE
            kept = await change_repository.one(session, kind, change_id)
        if kept is None or kept.subject_id != rule_id or not kept.content:
            raise NotificationGone(change_id)
        before = NotificationRule(id=rule_id, version=row.version, **kept.content)
        await self.save_rule(staff, rule_id, RuleForm.of(before))

    async def remove_rule(self, staff: Principal, rule_id: str) -> None:
        """Remove a rule; what it has planned still leaves. Raises :class:`NotificationGone`."""
        staff.require()
        now = self.clock()
        async with self.database.transaction() as session:
            await session.delete(await rows.rule(session, rule_id, lock=True))
            kind = ChangedKind.NOTIFICATION_RULE
            await changes.note(session, staff, kind, rule_id, Verb.REMOVED, content={}, now=now)

    async def preview(self, staff: Principal, form: RuleForm, news: Happened) -> tuple[str, str]:
        """Title and text that this news would make. Raises :class:`NotificationInvalid`."""
        rule, channel = await self.drafted(staff, form)
        target = Target(channel, "", ())
        filled = self.planner.filled(rule, news, target, self.clock())
        return str(filled["title"]), str(filled["text"])

    async def drafted(
        self, staff: Principal, form: RuleForm
    ) -> tuple[NotificationRule, NotificationChannel]:
        """The rule that a form describes, not kept, with its channel.

        Raises :class:`NotificationInvalid`.
        """
        staff.require(*LOOK_ROLES)
        async with self.database.reading() as session:
            known = {one.id: one for one in await rows.channels(session)}
        columns = form.columns(_kind(known, form.channel_id, "channel_id"), None)
        rule = NotificationRule(id="draft", channel_id=form.channel_id, version=0, **columns)
        return rule, known[form.channel_id]

    async def _checked(
        self, kind: Kind, form: ChannelForm, kept: Mapping[str, str]
    ) -> dict[str, Any]:
        """What rests of the plain fields, once they and the secrets make a configuration."""
        plain = typed(kind, form.fields)
        secrets = {**kept, **{n: s for n, s in form.secrets.items() if s}}
        config = config_of(kind, plain, secrets)
        await check_address(kind, config, self.settings)
        return config.model_dump(mode="json", exclude=set(kind.secrets))

    def _opened(
        self, channel: NotificationChannel, kind: Kind, form: ChannelForm
    ) -> dict[str, str]:
        """Secrets that stay; they are opened only to check the whole."""
        return {
            name: self.vault.open(sealed, place_of(channel.id, name))
            for name, sealed in channel.secrets.items()
            if name in kind.secrets and not form.secrets.get(name) and name not in form.forget
        }

    def _sealed(self, channel_id: str, kind: Kind, form: ChannelForm) -> dict[str, str]:
        return {
            name: self.vault.seal(form.secrets[name], place_of(channel_id, name))
            for name in kind.secrets
            if form.secrets.get(name)
        }


async def _trail(
    session: AsyncSession,
    staff: Principal,
    action: str,
    subject: str,
    *,
    now: datetime,
    **detail: Any,
) -> None:
    await audit.record(
        session,
        actor=f"staff:{staff.staff_id}",
        action=action,
        subject=f"{action.partition('.')[0]}:{subject}",
        detail=detail,
        now=now,
    )


def _kind(known: Mapping[str, NotificationChannel], channel_id: str, field: str) -> Kind:
    channel = known.get(channel_id)
    if channel is None:
        raise NotificationInvalid(field, "missing")
    return KINDS[ChannelKind(channel.kind)]
