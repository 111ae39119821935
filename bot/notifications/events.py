"""What staff can be told about, as values. Refuses to know where it goes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from store.vocabulary import Severity


class NoticeEvent(StrEnum):
    """Kinds of news; the values are phrase keys and what webhooks carry."""

    OPENED = "opened"
    SEVERITY_RAISED = "severity_raised"
    SLA_WARNING = "sla_warning"
    SLA_BREACHED = "sla_breached"
    UNANSWERED = "unanswered"
    ESCALATED = "escalated"
    REOPENED = "reopened"
    RESOLVED = "resolved"
    INCIDENT = "incident"
    ALERT = "alert"
    RULE = "rule"
    ANSWER_PUBLISHED = "answer_published"
    ANSWER_HELD_BACK = "answer_held_back"


#: Not an event that rules choose: what gathered events leave as.
DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Happened:
    """One piece of news. ``key`` names it once and for all; ``subject`` is what people call it.

    News of one ``thread`` belongs together; without one, that of a ticket does.

    ``values`` fill templates; ``ticket_id`` lets reminders stop when somebody takes the ticket.
    """

    key: str
    event: NoticeEvent
    at: datetime
    severity: Severity
    subject: str
    region: str = ""
    ticket_id: str = ""
    path: str = ""
    thread: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """What a row can hold."""
        return {
            "key": self.key,
            "event": self.event.value,
            "at": self.at.isoformat(),
            "severity": self.severity.value,
            "subject": self.subject,
            "region": self.region,
            "ticket_id": self.ticket_id,
            "path": self.path,
            "thread": self.thread,
            "values": dict(self.values),
        }

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Happened":
        """``to_json`` back."""
        return cls(
            key=row["key"],
            event=NoticeEvent(row["event"]),
            at=datetime.fromisoformat(row["at"]),
            severity=Severity(row["severity"]),
            subject=row["subject"],
            region=row["region"],
            ticket_id=row["ticket_id"],
            path=row["path"],
            thread=row["thread"],
            values=row["values"],
        )
