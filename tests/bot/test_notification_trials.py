"""Notification rules tried on the past: which news, to whom, when; nothing is sent or kept."""

from datetime import datetime, timedelta
from typing import Any

from bot.notifications.planning import Planner, Target
from bot.notifications.tables import NotificationRule
from bot.phrases import load
from bot.rules.notification_trials import Messages
from bot.settings import data_dir
from handoff.rule_trial_repository import Past
from handoff.ticket import Action
from tests.bot.notification_builders import robot, rule
from tests.handoff.people import CHEN, NOW
from tests.handoff.rule_builders import ABOUT, Story
from tests.handoff.terms import shipped_terms

PHRASES = load(data_dir() / "locales" / "zh-CN.yml")
DAY = timedelta(days=1)


def tried(story: Story, *, now: datetime = NOW + DAY, people: int = 1, **over: Any) -> Messages:
    """What a rule would have sent about one ticket."""
    kept: NotificationRule = rule(**over)
    channel = robot("http://127.0.0.1:1")
    whom = [Target(channel, f"p{n}" if people > 1 else "", ()) for n in range(people)]
    planner = Planner(PHRASES, "")
    messages = Messages(kept, whom, planner, shipped_terms(), NOW - DAY, now)
    messages.judge(Past("FS1", "送审失败", ABOUT, story.events))
    return messages


def raised() -> Story:
    """Opened, rated up, rated down, and never answered."""
    story = Story().then(Action.CHANGE_SEVERITY, CHEN, 5, severity="重大", why="全市")
    return story.then(Action.CHANGE_SEVERITY, CHEN, 5, severity="一般", why="误判")


def test_each_piece_of_news_is_counted_once_with_its_severity_at_the_time() -> None:
    result = tried(raised(), events=["opened", "severity_raised"]).result()
    assert result["events"] == {"opened": 1, "severity_raised": 1}
    assert [(one["event"], one["severity"]) for one in result["messages"]] == [
        ("severity_raised", "重大"),
        ("opened", "一般"),
    ]
    assert result["ways"] == {"at_once": 2}
    assert result["unseen"] == []
    assert "FS1 级别升高" in result["messages"][0]["title"]
    major = tried(raised(), severities=["重大"], events=["opened", "severity_raised"])
    assert major.matched == 1


def test_deadlines_that_came_near_and_passed_are_told_once_each() -> None:
    quiet = tried(Story(), events=["sla_warning", "sla_breached"])
    told = [(one["event"], one["at"]) for one in quiet.result()["messages"]]
    assert {event for event, _ in told} == {"sla_warning", "sla_breached"}
    assert len(told) == len(set(told))
    answered = Story().then(Action.CLAIM, CHEN, 1).then(Action.REPLY, CHEN, 1)
    answered.then(Action.RESOLVE, CHEN, 1, cause="x", solution="y", confirm_until=NOW.isoformat())
    left = tried(answered, events=["sla_warning", "sla_breached"]).result()["messages"]
    assert all("报告" in one["title"] for one in left), "what was kept in time is no news"
    early = tried(Story(), now=NOW + timedelta(minutes=1), events=["sla_breached"])
    assert early.matched == 0, "what lies ahead has not happened"


def test_quiet_hours_digests_and_people_are_as_when_it_is_on() -> None:
    held = tried(raised(), events=["opened"], quiet_from="00:00", quiet_until="23:59").result()
    assert held["ways"] == {"held": 1}
    assert held["messages"][0]["leaves"] > held["messages"][0]["at"]
    gathered = tried(
        raised().then(Action.CLAIM, CHEN, 1).then(Action.ESCALATE, CHEN, 1, why="x", level="二线"),
        people=3,
        events=["opened", "escalated"],
        digest_minutes=60,
    )
    assert gathered.matched == 2
    assert gathered.sent == 3, "both in one digest for each of three"
    assert gathered.result()["people"] == {"p0": 1, "p1": 1, "p2": 1}
    assert gathered.result()["busiest"]["count"] == 3


def test_what_the_past_cannot_tell_is_named() -> None:
    everything = tried(Story()).result()
    assert everything["unseen"] == ["unanswered", "incident", "alert", "rule"]
    other = tried(Story(), regions=["南海区"]).result()
    assert (other["sent"], other["messages"]) == (0, [])
