"""What becomes of a ticket that was handed out and not taken up, and whom to try next.

Pure: reads the ticket's own events, so that a router that was restarted goes on where the last
one stopped. Refuses to move tickets and to know where presence comes from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from handoff.lifecycle import Event
from handoff.routing import Engineer, Presence
from handoff.ticket import Action, Actor, ActorKind, Level, Status

#: Who hands out, takes back and hands up by itself.
ROUTER = Actor(ActorKind.SYSTEM, "router", "")

#: What begins a new stay in a queue: earlier offers do not count any more.
_NEW_STAY = frozenset(
    {Action.OPEN, Action.CLAIM, Action.TRANSFER, Action.ESCALATE, Action.REOPEN, Action.RESOLVE}
)
#: The levels that are routed. The province works outside this product.
ROUTED = (Level.FIRST, Level.SECOND, Level.CITY)


class Verdict(StrEnum):
    """What to do with a ticket in somebody's hands that is not yet worked on."""

    KEEP = "keep"
    TAKE_BACK = "take_back"
    HAND_UP = "hand_up"


class Why(StrEnum):
    """Why it does not stay; names the phrase that is kept as trace."""

    GONE = "gone"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an offer stands, and how many pass before the next level is asked."""

    unanswered: timedelta
    offers: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and its reason; a kept ticket needs none."""

    verdict: Verdict
    why: Why | None = None


KEEP = Judgement(Verdict.KEEP)


def offers(events: Sequence[Event]) -> tuple[str, ...]:
    """To whom the ticket was handed by the router since it came into its queue, in order."""
    found: list[str] = []
    for event in events:
        if event.action in _NEW_STAY:
            found.clear()
        elif event.action is Action.ASSIGN and event.actor.id == ROUTER.id:
            found.append(str(event.detail["assignee_id"]))
    return tuple(found)


def judge(
    events: Sequence[Event],
    *,
    holder: Presence,
    assigned_at: datetime,
    now: datetime,
    limits: Limits,
) -> Judgement:
    """Whether a ticket that was handed out stays there.

    Who is not there any more loses it at once; who lets it wait too long, then. After so many
    offers the next level is asked, where there is one below the province.
    """
    if not events or events[-1].to_status is not Status.DISPATCHED:
        return KEEP
    if holder in (Presence.OFF, Presence.AWAY):
        return Judgement(Verdict.TAKE_BACK, Why.GONE)
    if now - assigned_at < limits.unanswered:
        return KEEP
    enough = len(offers(events)) >= limits.offers
    up = enough and level_of(events) in ROUTED[:-1]
    return Judgement(Verdict.HAND_UP if up else Verdict.TAKE_BACK, Why.UNANSWERED)


def level_of(events: Sequence[Event]) -> Level:
    """The level that the ticket is at."""
    named = [event.detail["level"] for event in events if event.detail.get("level")]
    return Level(named[-1]) if named else Level.FIRST


def rested(events: Sequence[Event], limits: Limits) -> bool:
    """Whether the router has offered it often enough: from now on it waits to be taken."""
    return len(offers(events)) >= limits.offers


def untried(engineers: Sequence[Engineer], events: Sequence[Event]) -> Sequence[Engineer]:
    """Those to whom it has not been offered yet; everybody when all have let it pass."""
    tried = set(offers(events))
    fresh = [engineer for engineer in engineers if engineer.id not in tried]
    return fresh or engineers
