"""What can go wrong with a ticket or with the terms it is kept to.

Each error carries data for a message or a log line; none knows a sentence or a status code.
"""


class HandoffError(Exception):
    """Any refusal by this package."""


class IllegalTransition(HandoffError):
    """The transition table has no way for this action from this status."""

    def __init__(self, status: str, action: str) -> None:
        super().__init__(f"{action} is not possible while {status}")
        self.status = status
        self.action = action


class NotPermitted(HandoffError):
    """This kind of actor never performs this action."""

    def __init__(self, action: str, actor_kind: str) -> None:
        super().__init__(f"{actor_kind} may not {action}")
        self.action = action
        self.actor_kind = actor_kind


class NotHolder(HandoffError):
    """Only the engineer who holds the ticket may do this; ``holder_id`` is ``None`` for nobody."""

    def __init__(self, number: str, action: str, holder_id: str | None) -> None:
        super().__init__(f"{number} is held by {holder_id or 'nobody'}; cannot {action}")
        self.number = number
        self.action = action
        self.holder_id = holder_id


class StaleTicket(HandoffError):
    """Somebody else changed the ticket after it was read: nothing was written; read it again."""

    def __init__(self, number: str) -> None:
        super().__init__(f"{number} changed since it was read")
        self.number = number


class TicketNotFound(HandoffError):
    """There is no ticket with this number or id."""

    def __init__(self, number: str) -> None:
        super().__init__(f"no ticket {number}")
        self.number = number


class NothingToChange(HandoffError):
    """The ticket already is what the action would make it."""

    def __init__(self, number: str, field: str) -> None:
        super().__init__(f"{number}: {field} would stay the same")
        self.number = number
        self.field = field


class InvalidText(HandoffError):
    """A text that an action needs is missing, or is longer than ``limit`` characters."""

    def __init__(self, field: str, limit: int) -> None:
        super().__init__(f"{field} must have 1 to {limit} characters")
        self.field = field
        self.limit = limit


class InvalidAppointment(HandoffError):
    """A pause until an agreed time needs that time, ahead of now; other pauses have none."""

    def __init__(self, number: str, reason: str) -> None:
        super().__init__(f"{number}: the time does not fit a pause for {reason}")
        self.number = number
        self.reason = reason


class NoHigherLevel(HandoffError):
    """Escalation must go up, and there is nothing above, or the level named is not above."""

    def __init__(self, level: str) -> None:
        super().__init__(f"cannot escalate to or beyond {level}")
        self.level = level


class MergeRefused(HandoffError):
    """A ticket is merged into itself, or into one that has itself been merged away or closed."""

    def __init__(self, number: str, into: str) -> None:
        super().__init__(f"{number} cannot be merged into {into}")
        self.number = number
        self.into = into


class LinkRefused(HandoffError):
    """A ticket is linked to itself, or to one it is linked to already."""

    def __init__(self, number: str, other: str) -> None:
        super().__init__(f"{number} cannot be linked to {other}")
        self.number = number
        self.other = other


class WorkOrderRequired(HandoffError):
    """The province takes nothing without a work order that says what kind of work it is."""

    def __init__(self, number: str) -> None:
        super().__init__(f"{number} needs a work order for the province")
        self.number = number


class WorkOrderRefused(HandoffError):
    """There is no work order to track, or it has come to its end (``status``)."""

    def __init__(self, number: str, status: str | None) -> None:
        super().__init__(f"{number}: no work order to track, the last one is {status}")
        self.number = number
        self.status = status


class ReportRequired(HandoffError):
    """A 重大 ticket is not closed before its report is handed in."""

    def __init__(self, number: str) -> None:
        super().__init__(f"{number} needs its report before it is closed")
        self.number = number


class IncidentNotFound(HandoffError):
    """There is no incident with this number, or no such part of it."""

    def __init__(self, number: str) -> None:
        super().__init__(f"no incident {number}")
        self.number = number


class StaleIncident(HandoffError):
    """Somebody else decided about the incident after it was read: nothing was written."""

    def __init__(self, number: str) -> None:
        super().__init__(f"{number} changed since it was read")
        self.number = number


class AttachRefused(HandoffError):
    """The ticket is over, belongs to ``holder`` already, or was taken out of it by a person."""

    def __init__(self, number: str, holder: str) -> None:
        super().__init__(f"{number} cannot be attached, see {holder}")
        self.number = number
        self.holder = holder


class ReviewRequired(HandoffError):
    """An incident is not closed before its review is written and every measure is done."""

    def __init__(self, number: str, *, owed: int) -> None:
        super().__init__(f"{number} lacks its review or has {owed} measures to do")
        self.number = number
        self.owed = owed


class InvalidTerms(HandoffError):
    """A contract or calendar cannot be used; ``source`` names the file, ``detail`` the fault."""

    def __init__(self, source: str, detail: str) -> None:
        super().__init__(f"{source}: {detail}")
        self.source = source
        self.detail = detail


class UnknownTerms(HandoffError):
    """A ticket or setting names a contract or calendar that is not loaded."""

    def __init__(self, kind: str, identifier: str) -> None:
        super().__init__(f"no {kind} {identifier!r}")
        self.kind = kind
        self.identifier = identifier


class NoWorkingTime(HandoffError):
    """A calendar has so little working time that a deadline lies beyond any horizon."""

    def __init__(self, calendar_id: str) -> None:
        super().__init__(f"calendar {calendar_id!r} has no working time within reach")
        self.calendar_id = calendar_id


class BrokenHistory(HandoffError):
    """Events that cannot have happened in this order, such as a clock that never started."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class RuleInvalid(HandoffError):
    """A rule that makes no sense: ``place`` and the line's number in it (0 for the whole).

    ``reason`` ends a phrase key; ``detail`` is what was named where that helps.
    """

    def __init__(self, place: str, line: int, reason: str, detail: str = "") -> None:
        super().__init__(f"{place} {line}: {reason}")
        self.place = place
        self.line = line
        self.reason = reason
        self.detail = detail


class InvalidMark(HandoffError):
    """A tag or custom field that cannot be kept; ``reason`` ends a phrase key."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class RuleGone(HandoffError):
    """No such rule, or no such version of it."""

    def __init__(self, rule_id: str) -> None:
        super().__init__(f"no rule {rule_id!r}")
        self.rule_id = rule_id


class RuleChanged(HandoffError):
    """Somebody else saved the rule after this form was opened."""

    def __init__(self, rule_id: str) -> None:
        super().__init__(f"rule {rule_id!r} changed since it was read")
        self.rule_id = rule_id
