"""Whether an engineer is really there: what they chose, and what their console proves.

Pure. A choice is believed only as long as the console of that engineer answers the heartbeats of
its event stream; a closed laptop, a crash or a lost network end it without anybody's help. Only
people on call need no console, and only for the hours they named. Refuses to store anything.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from handoff.routing import Presence

#: Nobody is on call for longer than this without saying so again.
LONGEST_CALL = timedelta(hours=24)
#: After such a silence a console that answers again is a new working day, not the old choice.
NEW_DAY = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Attendance:
    """What is known of one engineer. ``active_at``: when they last used mouse or keyboard."""

    chosen: Presence
    chosen_until: datetime | None = None
    beat_at: datetime | None = None
    active_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a console may be silent, and an engineer idle, before that tells something."""

    silent: timedelta
    idle: timedelta


NEWCOMER = Attendance(Presence.ONLINE)


def presence_at(known: Attendance, now: datetime, patience: Patience) -> Presence:
    """What is to be believed at ``now``."""
    if known.chosen is Presence.OFF:
        return Presence.OFF
    if known.chosen is Presence.ON_CALL:
        ended = known.chosen_until is None or known.chosen_until <= now
        return Presence.OFF if ended else Presence.ON_CALL
    if known.beat_at is None or now - known.beat_at > patience.silent:
        return Presence.OFF
    idle = known.active_at is not None and now - known.active_at > patience.idle
    return Presence.AWAY if idle else known.chosen


def after_beat(known: Attendance, now: datetime, idle: timedelta) -> Attendance:
    """The console answered; its engineer was last active ``idle`` ago.

    The first answer after a long silence begins a new day: who had left is online again. A call
    that goes on is left alone, one that is over is over.
    """
    rested = known.beat_at is None or now - known.beat_at > NEW_DAY
    on_call = known.chosen is Presence.ON_CALL and (known.chosen_until or now) > now
    begins = (rested or known.chosen is Presence.ON_CALL) and not on_call
    chosen = Presence.ONLINE if begins else known.chosen
    until = known.chosen_until if on_call else None
    return Attendance(chosen, until, now, now - max(idle, timedelta(0)))


def after_choice(now: datetime, chosen: Presence, hours: int | None) -> Attendance:
    """The engineer said so themselves, which is also a sign of life.

    ``hours`` is for how long they are on call, and is left out otherwise.
    """
    until = None
    if chosen is Presence.ON_CALL:
        until = now + min(timedelta(hours=max(hours or 12, 1)), LONGEST_CALL)
    return Attendance(chosen, until, now, now)
