"""What monitoring systems send, as alerts: Alertmanager v4, Grafana, and JSON by field names.

Texts in alerts are written by whoever can name a disk or a host: they are data, shortened, and
never anything else. Fields that are not known are passed over. Refuses to judge what an alert
means for earlier ones; ``bot.alerts.folding`` does.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.alerts.tables import AlertStatus
from bot.notifications.errors import NotificationInvalid
from store.vocabulary import Severity

#: More alerts than any sender groups; what is beyond is counted as cut off.
MAX_ALERTS = 5_000
MAX_LABELS, LABEL_CHARS, SUMMARY_CHARS = 64, 300, 2_000
#: Before this a time means "none": Go writes its zero time for alerts that go on.
_EPOCH = datetime(1970, 1, 2, tzinfo=UTC)
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
#: Grafana's own alerts about itself: monitoring is out of order, not necessarily the service.
_ABOUT_MONITORING = frozenset({"DatasourceNoData", "DatasourceError"})
_SEVERITIES = {
    "critical": Severity.MAJOR,
    "emergency": Severity.MAJOR,
    "disaster": Severity.MAJOR,
    "page": Severity.MAJOR,
    "high": Severity.URGENT,
    "error": Severity.URGENT,
    "major": Severity.URGENT,
    "warning": Severity.GENERAL,
}


class Flaw(StrEnum):
    """What of a body could not be read; the values are phrase keys."""

    NONE = ""
    JSON = "json"
    SHAPE = "shape"
    PARTLY = "partly"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of one delivery."""

    fingerprint: str
    status: AlertStatus
    starts_at: datetime
    ends_at: datetime | None
    name: str
    summary: str
    severity: Severity
    link: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """What one body holds. ``truncated`` alerts were left out by the sender or by us."""

    alerts: Sequence[Alert]
    truncated: int
    flaw: Flaw


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Where a JSON source has what; dotted paths. ``alerts`` empty: the body is one alert."""

    alerts: str = ""
    name: str = "name"
    summary: str = "message"
    severity: str = "severity"
    status: str = "status"
    resolved: str = "resolved"
    key: str = "id"
    starts_at: str = "time"
    ends_at: str = ""
    link: str = "url"
    labels: str = "labels"


def read(body: bytes, field_map: FieldMap | None, now: datetime) -> Report:
    """The alerts of a body. Never raises: what cannot be read is said by ``flaw``."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return Report((), 0, Flaw.JSON)
    if field_map is None:
        return _prometheus(content, now)
    return _generic(content, field_map, now)


def _prometheus(content: Any, now: datetime) -> Report:
    if not isinstance(content, dict) or not isinstance(content.get("alerts"), list):
        return Report((), 0, Flaw.SHAPE)
    raw = content["alerts"]
    found = [_prometheus_alert(one, now) for one in raw[:MAX_ALERTS]]
    left_out = content.get("truncatedAlerts")
    cut = left_out if isinstance(left_out, int) and left_out > 0 else 0
    return _report(found, cut + max(0, len(raw) - MAX_ALERTS))


def _report(found: Sequence[Alert | None], truncated: int) -> Report:
    alerts = [one for one in found if one is not None]
    flaw = Flaw.NONE if len(alerts) == len(found) else Flaw.PARTLY
    return Report(alerts, truncated, Flaw.SHAPE if found and not alerts else flaw)


def _prometheus_alert(raw: Any, now: datetime) -> Alert | None:
    if not isinstance(raw, dict) or raw.get("status") not in tuple(AlertStatus):
        return None
    labels = _labels(raw.get("labels"))
    notes = _labels(raw.get("annotations"))
    starts = _instant(raw.get("startsAt"))
    name = labels.get("alertname", "")
    if starts is None or not labels:
        return None
    lines = (notes.get("summary"), notes.get("description") or notes.get("message"))
    given = raw.get("fingerprint")
    plain = isinstance(given, str) and given.isascii() and given.isalnum() and len(given) <= 64
    return Alert(
        fingerprint=str(given) if plain else _fingerprint(labels),
        status=AlertStatus(raw["status"]),
        starts_at=min(starts, now),
        ends_at=_instant(raw.get("endsAt")),
        name=name[:200] or _fingerprint(labels)[:12],
        summary="\n".join(line for line in lines if line)[:SUMMARY_CHARS],
        severity=_severity(name, labels.get("severity", "")),
        link=_link(raw.get("panelURL") or raw.get("generatorURL")),
        labels=labels,
    )


def _generic(content: Any, fields: FieldMap, now: datetime) -> Report:
    raw = _at(content, fields.alerts) if fields.alerts else content
    every = raw if isinstance(raw, list) else [raw]
    found = [_generic_alert(one, fields, now) for one in every[:MAX_ALERTS]]
    return _report(found, max(0, len(every) - MAX_ALERTS))


def _generic_alert(raw: Any, fields: FieldMap, now: datetime) -> Alert | None:
    name = _text(_at(raw, fields.name), 200)
    if not isinstance(raw, dict) or not name:
        return None
    labels = {**_labels(_at(raw, fields.labels)), "alertname": name}
    key = _text(_at(raw, fields.key), LABEL_CHARS)
    over = _text(_at(raw, fields.status), LABEL_CHARS).lower() == fields.resolved.lower()
    ends = _instant(_at(raw, fields.ends_at)) if fields.ends_at else None
    return Alert(
        fingerprint=_fingerprint({"key": key} if key else labels),
        status=AlertStatus.RESOLVED if over else AlertStatus.FIRING,
        starts_at=min(_instant(_at(raw, fields.starts_at)) or now, now),
        ends_at=(ends or now) if over else None,
        name=name,
        summary=_text(_at(raw, fields.summary), SUMMARY_CHARS),
        severity=_severity(name, _text(_at(raw, fields.severity), LABEL_CHARS)),
        link=_link(_at(raw, fields.link)),
        labels=labels,
    )


def _at(raw: Any, path: str) -> Any:
    for part in path.split(".") if path else ():
        if not isinstance(raw, dict):
            return None
        raw = raw.get(part)
    return raw


def _text(value: Any, limit: int) -> str:
    if isinstance(value, str):
        return value.strip()[:limit]
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _labels(raw: Any) -> dict[str, str]:
    if not isinstance(raw, dict):
        return {}
    pairs = ((str(key)[:LABEL_CHARS], _text(value, SUMMARY_CHARS)) for key, value in raw.items())
    return dict(sorted(pair for pair in pairs if pair[1])[:MAX_LABELS])


def _instant(raw: Any) -> datetime | None:
    """An instant of RFC 3339 or in seconds; ``None`` for the zero time and for what is none."""
    try:
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            found = _UNIX + timedelta(seconds=raw)
        else:
            found = datetime.fromisoformat(str(raw))
            # Local time of the sender is not known: UTC is what everybody else sends.
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found > _EPOCH else None


def _severity(name: str, word: str) -> Severity:
    if name in _ABOUT_MONITORING:
        return Severity.GENERAL
    if word in tuple(Severity):
        return Severity(word)
    return _SEVERITIES.get(word.lower(), Severity.GENERAL)


def _link(raw: Any) -> str:
    text = raw if isinstance(raw, str) else ""
    fine = text.startswith(("https://", "http://")) and text.isprintable() and " " not in text
    return text if fine and len(text) <= 600 else ""


def _fingerprint(labels: Mapping[str, str]) -> str:
    lines = "\n".join(f"{key}={value}" for key, value in sorted(labels.items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:32]


def field_map(typed: Mapping[str, str]) -> FieldMap:
    """The field names that somebody typed. Raises :class:`NotificationInvalid`."""
    given = {name: text.strip() for name, text in typed.items() if text.strip()}
    for name, text in given.items():
        if len(text) > 100 or not text.isprintable() or " " in text:
            raise NotificationInvalid(name, "value")
    return FieldMap(**given)
