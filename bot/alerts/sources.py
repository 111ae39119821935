"""Sources of alerts and silences: what administrators and the desk do with them, with its trail.

A token is shown once, when it is made; afterwards it can only be replaced.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.accounts.service import READING_ROLES, Principal
from bot.alerts import repository as rows
from bot.alerts.health import ModuleHealth, by_module
from bot.alerts.reading import FieldMap, field_map
from bot.alerts.tables import AlertDelivery, AlertInstance, AlertSilence, AlertSource
from bot.clock import Clock
from bot.notifications.errors import NotificationChanged, NotificationInvalid
from bot.notifications.forms import named
from bot.secrets_at_rest import Vault
from bot.tables import Role
from store import audit
from store.base import new_id
from store.session import Database
from store.vocabulary import Severity

LOOK_ROLES = READING_ROLES
#: Who may mute alerts besides administrators.
MUTE_ROLES = (Role.OPERATIONS, Role.SECOND_LINE)
#: A silence ends: a forgotten one would hide the next fault.
LONGEST = timedelta(days=30)
MAX_LABELS = 10
#: How far back the state of a module looks for what is over.
HEALTH_BACK = timedelta(days=7)
#: Of a ticket's module so many are looked at, and so many shown.
MOST_LOOKED_AT, MOST_SHOWN = 50, 3
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_PLAIN = ("region", "module", "module_label")
_HEADERS = ("signature_header", "timestamp_header")


class SourceKind(StrEnum):
    """What a source speaks; the values are phrase keys."""

    ALERTMANAGER = "alertmanager"
    GRAFANA = "grafana"
    GENERIC = "generic"


class SilenceKind(StrEnum):
    """Why it is silent; the values are phrase keys."""

    SILENCE = "silence"
    MAINTENANCE = "maintenance"


def place_of(source_id: str, name: str) -> str:
    """What a source's sealed secret belongs to."""
    return f"alert_source:{source_id}:{name}"


@dataclass(frozen=True, slots=True)
class SourceForm:
    """A source's form as it was typed."""

    name: str = ""
    enabled: bool = True
    region: str = ""
    module: str = ""
    module_label: str = ""
    modules: str = ""
    tell_from: str = ""
    signature_header: str = ""
    timestamp_header: str = ""
    hmac_secret: str = ""
    forget_hmac: bool = False
    paths: Mapping[str, str] = field(default_factory=dict)
    version: int = 0

    @classmethod
    def of(cls, source: AlertSource) -> "SourceForm":
        """The form that shows this source, without its secrets."""
        config = source.config
        plain: dict[str, Any] = {name: config.get(name) or "" for name in (*_PLAIN, *_HEADERS)}
        return cls(
            name=source.name,
            enabled=source.enabled,
            modules="\n".join(f"{k}={v}" for k, v in (config.get("modules") or {}).items()),
            tell_from=config.get("tell_from") or "",
            paths=config.get("fields") or {},
            version=source.version,
            **plain,
        )

    def config(self, kind: SourceKind) -> dict[str, Any]:
        """What rests of it. Raises :class:`NotificationInvalid`."""
        for name in _HEADERS:
            text = getattr(self, name)
            if text and not _HEADER.fullmatch(text):
                raise NotificationInvalid(name, "value")
        for name in _PLAIN:
            if len(getattr(self, name)) > 80:
                raise NotificationInvalid(name, "long")
        if self.tell_from and self.tell_from not in tuple(Severity):
            raise NotificationInvalid("tell_from", "value")
        if self.hmac_secret and len(self.hmac_secret) < 8:
            raise NotificationInvalid("hmac_secret", "value")
        config: dict[str, Any] = {name: getattr(self, name) for name in (*_PLAIN, *_HEADERS)}
        config |= {"modules": _modules(self.modules), "tell_from": self.tell_from}
        if kind is SourceKind.GENERIC:
            mapped = field_map(self.paths)
            config["fields"] = {one.name: getattr(mapped, one.name) for one in fields(FieldMap)}
        return config


def _modules(text: str) -> dict[str, str]:
    pairs = [line.partition("=") for line in text.splitlines() if line.strip()]
    if len(pairs) > 200 or any(not mark or not key.strip() for key, mark, _ in pairs):
        raise NotificationInvalid("modules", "pairs")
    return {key.strip()[:80]: value.strip()[:80] for key, _, value in pairs}


@dataclass(frozen=True, slots=True)
class AlertBoard:
    """What the pages show."""

    firing: Sequence[AlertInstance]
    total: int
    over: Sequence[AlertInstance]
    flawed: Sequence[AlertDelivery]
    silences: Sequence[AlertSilence]
    sources: Sequence[AlertSource]
    modules: Sequence[ModuleHealth]


@dataclass(frozen=True, slots=True)
class AlertDesk:
    """The verbs."""

    database: Database
    vault: Vault
    clock: Clock

    async def board(self, staff: Principal) -> AlertBoard:
        """What goes on, what is over, what could not be read, what is mute, who sends."""
        staff.require(*LOOK_ROLES)
        now = self.clock()
        async with self.database.reading() as session:
            return AlertBoard(
                firing=sorted(
                    _covered(staff, await rows.firing(session)),
                    key=lambda one: -Severity(one.severity).rank,
                ),
                total=await rows.count_firing(session),
                over=_covered(staff, await rows.over(session)),
                flawed=await rows.flawed(session),
                silences=await rows.silences(session, now),
                sources=await rows.sources(session),
                modules=by_module(
                    await rows.groups(session, over_since=now - HEALTH_BACK),
                    lambda one: staff.covers(region=one.region or None, module=one.module or None),
                ),
            )

    async def of_module(self, staff: Principal, module: str) -> Sequence[AlertInstance]:
        """The worst of what goes on in a module, within the account's scope; a few."""
        staff.require(*LOOK_ROLES)
        if not module:
            return ()
        async with self.database.glance() as session:
            found = _covered(staff, await rows.of_module(session, module, limit=MOST_LOOKED_AT))
        return sorted(found, key=lambda one: -Severity(one.severity).rank)[:MOST_SHOWN]

    async def source(self, staff: Principal, source_id: str) -> AlertSource:
        """One source. Raises :class:`NotificationGone`."""
        staff.require()
        async with self.database.reading() as session:
            return await rows.source(session, source_id)

    async def add_source(
        self, staff: Principal, kind: SourceKind, form: SourceForm
    ) -> tuple[str, str]:
        """Make a source; its id, and its token, which is shown this once."""
        staff.require()
        source_id, token, now = new_id(), secrets.token_urlsafe(32), self.clock()
        sealed = {"token": self.vault.seal(token, place_of(source_id, "token"))}
        if form.hmac_secret:
            place = place_of(source_id, "hmac_secret")
            sealed["hmac_secret"] = self.vault.seal(form.hmac_secret, place)
        row = AlertSource(
            id=source_id,
            name=named(form.name),
            kind=kind.value,
            enabled=form.enabled,
            config=form.config(kind),
            secrets=sealed,
            version=1,
            created_at=now,
            updated_at=now,
            last_flaw="",
            accepted=0,
        )
        async with self.database.transaction() as session:
            session.add(row)
            await session.flush()
            await _trail(session, staff, "alert_source.added", source_id, now)
        return source_id, token

    async def change_source(self, staff: Principal, source_id: str, form: SourceForm) -> None:
        """Save a source; its token stays. Raises also :class:`NotificationChanged`."""
        staff.require()
        now = self.clock()
        async with self.database.transaction() as session:
            source = await rows.source(session, source_id, lock=True)
            if source.version != form.version:
                raise NotificationChanged(source_id)
            kept = dict(source.secrets)
            if form.forget_hmac:
                kept.pop("hmac_secret", None)
            if form.hmac_secret:
                place = place_of(source_id, "hmac_secret")
                kept["hmac_secret"] = self.vault.seal(form.hmac_secret, place)
            source.secrets, source.config = kept, form.config(SourceKind(source.kind))
            source.name, source.enabled = named(form.name), form.enabled
            source.version, source.updated_at = source.version + 1, now
            await _trail(session, staff, "alert_source.changed", source_id, now)

    async def replace_token(self, staff: Principal, source_id: str) -> str:
        """A new token instead of the old one, shown this once; both are the caller's to move."""
        staff.require()
        token, now = secrets.token_urlsafe(32), self.clock()
        async with self.database.transaction() as session:
            source = await rows.source(session, source_id, lock=True)
            sealed = self.vault.seal(token, place_of(source_id, "token"))
            source.secrets = {**source.secrets, "token": sealed}
            source.version, source.updated_at = source.version + 1, now
            await _trail(session, staff, "alert_source.token_replaced", source_id, now)
        return token

    async def mute(
        self,
        staff: Principal,
        kind: SilenceKind,
        *,
        labels: str,
        comment: str,
        starts_at: datetime,
        ends_at: datetime,
    ) -> str:
        """Mute alerts with these labels (``name=value`` lines) for a time; its id."""
        staff.require(*MUTE_ROLES)
        now = self.clock()
        if not starts_at < ends_at or ends_at <= now or ends_at - max(starts_at, now) > LONGEST:
            raise NotificationInvalid("ends_at", "span")
        if not comment.strip() or len(comment) > 300:
            raise NotificationInvalid("comment", "missing")
        silence = AlertSilence(
            id=new_id(),
            kind=kind.value,
            labels=_matchers(labels, kind),
            comment=comment.strip(),
            author=staff.name[:80],
            starts_at=starts_at,
            ends_at=ends_at,
            created_at=now,
        )
        async with self.database.transaction() as session:
            session.add(silence)
            await session.flush()
            await _trail(session, staff, "alert_silence.added", silence.id, now)
        return silence.id

    async def unmute(self, staff: Principal, silence_id: str) -> None:
        """End a silence now. Raises :class:`NotificationGone`."""
        staff.require(*MUTE_ROLES)
        now = self.clock()
        async with self.database.transaction() as session:
            silence = await rows.silence(session, silence_id)
            silence.ends_at = min(silence.ends_at, now)
            await _trail(session, staff, "alert_silence.ended", silence_id, now)


def _covered(staff: Principal, instances: Sequence[AlertInstance]) -> list[AlertInstance]:
    return [
        one
        for one in instances
        if staff.covers(region=one.region or None, module=one.module or None)
    ]


def _matchers(text: str, kind: SilenceKind) -> dict[str, str]:
    """Labels to match. Only a maintenance may cover everything, by naming nothing."""
    pairs = [line.partition("=") for line in text.splitlines() if line.strip()]
    bad = any(not mark or not key.strip() or not value.strip() for key, mark, value in pairs)
    if bad or len(pairs) > MAX_LABELS or (not pairs and kind is SilenceKind.SILENCE):
        raise NotificationInvalid("labels", "labels")
    return {key.strip()[:300]: value.strip()[:300] for key, _, value in pairs}


async def _trail(
    session: AsyncSession, staff: Principal, action: str, subject: str, now: datetime
) -> None:
    await audit.record(
        session,
        actor=f"staff:{staff.staff_id}",
        action=action,
        subject=f"{action.partition('.')[0]}:{subject}",
        detail={},
        now=now,
    )
