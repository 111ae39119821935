"""One send outside the queue, for a test or a look at a rule: how it went, and sample news."""

import asyncio
from datetime import datetime

import structlog

from bot.notifications.delivery import Outcome
from bot.notifications.errors import NotificationInvalid
from bot.notifications.events import Happened, NoticeEvent
from bot.notifications.forms import RuleForm
from bot.notifications.makers import Makers
from bot.notifications.tables import NotificationChannel
from bot.notifications.templates import PLACEHOLDERS
from bot.phrases import Phrases
from connectors.base import Held, PermanentError, TransientError
from connectors.notify_base import Misconfigured, Notice
from store.vocabulary import Severity

log = structlog.get_logger("bot.notifications")


async def try_out(
    makers: Makers, channel: NotificationChannel, notice: Notice, *, timeout_s: float
) -> tuple[Outcome, str, int]:
    """Outcome, class or code of the error, and milliseconds. Never raises."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    outcome, error = await _sent(makers, channel, notice, timeout_s)
    return outcome, error[:120], int((loop.time() - began) * 1000)


async def _sent(
    makers: Makers, channel: NotificationChannel, notice: Notice, timeout_s: float
) -> tuple[Outcome, str]:
    try:
        # Its own connector: a test neither waits for the pace of the queue nor uses it up.
        notifier = makers.make(channel)
    except Misconfigured as error:
        return Outcome.MISCONFIGURED, str(error)
    try:
        async with asyncio.timeout(timeout_s):
            remark = await notifier.send(notice)
    except Held as held:
        return Outcome.HELD, str(held)
    except Misconfigured as error:
        return Outcome.MISCONFIGURED, str(error)
    except PermanentError as error:
        return Outcome.REFUSED, str(error)
    except TransientError as error:
        return Outcome.RETRY, str(error)
    except Exception as error:
        log.exception("notification_test_crashed", channel=channel.id)
        return Outcome.RETRY, type(error).__name__
    finally:
        await notifier.close()
    return Outcome.SENT, remark or ""


def sample(phrases: Phrases, form: RuleForm, now: datetime) -> Happened:
    """News as the rule would meet it: its first event, its highest severity, sample words."""
    try:
        event = NoticeEvent(form.events[0]) if form.events else NoticeEvent.OPENED
        severities = [Severity(one) for one in form.severities] or [Severity.URGENT]
    except ValueError:
        raise NotificationInvalid("events", "value") from None
    return Happened(
        key="preview",
        event=event,
        at=now,
        severity=max(severities, key=lambda one: one.rank),
        subject=phrases.say("notify.sample.number"),
        region=phrases.say("notify.sample.region"),
        values={name: phrases.say(f"notify.sample.{name}") for name in PLACEHOLDERS},
    )
