"""What an alert would be as an incident: a proposal for a person, never an incident by itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.alerts.tables import AlertInstance, AlertStatus
from store.vocabulary import Severity

#: Less than this is no fault that many users meet.
LEAST = Severity.URGENT


@dataclass(frozen=True, slots=True)
class AlertProposal:
    """One proposal. ``key`` is the same however often the alert is delivered."""

    key: str
    title: str
    severity: Severity
    module: str | None
    region: str
    began_at: datetime
    summary: str


def proposals_from_alert(instances: Iterable[AlertInstance]) -> list[AlertProposal]:
    """Proposals for what goes on, is not muted, and may concern many users."""
    return [
        AlertProposal(
            key=f"alert:{one.source_id}:{one.fingerprint}:{one.starts_at.isoformat()}",
            title=one.name,
            severity=Severity(one.severity),
            module=one.module or None,
            region=one.region,
            began_at=one.starts_at,
            summary=one.summary,
        )
        for one in instances
        if one.status == AlertStatus.FIRING.value
        and one.known
        and not one.muted
        and Severity(one.severity).rank >= LEAST.rank
    ]
