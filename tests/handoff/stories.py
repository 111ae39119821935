"""Random but possible lives of a ticket's clock, for properties."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import strategies as st

from handoff.clock_events import (
    CalendarChanged,
    ClockEvent,
    Met,
    Paused,
    Reopened,
    Resumed,
    SeverityChanged,
    Started,
    Transferred,
)
from handoff.contract import Target
from handoff.ticket import PauseReason
from store.vocabulary import Category, Severity
from tests.handoff.terms import ZONE


@dataclass(frozen=True)
class Story:
    """A random but possible life of a ticket, as clock events and as the counter's words."""

    contract: str
    severity: str
    opened: datetime
    events: tuple[ClockEvent, ...]
    words: str

    @property
    def last(self) -> datetime:
        return self.events[-1].at


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Opened around the Spring Festival of 2026; up to seven things, minutes to days apart."""
    contract = draw(st.sampled_from(["foshan", "changzhou", "guangxi"]))
    severity = draw(st.sampled_from(list(Severity)))
    minute = draw(st.integers(0, 14 * 1440))
    opened = datetime(2026, 2, 11, tzinfo=ZONE) + timedelta(minutes=minute)
    events: list[ClockEvent] = [Started(opened, severity, Category.FAULT, contract)]
    words: list[str] = []
    now, paused, resolved = opened, False, False
    for _ in range(draw(st.integers(0, 7))):
        gap = draw(st.one_of(st.integers(0, 90), st.integers(0, 2000)))
        now += timedelta(minutes=gap)
        verbs = ["severity", "calendar", "now"]
        verbs += ["reopen"] if resolved else ["resolve", "respond", "resume" if paused else "pause"]
        verb = draw(st.sampled_from(verbs))
        event, word = _happening(draw, verb, now)
        if event is not None:
            events.append(event)
        words.append(f"{now:%Y-%m-%d %H:%M} {word}")
        paused = verb == "pause" or (paused and verb not in {"resume", "resolve"})
        resolved = verb == "resolve" or (resolved and verb != "reopen")
    looked = f"{now:%Y-%m-%d %H:%M} now"
    if events[-1].at < now:
        events.append(Transferred(now))
    return Story(contract, severity.value, opened, tuple(events), "; ".join([*words, looked]))


def _happening(draw: st.DrawFn, verb: str, now: datetime) -> tuple[ClockEvent | None, str]:
    match verb:
        case "severity":
            severity = draw(st.sampled_from(list(Severity)))
            return SeverityChanged(now, severity), f"severity {severity}"
        case "calendar":
            calendar = draw(st.sampled_from(["foshan", "changzhou", "guangxi", "guangdong"]))
            return CalendarChanged(now, calendar), f"calendar {calendar}"
        case "pause":
            return Paused(now, PauseReason.USER), "pause 等用户"
        case "resume":
            return Resumed(now), "resume"
        case "resolve":
            return Met(now, Target.RESOLVE), "resolve"
        case "reopen":
            return Reopened(now), "reopen"
        case "respond":
            return Met(now, Target.RESPOND), "met respond"
        case _:
            return None, "now"
