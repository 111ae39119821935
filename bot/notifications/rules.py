"""Whether a rule is for an event, and when its notification leaves. Pure.

Times of day are the region's. 重大 never waits in a digest, and breaks the quiet hours of rules
that allow it.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from bot.conversations.greeting import LOCAL
from bot.notifications.errors import NotificationInvalid
from bot.notifications.events import Happened, NoticeEvent
from bot.notifications.tables import NotificationRule
from store.vocabulary import Severity

#: A digest takes nothing more this shortly before it leaves: it may be on its way already.
DIGEST_SLACK = timedelta(seconds=5)
#: Events after which reminders go on until somebody takes the ticket.
REMINDED = frozenset(
    {
        NoticeEvent.OPENED,
        NoticeEvent.SEVERITY_RAISED,
        NoticeEvent.ESCALATED,
        NoticeEvent.REOPENED,
        NoticeEvent.UNANSWERED,
    }
)


@dataclass(frozen=True, slots=True)
class Hours:
    """Part of a day; it may go over midnight."""

    start: time
    end: time

    def __contains__(self, moment: time) -> bool:
        if self.start < self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


def hours(start: str, end: str, field: str) -> Hours | None:
    """The hours between two texts, or ``None`` without any. Raises ``NotificationInvalid``."""
    if not start and not end:
        return None
    try:
        found = Hours(_time(start), _time(end))
    except ValueError:
        raise NotificationInvalid(field, "time") from None
    if found.start == found.end:
        raise NotificationInvalid(field, "time")
    return found


def _time(text: str) -> time:
    if len(text) != len("HH:MM"):
        raise ValueError("no time of day")
    return time.fromisoformat(text)


def concerns(rule: NotificationRule, happened: Happened) -> bool:
    """Whether the rule is for this event at the time when it happened."""
    local = happened.at.astimezone(LOCAL)
    active = hours(rule.active_from, rule.active_until, "active")
    return (
        rule.enabled
        and (not rule.events or happened.event in rule.events)
        and (not rule.severities or happened.severity in rule.severities)
        and (not rule.regions or happened.region in rule.regions)
        and (not rule.days or local.weekday() in rule.days)
        and (active is None or local.time() in active)
    )


def leaves_at(rule: NotificationRule, severity: Severity, now: datetime) -> datetime:
    """When the notification may leave: now, or at the end of the quiet hours."""
    quiet = hours(rule.quiet_from, rule.quiet_until, "quiet")
    local = now.astimezone(LOCAL)
    if quiet is None or local.time() not in quiet:
        return now
    if severity is Severity.MAJOR and rule.major_breaks_quiet:
        return now
    end = local.replace(hour=quiet.end.hour, minute=quiet.end.minute, second=0, microsecond=0)
    if end <= local:
        end += timedelta(days=1)
    return end.astimezone(now.tzinfo)


def digest_at(rule: NotificationRule, severity: Severity, now: datetime) -> datetime | None:
    """When the digest leaves that takes this notification; ``None`` when it goes by itself."""
    if rule.digest_minutes < 1 or severity is Severity.MAJOR:
        return None
    step = timedelta(minutes=rule.digest_minutes)
    local = now.astimezone(LOCAL) + DIGEST_SLACK
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    next_step = midnight + ((local - midnight) // step + 1) * step
    # Every day begins anew, so that the times of a day are the same every day.
    at = min(next_step, midnight + timedelta(days=1)).astimezone(now.tzinfo)
    return leaves_at(rule, severity, at)


def reminds(rule: NotificationRule, happened: Happened, rounds: int) -> bool:
    """Whether another reminder follows after ``rounds`` of them."""
    return (
        rule.repeat_minutes > 0
        and rounds < rule.repeat_times
        and happened.event in REMINDED
        and bool(happened.ticket_id)
    )
