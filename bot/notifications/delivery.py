"""One attempt to send: the notice that is handed over, and the rows that tell its outcome.

Refuses to send; ``bot.notifications.sending`` does, and writes in one transaction with this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from bot.notifications import repository as rows
from bot.notifications.events import DIGEST
from bot.notifications.tables import (
    ChannelState,
    Notification,
    NotificationAttempt,
    NotificationChannel,
    NotificationStatus,
)
from bot.phrases import Phrases
from connectors.notify_base import Notice
from store import audit, outbox
from store.outbox import MAX_ATTEMPTS, Claimed

#: A channel whose credentials were refused is tried again by itself after this.
BROKEN_RETRY = timedelta(minutes=15)
#: Lines of one digest; the rest is counted.
DIGEST_LINES = 40
#: Who acts where no person does.
ACTOR = "system:notifier"


class Outcome(StrEnum):
    """What an attempt ended as; the values are phrase keys."""

    SENT = rows.SENT
    HELD = "held"
    #: As `HELD`, for one recipient; others go on.
    PERSON_HELD = "person_held"
    RETRY = "retry"
    REFUSED = "refused"
    MISCONFIGURED = "misconfigured"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt and its outcome; ``ids`` are the notification's and those inside it."""

    row: Claimed
    channel: NotificationChannel
    notification: Notification
    ids: Sequence[str]
    outcome: Outcome
    error: str
    elapsed_ms: int


def notice_of(
    notification: Notification,
    members: Sequence[Notification],
    phrases: Phrases,
    *,
    urgent: bool,
) -> Notice:
    """What the connector is given."""
    title, text = notification.title, notification.text
    if notification.event == DIGEST:
        title = phrases.say("notify.digest.heading", count=len(members))
        text = "\n".join(f"{n}. {one.title}" for n, one in enumerate(members[:DIGEST_LINES], 1))
        if len(members) > DIGEST_LINES:
            text += "\n" + phrases.say("notify.digest.more", count=len(members) - DIGEST_LINES)
    return Notice(
        key=notification.id,
        thread=notification.thread,
        title=title,
        text=text,
        template=notification.event,
        recipient=notification.recipient,
        urgent=urgent,
        link=notification.link,
        mentions=tuple(notification.mentions),
        values={name: str(value) for name, value in notification.values.items()},
        facts={
            "number": notification.subject,
            "severity": notification.severity,
            "region": notification.region,
            "count": max(len(members), 1),
        },
    )


async def note_outcome(
    session: AsyncSession, delivery: Delivery, *, now: datetime, wait_s: float
) -> None:
    """Settle the row, the notification and the channel; write the attempt down."""
    row, outcome, error = delivery.row, delivery.outcome, delivery.error
    match outcome:
        case Outcome.SENT:
            await outbox.settle_sent(session, row, now=now)
            await rows.settle(session, delivery.ids, NotificationStatus.SENT, now)
        case Outcome.HELD | Outcome.PERSON_HELD:
            until = now + timedelta(seconds=wait_s)
            await outbox.settle_held(session, row, error=error, until=until)
        case Outcome.MISCONFIGURED:
            await outbox.settle_held(session, row, error=error, until=now)
        case Outcome.REFUSED:
            await outbox.settle_failed(session, row, error=error, now=now)
            await rows.settle(session, delivery.ids, NotificationStatus.FAILED, now)
        case Outcome.RETRY:
            await outbox.settle_retry(session, row, error=error, now=now)
            if row.attempts >= MAX_ATTEMPTS:
                await rows.settle(session, delivery.ids, NotificationStatus.FAILED, now)
    if outcome in (Outcome.HELD, Outcome.PERSON_HELD):
        return  # nothing was tried
    await note_attempt(session, delivery, now=now)
    await note_health(session, delivery.channel.id, outcome, error, now=now)


async def note_health(
    session: AsyncSession, channel_id: str, outcome: Outcome, error: str, *, now: datetime
) -> None:
    """What an attempt says about the channel: it works, or it is broken until somebody looks."""
    channel = await rows.channel(session, channel_id, lock=True)
    if error:
        channel.last_error_at, channel.last_error = now, error
    if outcome is Outcome.SENT:
        channel.last_ok_at = now
        if channel.state == ChannelState.BROKEN.value:
            channel.state, channel.retry_at = ChannelState.ON.value, None
        return
    if outcome is Outcome.MISCONFIGURED and channel.state != ChannelState.OFF.value:
        channel.state, channel.retry_at = ChannelState.BROKEN.value, now + BROKEN_RETRY


async def note_attempt(session: AsyncSession, delivery: Delivery, *, now: datetime) -> None:
    """The attempt, and its entry in the audit trail."""
    session.add(
        NotificationAttempt(
            channel_id=delivery.channel.id,
            notification_id=delivery.notification.id,
            at=now,
            outcome=delivery.outcome.value,
            error=delivery.error,
            elapsed_ms=delivery.elapsed_ms,
        )
    )
    await audit.record(
        session,
        actor=ACTOR,
        action=f"notification.{delivery.outcome.value}",
        subject=f"notification_channel:{delivery.channel.id}",
        detail={
            "notification": delivery.notification.id,
            "event": delivery.notification.event,
            "subject": delivery.notification.subject,
            "error": delivery.error,
            "attempt": delivery.row.attempts,
        },
        now=now,
    )
