"""Why each deadline of a ticket is what it is, in words and as data."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.phrases import Phrases
from handoff.contract import Terms
from handoff.explanation import explain, render
from handoff.lifecycle import Event, clock_events
from handoff.sla import fold


def deadlines(
    events: Sequence[Event], terms: Terms, now: datetime, phrases: Phrases
) -> list[dict[str, Any]]:
    """Every promised target with its state and its reckoning line by line."""
    clock = tuple(clock_events(events))
    state = fold(clock, terms, now)
    zone = terms.calendar(state.calendar).zone
    told = []
    for target, found in state.targets.items():
        lines = explain(clock, terms, target, now)
        remaining = found.remaining
        told.append(
            {
                "target": target.value,
                "title": phrases.say(f"sla.target.{target.value}"),
                "phase": found.phase.value,
                "deadline": found.deadline,
                "met_at": found.met_at,
                "breached": found.breached,
                "remaining_s": int(remaining.total_seconds()) if remaining is not None else None,
                "why": list(render(lines, zone=zone, say=phrases.say)),
                "lines": [{"key": line.key, **line.data()} for line in lines],
            }
        )
    return told
