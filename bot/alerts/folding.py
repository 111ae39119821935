"""What a delivered alert changes in what is known of its fingerprint. Pure.

An instance is a fingerprint with a start. Deliveries repeat, overtake one another and leave things
out, so:

- what was delivered before changes nothing but the count;
- an end without a known beginning is written down and opens nothing;
- an end from before the present instance began does not end it;
- a start from before the newest instance does not begin anything new;
- the same start told again after its end is the late repeat of a delivery, unless time has passed:
  then the end was only a time-out of the sender, and the matter goes on;
- a new start shortly after the end is the same matter flapping, and staff is not told again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.alerts.reading import Alert
from bot.alerts.tables import AlertStatus

#: The same start after its end within this is a repeat that was overtaken.
LATE = timedelta(minutes=5)
#: A new start within this after the end is flapping.
FLAP = timedelta(minutes=15)


class Change(StrEnum):
    """What is to be done."""

    NOTHING = "nothing"
    BEGIN = "begin"
    BEGIN_FLAPPING = "begin_flapping"
    GO_ON = "go_on"
    END = "end"
    NOTE_END = "note_end"


@dataclass(frozen=True, slots=True)
class Known:
    """An instance as it is written down. ``last_at`` is when it was last told of."""

    id: str
    starts_at: datetime
    ends_at: datetime | None
    status: AlertStatus
    last_at: datetime
    flaps: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One change, to the instance ``id`` if any. ``flaps`` is what the new count would be."""

    change: Change
    id: str = ""
    flaps: int = 0


def step(alert: Alert, known: Sequence[Known], now: datetime) -> Step:
    """What this alert changes; ``known`` are the fingerprint's instances."""
    newest = max(known, key=lambda one: one.starts_at, default=None)
    same = next((one for one in known if one.starts_at == alert.starts_at), None)
    if alert.status is AlertStatus.RESOLVED:
        return _end(alert, same, newest)
    if same is not None:
        if same.status is AlertStatus.FIRING:
            return Step(Change.NOTHING, same.id)
        late = now - same.last_at < LATE or newest is not same
        return Step(Change.NOTHING if late else Change.GO_ON, same.id)
    if newest is None:
        return Step(Change.BEGIN)
    if alert.starts_at < newest.starts_at:
        return Step(Change.NOTHING, newest.id)
    if newest.status is AlertStatus.FIRING:
        # The sender began anew without saying that the last one ended: still the same matter.
        return Step(Change.NOTHING, newest.id)
    ended = newest.ends_at or newest.last_at
    if alert.starts_at - ended < FLAP:
        return Step(Change.BEGIN_FLAPPING, newest.id, newest.flaps + 1)
    return Step(Change.BEGIN)


def _end(alert: Alert, same: Known | None, newest: Known | None) -> Step:
    if same is not None:
        over = same.status is AlertStatus.RESOLVED
        return Step(Change.NOTHING if over else Change.END, same.id)
    if newest is None:
        return Step(Change.NOTE_END)
    overtaken = alert.ends_at is None or alert.ends_at < newest.starts_at
    if overtaken or newest.status is AlertStatus.RESOLVED:
        return Step(Change.NOTHING, newest.id)
    return Step(Change.END, newest.id)
