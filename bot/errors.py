"""What can be refused here. Data only: how it is said to people is decided at the edge."""

from dataclasses import dataclass
from datetime import datetime


class BotError(Exception):
    """Base of this package's refusals."""


@dataclass
class ConversationNotFound(BotError):
    """No such conversation, or not this caller's."""

    conversation_id: str


@dataclass
class IdentityRefused(BotError):
    """A proof of identity that is none, or that was used before."""


@dataclass
class NotPermitted(BotError):
    """The account's role or scope does not allow this."""

    needed: str


@dataclass
class NotAuthenticated(BotError):
    """No session, or one that has ended."""


@dataclass
class LoginRefused(BotError):
    """Wrong name or password; the same answer for both."""


@dataclass
class LockedOut(BotError):
    """Too many failed logins; the account rests for this many seconds."""

    retry_after_s: int


@dataclass
class CsrfRefused(BotError):
    """A form without the session's own token."""


@dataclass
class NotYourConversation(BotError):
    """Only the engineer who has claimed a conversation speaks in it."""

    owner: str


@dataclass
class NothingToAnswer(BotError):
    """The user has said nothing in words that the bot has not dealt with."""

    number: str


@dataclass
class TicketNotFound(BotError):
    """No ticket with this number, or outside the account's scope."""

    number: str


@dataclass(frozen=True, slots=True)
class Change:
    """One thing done to a ticket after somebody read it."""

    actor: str
    actor_kind: str
    action: str
    at: datetime


@dataclass
class TicketChanged(BotError):
    """The ticket is not at the version that the caller has seen; ``news`` says what happened."""

    number: str
    version: int
    news: tuple[Change, ...]


@dataclass
class ReportNotFound(BotError):
    """The ticket has no report yet."""

    number: str


@dataclass
class PasswordChangeRequired(BotError):
    """The account still has its one-time password: nothing else is allowed before."""


@dataclass
class InvalidInput(BotError):
    """A value that cannot be used; ``field`` names it, ``reason`` is a phrase key."""

    field: str
    reason: str


@dataclass
class MessageTooLong(BotError):
    """A message beyond the limit, in characters."""

    limit: int


@dataclass
class StaffNotFound(BotError):
    """No such account."""

    staff_id: str


@dataclass
class LastAdministrator(BotError):
    """Without this account nobody could administer the product any more."""

    staff_id: str


@dataclass
class CallBackNotFound(BotError):
    """No such call-back, or outside the account's scope."""

    call_back_id: str


@dataclass
class CallBackDone(BotError):
    """Somebody else has written down the result meanwhile."""

    call_back_id: str


@dataclass
class CalendarNotFound(BotError):
    """No such calendar."""

    calendar_id: str


@dataclass
class CalendarChanged(BotError):
    """Somebody else saved the calendar after it was opened."""

    calendar_id: str


@dataclass
class DeadLetterNotFound(BotError):
    """No such undelivered row, it was sent again already, or it is outside the account's scope."""

    row_id: int


@dataclass
class GapNotFound(BotError):
    """No such gap."""

    gap_id: str


@dataclass
class GapChanged(BotError):
    """The gap does not stand as the caller saw it: drafted meanwhile, or not yet answered."""

    gap_id: str


@dataclass
class GoldenQuestionInvalid(BotError):
    """A golden question that cannot be kept; ``reason`` is text, many, known or answer."""

    reason: str


@dataclass
class GoldenGateClosed(BotError):
    """Publishing would make golden questions worse than allowed; ``broken`` are their texts."""

    broken: tuple[str, ...]
    drop: float


@dataclass
class EvaluationFileInvalid(BotError):
    """A table of questions that cannot be read; ``reason`` is a code, line 0 the whole file."""

    file: str
    line: int
    reason: str


@dataclass
class EvaluationNotFound(BotError):
    """No such evaluation, or none any more."""

    report_id: str


@dataclass
class EvaluationRunning(BotError):
    """Another evaluation of this workspace is not finished yet."""


@dataclass
class EvaluationEmpty(BotError):
    """There is no question that this workspace could be asked."""
