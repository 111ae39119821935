"""Takes deliveries of monitoring systems in: checked, written down, folded, told.

One delivery is one transaction: when this returns, it is recorded; when it raises anything but
``AlertRefused``, the sender must send again, and may, because everything here happens once.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts import repository as rows
from bot.alerts.authentication import SIGNATURE_HEADER, Credentials, check
from bot.alerts.folding import Change, Known, Step, step
from bot.alerts.proposals import proposals_from_alert
from bot.alerts.reading import Alert, FieldMap, Flaw, Report, read
from bot.alerts.sources import SourceKind, place_of
from bot.alerts.tables import (
    AlertDelivery,
    AlertInstance,
    AlertSilence,
    AlertSource,
    AlertStatus,
)
from bot.cards import local_time
from bot.clock import Clock
from bot.conversations.greeting import LOCAL
from bot.conversations.live import STAFF, Live
from bot.incidents import alerts as incident_alerts
from bot.notifications.errors import (
    AlertRefused,
    NotificationGone,
    SecretsKeyMissing,
    SecretUnreadable,
)
from bot.notifications.events import Happened, NoticeEvent
from bot.notifications.service import Notifications
from bot.secrets_at_rest import Vault
from store.base import new_id
from store.session import Database
from store.vocabulary import Severity

#: What is kept of a body; enough to see what a sender sends.
BODY_CHARS = 20_000
#: Bodies and what was over are kept this long.
KEPT = timedelta(days=30)
FORGET_S = 6 * 3_600.0
#: New alerts of one name in one delivery are told together; of more names, as one.
MAX_TOLD = 20

log = structlog.get_logger("bot.alerts")


@dataclass(frozen=True, slots=True)
class Received:
    """What a delivery did."""

    alerts: int
    begun: int
    ended: int
    told: int
    flaw: Flaw


@dataclass(slots=True)
class _Folding:
    """One delivery being folded into what is known."""

    source: AlertSource
    silences: Sequence[AlertSilence]
    now: datetime
    known: dict[str, list[AlertInstance]] = field(default_factory=lambda: defaultdict(list))
    news: list[AlertInstance] = field(default_factory=list)
    begun: int = 0
    ended: int = 0


@dataclass(frozen=True, slots=True)
class Alerts:
    """Everything that comes in."""

    database: Database
    vault: Vault
    notifications: Notifications
    live: Live
    clock: Clock

    async def receive(self, source_id: str, headers: Mapping[str, str], body: bytes) -> Received:
        """Record and fold one delivery. Raises :class:`AlertRefused`, the same for everything."""
        now = self.clock()
        source = await self._source(source_id)
        check(self._credentials(source), headers, body, now)
        # A large body takes a while to read, in which others are served.
        report = await asyncio.to_thread(read, body, field_map_of(source), now)
        async with self.database.transaction() as session:
            received = await self._take(session, source_id, report, body, now)
        if received.told:
            self.notifications.sender.wake()
        if received.begun or received.ended:
            self.live.publish(STAFF)
        log.info(
            "alerts_received",
            source=source_id,
            alerts=received.alerts,
            begun=received.begun,
            ended=received.ended,
            flaw=received.flaw.value,
            truncated=report.truncated,
        )
        return received

    async def note_oversized(
        self, source_id: str, headers: Mapping[str, str], start: bytes, size: int
    ) -> None:
        """Record that a delivery was too large, by its ``start``; raises :class:`AlertRefused`.

        Its token is checked; a signature could not be without all of the body.
        """
        now = self.clock()
        credentials = self._credentials(await self._source(source_id))
        check(replace(credentials, hmac_secret=""), headers, start, now)
        report = Report((), 0, Flaw.TOO_LARGE)
        async with self.database.transaction() as session:
            await self._take(session, source_id, report, start, now)
        log.error("alerts_too_large", source=source_id, bytes=size)

    async def forget_old(self) -> None:
        """Drop bodies and past alerts that are older than they are kept."""
        async with self.database.transaction() as session:
            await rows.forget_before(session, self.clock() - KEPT)

    async def run_forgetting(self) -> None:
        """Forget now and again, until cancelled."""
        while True:
            await self.forget_old()
            await asyncio.sleep(FORGET_S)

    async def _source(self, source_id: str) -> AlertSource:
        try:
            async with self.database.glance() as session:
                source = await rows.source(session, source_id)
        except NotificationGone:
            raise AlertRefused from None
        if not source.enabled:
            raise AlertRefused
        return source

    def _credentials(self, source: AlertSource) -> Credentials:
        """What the source must prove. A lost key is ours to mend, so the sender sends again."""
        opened = {
            name: self.vault.open(sealed, place_of(source.id, name))
            for name, sealed in source.secrets.items()
        }
        return Credentials(
            token=opened.get("token", ""),
            hmac_secret=opened.get("hmac_secret", ""),
            signature_header=source.config.get("signature_header") or SIGNATURE_HEADER,
            timestamp_header=source.config.get("timestamp_header") or "",
        )

    async def _take(
        self, session: AsyncSession, source_id: str, report: Report, body: bytes, now: datetime
    ) -> Received:
        # Held until the end: two deliveries of one source are folded one after the other.
        source = await rows.source(session, source_id, lock=True)
        source.last_in_at, source.accepted = now, source.accepted + len(report.alerts)
        if report.flaw is not Flaw.NONE:
            source.last_flaw, source.last_flaw_at = report.flaw.value, now
        await rows.note_delivery(session, _delivery(source_id, report, body, now))
        folding = _Folding(source, await rows.silences(session, now), now)
        fingerprints = [alert.fingerprint for alert in report.alerts]
        for instance in await rows.instances_of(session, source_id, fingerprints):
            folding.known[instance.fingerprint].append(instance)
        for alert in report.alerts:
            _fold(session, folding, alert)
        await session.flush()
        told = await self._tell(session, folding)
        proposals = proposals_from_alert(folding.news)
        await incident_alerts.propose(session, proposals, zone=LOCAL, now=now)
        return Received(len(report.alerts), folding.begun, folding.ended, told, report.flaw)

    async def _tell(self, session: AsyncSession, folding: _Folding) -> int:
        """Tell what is new, by name and severity; how many pieces of news that makes."""
        least = Severity(folding.source.config.get("tell_from") or Severity.GENERAL)
        groups: dict[tuple[str, str], list[AlertInstance]] = defaultdict(list)
        for instance in folding.news:
            if Severity(instance.severity).rank >= least.rank:
                groups[(instance.severity, instance.name)].append(instance)
            instance.told = True
        by_rank = sorted(groups.values(), key=lambda group: -Severity(group[0].severity).rank)
        if len(by_rank) > MAX_TOLD:
            rest = [one for group in by_rank[MAX_TOLD - 1 :] for one in group]
            by_rank = [*by_rank[: MAX_TOLD - 1], rest]
        for group in by_rank:
            happened = self._happened(folding, group)
            await self.notifications.announce(session, happened, now=folding.now)
        return len(by_rank)

    def _happened(self, folding: _Folding, group: Sequence[AlertInstance]) -> Happened:
        first = group[0]
        say = self.notifications.phrases.say
        title = first.name
        if len(group) > 1:
            title = say("alerts.several", name=first.name, count=len(group))
        return Happened(
            key=f"alert:{first.id}",
            event=NoticeEvent.ALERT,
            at=folding.now,
            severity=Severity(first.severity),
            subject="",
            region=first.region,
            path="/console/alerts",
            values={
                "title": title,
                "detail": first.summary,
                "source": folding.source.name,
                "module": first.module,
                "opened": local_time(first.starts_at),
            },
        )


def field_map_of(source: AlertSource) -> FieldMap | None:
    """Where a JSON source has what; ``None`` for senders that speak as Alertmanager does."""
    if source.kind != SourceKind.GENERIC.value:
        return None
    given: dict[str, Any] = source.config.get("fields") or {}
    return FieldMap(**given)


def _delivery(source_id: str, report: Report, body: bytes, now: datetime) -> AlertDelivery:
    # PostgreSQL takes no zero characters in texts.
    text = body[: 4 * BODY_CHARS].decode("utf-8", "replace").replace("\x00", "\ufffd")[:BODY_CHARS]
    return AlertDelivery(
        source_id=source_id,
        digest=hashlib.sha256(body).hexdigest(),
        body=text,
        flaw=report.flaw.value,
        truncated=report.truncated,
        alerts=len(report.alerts),
        times=1,
        first_at=now,
        last_at=now,
    )


def _fold(session: AsyncSession, folding: _Folding, alert: Alert) -> None:
    instances = folding.known[alert.fingerprint]
    decided = step(alert, [_known(one) for one in instances], folding.now)
    instance = next((one for one in instances if one.id == decided.id), None)
    match decided.change:
        case Change.BEGIN | Change.BEGIN_FLAPPING | Change.NOTE_END:
            instance = _new(folding, alert, decided)
            session.add(instance)
            instances.append(instance)
            folding.begun += decided.change is not Change.NOTE_END
        case Change.GO_ON if instance is not None:
            instance.status, instance.ends_at = AlertStatus.FIRING.value, None
            folding.begun += 1
        case Change.END if instance is not None:
            instance.status = AlertStatus.RESOLVED.value
            instance.ends_at = alert.ends_at or folding.now
            folding.ended += 1
        case _:
            pass
    if instance is None:
        return
    instance.times, instance.last_at = instance.times + 1, folding.now
    _muted_or_news(folding, instance)


def _muted_or_news(folding: _Folding, instance: AlertInstance) -> None:
    """Note whether staff is to be told now: it goes on, nobody was told, nothing mutes it."""
    if instance.status != AlertStatus.FIRING.value or instance.told or not instance.known:
        return
    instance.muted = any(covers(silence, instance, folding.now) for silence in folding.silences)
    if not instance.muted and instance not in folding.news:
        folding.news.append(instance)


def covers(silence: AlertSilence, instance: AlertInstance, now: datetime) -> bool:
    """Whether the silence holds now and names only labels that the alert has."""
    holds = silence.starts_at <= now < silence.ends_at
    labels = {**instance.labels, "alertname": instance.name, "source": instance.source_id}
    return holds and all(labels.get(name) == value for name, value in silence.labels.items())


def _known(instance: AlertInstance) -> Known:
    return Known(
        id=instance.id,
        starts_at=instance.starts_at,
        ends_at=instance.ends_at,
        status=AlertStatus(instance.status),
        last_at=instance.last_at,
        flaps=instance.flaps,
    )


def _new(folding: _Folding, alert: Alert, decided: Step) -> AlertInstance:
    config = folding.source.config
    ended = decided.change is Change.NOTE_END
    over = ended or alert.status is AlertStatus.RESOLVED
    label = config.get("module_label") or "module"
    return AlertInstance(
        id=new_id(),
        source_id=folding.source.id,
        fingerprint=alert.fingerprint,
        starts_at=alert.starts_at,
        ends_at=(alert.ends_at or folding.now) if over else None,
        status=AlertStatus.RESOLVED.value if over else AlertStatus.FIRING.value,
        name=_plain(alert.name, 200),
        summary=_plain(alert.summary, 2_000),
        severity=alert.severity.value,
        region=_plain(alert.labels.get("region") or config.get("region") or "", 80),
        module=_plain(_module(config, alert.labels.get(label, "")), 80),
        labels={_plain(k, 300): _plain(v, 300) for k, v in alert.labels.items()},
        link=alert.link,
        known=not ended,
        muted=False,
        # What flaps was told of when it began.
        told=decided.change is Change.BEGIN_FLAPPING,
        flaps=decided.flaps,
        times=0,
        first_at=folding.now,
        last_at=folding.now,
    )


def _module(config: Mapping[str, Any], label: str) -> str:
    """The product's module for the sender's word: mapped, or the source's own, or the word."""
    modules: Mapping[str, str] = config.get("modules") or {}
    return modules.get(label) or config.get("module") or label


def _plain(text: str, limit: int) -> str:
    kept = "".join(c if c.isprintable() or c == "\n" else " " for c in text)
    return kept[:limit]


#: Raised by :meth:`Alerts.receive` when our own key is lost: the sender has to send again.
UNAVAILABLE = (SecretsKeyMissing, SecretUnreadable)
