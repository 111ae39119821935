"""From one piece of news to what leaves where, in the transaction of whoever noticed it.

One notification per event and target, whatever is noticed twice and however many rules fit.
Texts are filled here, so that every attempt says the same. Refuses to send.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.notifications import repository as rows
from bot.notifications.events import DIGEST, Happened
from bot.notifications.kinds import KINDS, ChannelKind, Reach
from bot.notifications.rules import concerns, digest_at, leaves_at, reminds
from bot.notifications.tables import (
    NotificationChannel,
    NotificationRule,
    NotificationStatus,
)
from bot.notifications.templates import filled_text, filled_title
from bot.phrases import Phrases
from store import outbox
from store.base import new_id
from store.vocabulary import Severity

#: Every outbox row of this package is of a kind that begins so; the relay leaves them alone.
PREFIX = "notification"
REMINDER_KIND = f"{PREFIX}_reminder"
_URGENT = ":urgent"


def kind_of(channel_id: str, *, urgent: bool) -> str:
    """The outbox kind of a channel's rows: each channel has its own queues."""
    return f"{PREFIX}:{channel_id}{_URGENT if urgent else ''}"


def channel_of(kind: str) -> tuple[str, bool]:
    """Channel and urgency of an outbox kind."""
    plain = kind.removesuffix(_URGENT)
    return plain.partition(":")[2], plain != kind


@dataclass(frozen=True, slots=True)
class Target:
    """One channel, and one recipient where the channel knows any."""

    channel: NotificationChannel
    recipient: str
    mentions: Sequence[str]


def targets(channel: NotificationChannel, recipients: Sequence[str]) -> Iterator[Target]:
    """Whom a rule reaches."""
    kind = KINDS[ChannelKind(channel.kind)]
    if kind.one_each:
        for recipient in dict.fromkeys(recipients):
            yield Target(channel, recipient, ())
        return
    yield Target(channel, "", recipients if kind.reach is Reach.MENTIONS else ())


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans by the rules as they are now."""

    phrases: Phrases
    public_url: str

    async def plan(self, session: AsyncSession, happened: Happened, *, now: datetime) -> int:
        """Note what leaves because of this; how many notifications are new."""
        rules = [one for one in await rows.rules(session, enabled=True) if concerns(one, happened)]
        if not rules:
            return 0
        channels = {one.id: one for one in await rows.channels(session)}
        planned = 0
        for rule in rules:
            planned += await self._plan(session, rule, channels[rule.channel_id], happened, now)
        return planned

    async def plan_by(
        self, session: AsyncSession, rule_id: str, happened: Happened, *, now: datetime
    ) -> int:
        """As ``plan``, by one rule whatever it is for; 0 too when it is off or gone."""
        rule = next((r for r in await rows.rules(session, enabled=True) if r.id == rule_id), None)
        if rule is None:
            return 0
        channel = await rows.channel(session, rule.channel_id)
        return await self._plan(session, rule, channel, happened, now)

    async def _plan(
        self,
        session: AsyncSession,
        rule: NotificationRule,
        channel: NotificationChannel,
        happened: Happened,
        now: datetime,
    ) -> int:
        new = 0
        for target in targets(channel, rule.recipients):
            new += await self._add(session, rule, happened, target, now)
        if new and reminds(rule, happened, 0):
            await self._remind_later(session, rule, happened, 1, now)
        return new

    async def remind(
        self,
        session: AsyncSession,
        rule: NotificationRule,
        happened: Happened,
        number: int,
        *,
        now: datetime,
    ) -> None:
        """Send the reminder of this number, and plan the next one."""
        channel = await rows.channel(session, rule.repeat_channel_id or rule.channel_id)
        recipients = rule.repeat_recipients if rule.repeat_channel_id else rule.recipients
        for target in targets(channel, recipients):
            await self._add(session, rule, happened, target, now, reminder=number)
        if reminds(rule, happened, number):
            await self._remind_later(session, rule, happened, number + 1, now)

    async def _remind_later(
        self,
        session: AsyncSession,
        rule: NotificationRule,
        happened: Happened,
        number: int,
        now: datetime,
    ) -> None:
        leaves = leaves_at(rule, happened.severity, now)
        key = _digested(happened.key, rule.id, str(number))
        await outbox.enqueue(
            session,
            kind=REMINDER_KIND,
            payload={"rule_id": rule.id, "number": number, "happened": happened.to_json()},
            dedupe_key=f"{REMINDER_KIND}:{key}",
            available_at=leaves + timedelta(minutes=rule.repeat_minutes),
        )

    async def _add(
        self,
        session: AsyncSession,
        rule: NotificationRule,
        happened: Happened,
        target: Target,
        now: datetime,
        *,
        reminder: int = 0,
    ) -> bool:
        parts = [happened.key, target.channel.id, target.recipient]
        values = self.filled(rule, happened, target, now, reminder=reminder)
        values["dedupe_key"] = _digested(*parts, *([str(reminder)] if reminder else []))
        gathers = None if reminder else digest_at(rule, happened.severity, now)
        if gathers is not None:
            digest = await self._digest(session, rule, target, gathers, now)
            values |= {"status": NotificationStatus.GATHERING.value, "digest_id": digest}
            return await rows.add_notification(session, values)
        if not await rows.add_notification(session, values):
            return False
        await _enqueue(session, values)
        return True

    async def _digest(
        self,
        session: AsyncSession,
        rule: NotificationRule,
        target: Target,
        at: datetime,
        now: datetime,
    ) -> str:
        key = _digested(DIGEST, rule.id, target.channel.id, target.recipient, at.isoformat())
        values = _blank(rule, target, now)
        values |= {
            "id": new_id(),
            "dedupe_key": key,
            "event_key": f"{DIGEST}:{at.isoformat()}",
            "event": DIGEST,
            "severity": Severity.GENERAL.value,
            "title": self.phrases.say("notify.digest.title"),
            "thread": f"{DIGEST}:{rule.id}",
            "link": self._link("/console"),
            "send_at": at,
        }
        if await rows.add_notification(session, values):
            await _enqueue(session, values)
            return str(values["id"])
        known = await rows.notification_by_key(session, key)
        return known.id if known is not None else str(values["id"])

    def filled(
        self,
        rule: NotificationRule,
        happened: Happened,
        target: Target,
        now: datetime,
        *,
        reminder: int = 0,
    ) -> dict[str, Any]:
        """The row of a notification, in words."""
        values = {**happened.values, **self._common(happened)}
        default = f"notify.default.{happened.event}"
        title = filled_title(rule.title_template or self._template(f"{default}.title"), values)
        text = filled_text(rule.text_template or self._template(f"{default}.text"), values)
        if reminder:
            title = self.phrases.say("notify.reminder", number=reminder, title=title)
        return {
            **_blank(rule, target, now),
            "id": new_id(),
            "event_key": happened.key,
            "event": happened.event.value,
            "severity": happened.severity.value,
            "region": happened.region,
            "subject": happened.subject,
            "title": title[:300],
            "text": text,
            "link": self._link(happened.path),
            "thread": _thread(happened),
            "values": values,
            "send_at": leaves_at(rule, happened.severity, now),
        }

    def _link(self, path: str) -> str:
        return f"{self.public_url.rstrip('/')}{path}" if self.public_url else ""

    def _template(self, key: str) -> str:
        return self.phrases.lines(key)[0]

    def _common(self, happened: Happened) -> Mapping[str, str]:
        return {
            "event": self.phrases.say(f"notify.event.{happened.event}"),
            "severity": happened.severity.value,
            "number": happened.subject,
            "region": happened.region,
        }


def _blank(rule: NotificationRule, target: Target, now: datetime) -> dict[str, Any]:
    return {
        "rule_id": rule.id,
        "channel_id": target.channel.id,
        "recipient": target.recipient,
        "mentions": list(target.mentions),
        "status": NotificationStatus.PENDING.value,
        "region": "",
        "subject": "",
        "text": "",
        "link": "",
        "values": {},
        "digest_id": None,
        "created_at": now,
        "settled_at": None,
    }


def _thread(happened: Happened) -> str:
    if happened.ticket_id and not happened.thread:
        return f"ticket:{happened.ticket_id}"
    return (happened.thread or happened.key)[:80]


async def _enqueue(session: AsyncSession, values: Mapping[str, Any]) -> None:
    urgent = values["severity"] == Severity.MAJOR.value
    await outbox.enqueue(
        session,
        kind=kind_of(values["channel_id"], urgent=urgent),
        payload={
            "notification_id": values["id"],
            "number": values["subject"],
            "region": values["region"],
        },
        dedupe_key=f"{PREFIX}:{values['id']}",
        available_at=values["send_at"],
    )


def _digested(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
