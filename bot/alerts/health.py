"""How the watched platform does, module by module, as its monitoring says. Pure.

Refuses to say that users are affected: a person decides that. What is muted does not count.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.alerts.tables import AlertStatus
from store.vocabulary import Severity


@dataclass(frozen=True, slots=True)
class AlertGroup:
    """Alerts of one module, region, level and status: how many, the first start, the last word."""

    module: str
    region: str
    severity: str
    status: str
    count: int
    began: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class ModuleHealth:
    """One module; `module` is empty for alerts that name none, `worst` when nothing goes on.

    ``since`` is when the oldest of what goes on began, ``over_at`` when something last ended.
    """

    module: str
    worst: str = ""
    firing: int = 0
    since: datetime | None = None
    over_at: datetime | None = None


def by_module(
    groups: Sequence[AlertGroup], covers: Callable[[AlertGroup], bool]
) -> list[ModuleHealth]:
    """The worst first; only what ``covers`` lets the reader see."""
    found: dict[str, ModuleHealth] = {}
    for group in filter(covers, groups):
        known = found.get(group.module, ModuleHealth(group.module))
        found[group.module] = _with(known, group)
    return sorted(found.values(), key=lambda one: (-_rank(one.worst), -one.firing, one.module))


def _with(known: ModuleHealth, group: AlertGroup) -> ModuleHealth:
    if group.status != AlertStatus.FIRING.value:
        ended = [group.last, *([known.over_at] if known.over_at else [])]
        return replace(known, over_at=max(ended))
    began = [group.began, *([known.since] if known.since else [])]
    return replace(
        known,
        worst=max(known.worst, group.severity, key=_rank),
        firing=known.firing + group.count,
        since=min(began),
    )


def _rank(severity: str) -> int:
    return Severity(severity).rank if severity else -1
