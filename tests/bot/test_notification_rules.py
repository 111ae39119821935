"""Which rule is for which news, when it leaves, and what texts may hold."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversations.greeting import LOCAL
from bot.notifications.errors import NotificationInvalid
from bot.notifications.events import Happened, NoticeEvent
from bot.notifications.rules import concerns, digest_at, hours, leaves_at, reminds
from bot.notifications.templates import PLACEHOLDERS, check, fill, filled_text, filled_title
from store.vocabulary import Severity
from tests.bot.notification_builders import NOW, happened, rule

INSTANTS = st.integers(0, 365 * 86_400).map(lambda seconds: NOW + timedelta(seconds=seconds))


def local(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 20, hour, minute, tzinfo=LOCAL).astimezone(UTC)


@pytest.mark.parametrize(
    ("over", "fits"),
    [
        ({}, True),
        ({"enabled": False}, False),
        ({"events": ["opened"]}, True),
        ({"events": ["resolved"]}, False),
        ({"severities": ["一般"]}, True),
        ({"severities": ["紧急", "重大"]}, False),
        ({"regions": ["禅城区"]}, True),
        ({"regions": ["南海区"]}, False),
        ({"days": [4]}, True),
        ({"days": [5, 6]}, False),
        ({"active_from": "09:00", "active_until": "18:00"}, True),
        ({"active_from": "10:00", "active_until": "10:01"}, True),
        ({"active_from": "09:00", "active_until": "10:00"}, False),
        ({"active_from": "18:00", "active_until": "09:00"}, False),
        ({"active_from": "22:00", "active_until": "11:00"}, True),
    ],
)
def test_a_rule_is_for_what_it_names(over: dict[str, Any], fits: bool) -> None:
    assert concerns(rule(**over), happened()) is fits


@pytest.mark.parametrize(
    ("now", "leaves"),
    [
        (local(21, 59), local(21, 59)),
        (local(22), local(7) + timedelta(days=1)),
        (local(23, 30), local(7) + timedelta(days=1)),
        (local(6, 59), local(7)),
        (local(7), local(7)),
    ],
)
def test_quiet_hours_hold_until_they_end(now: datetime, leaves: datetime) -> None:
    quiet = rule(quiet_from="22:00", quiet_until="07:00")
    assert leaves_at(quiet, Severity.GENERAL, now) == leaves
    assert leaves_at(quiet, Severity.MAJOR, now) == now
    strict = rule(quiet_from="22:00", quiet_until="07:00", major_breaks_quiet=False)
    assert leaves_at(strict, Severity.MAJOR, now) == leaves


@given(INSTANTS, st.integers(1, 720))
def test_a_digest_is_ahead_and_never_far(now: datetime, minutes: int) -> None:
    gathers = rule(digest_minutes=minutes)
    at = digest_at(gathers, Severity.GENERAL, now)
    assert at is not None
    assert timedelta(seconds=5) <= at - now <= timedelta(minutes=minutes, seconds=5)
    # Everything of one span leaves together.
    assert digest_at(gathers, Severity.GENERAL, at - timedelta(seconds=6)) == at
    assert digest_at(gathers, Severity.MAJOR, now) is None


def test_reminders_are_for_tickets_and_end() -> None:
    repeating = rule(repeat_minutes=5, repeat_times=2)
    ticket = happened(ticket_id="t")
    assert [reminds(repeating, ticket, n) for n in (0, 1, 2)] == [True, True, False]
    assert not reminds(repeating, happened(), 0)
    assert not reminds(repeating, happened(ticket_id="t", event=NoticeEvent.RESOLVED), 0)
    assert not reminds(rule(repeat_times=9), ticket, 0)


@pytest.mark.parametrize(
    ("start", "end"),
    [("9:00", "18:00"), ("09:00", ""), ("", "09:00"), ("25:00", "26:00"), ("08:00", "08:00")],
)
def test_times_that_are_none_are_refused(start: str, end: str) -> None:
    with pytest.raises(NotificationInvalid):
        hours(start, end, "quiet")


def test_news_comes_back_from_rest() -> None:
    told = happened(ticket_id="t", severity=Severity.MAJOR)
    assert Happened.of(told.to_json()) == told


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{nobody}", "placeholder"),
        ("{}", "placeholder"),
        ("{0}", "placeholder"),
        ("{number.__class__}", "placeholder"),
        ("{number[0]}", "placeholder"),
        ("{number", "braces"),
        ("number}", "braces"),
        ("{number!r}", "braces"),
        ("{number:>9999999999}", "braces"),
        ("{number:{title}}", "braces"),
        ("x" * 201, "long"),
    ],
)
def test_templates_that_cannot_be_filled_are_refused(template: str, reason: str) -> None:
    with pytest.raises(NotificationInvalid) as caught:
        check(template, "title", 200)
    assert caught.value.reason == reason


@given(st.text(max_size=60))
def test_what_passes_the_check_can_be_filled(template: str) -> None:
    try:
        check(template, "title", 200)
    except NotificationInvalid:
        return
    fill(template, {})


def test_values_fill_and_never_act() -> None:
    template = check("{number} {title}", "title", 200)
    hostile = {"number": "1", "title": "{number.__class__}\n第二行"}
    assert filled_title(template, hostile) == "1 {number.__class__} 第二行"
    assert filled_text("{detail}\n{title}", {"title": "a\n\nb"}) == "a\nb"
    assert all(check(f"{{{name}}}", "text", 200) for name in PLACEHOLDERS)
    assert NOW.tzinfo is UTC
