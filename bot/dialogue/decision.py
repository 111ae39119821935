"""What the bot can do about a message: a closed union, matched exhaustively when acted on."""

from dataclasses import dataclass, field

from bot.dialogue.state import DialogueState, Option
from bot.dialogue.turn import KnownFault
from nlu.triage_types import Triage
from store.vocabulary import Category


@dataclass(frozen=True, slots=True)
class Say:
    """A line from the phrase catalogue."""

    key: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ShowAnswer:
    """An answer card, after an optional line."""

    answer_id: str
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """Up to three candidates and "none of these"."""

    options: tuple[Option, ...]
    lead: str


@dataclass(frozen=True, slots=True)
class Ask:
    """One question back. ``text`` stands for itself, else ``key`` is looked up."""

    key: str = ""
    text: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RaiseTicket:
    """Open a ticket about ``problem``; with ``queue`` the conversation waits for an engineer.

    ``incident`` is the number of the known fault that it belongs to.
    """

    problem: str
    reason: str
    queue: bool = True
    category: Category | None = None
    triage: Triage | None = None
    collect: str = ""
    incident: str = ""


@dataclass(frozen=True, slots=True)
class AddToTicket:
    """The message belongs to this open ticket."""

    number: str
    lead: str
    triage: Triage | None = None
    queue: bool = False


@dataclass(frozen=True, slots=True)
class UrgeTicket:
    """The user presses for progress on this ticket."""

    number: str


@dataclass(frozen=True, slots=True)
class ShowTickets:
    """Cards of these tickets with their live status."""

    numbers: tuple[str, ...]
    lead: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmSolved:
    """The user says that this ticket's problem is over."""

    number: str


@dataclass(frozen=True, slots=True)
class RequestRating:
    """Ask for one to five stars."""

    number: str = ""


@dataclass(frozen=True, slots=True)
class RecordFeedback:
    """有用 or 没用 on the answer in message ``seq``."""

    seq: int
    helpful: bool


@dataclass(frozen=True, slots=True)
class RecordRating:
    """One to five stars."""

    stars: int
    comment: str


@dataclass(frozen=True, slots=True)
class LeaveQueue:
    """The user no longer wants an engineer; the bot speaks again."""


@dataclass(frozen=True, slots=True)
class ShowFault:
    """The card of a known fault."""

    fault: KnownFault


@dataclass(frozen=True, slots=True)
class FollowFault:
    """The user wants to hear when this incident is over."""

    number: str


Part = (
    Say
    | ShowAnswer
    | Offer
    | Ask
    | RaiseTicket
    | AddToTicket
    | UrgeTicket
    | ShowTickets
    | ConfirmSolved
    | RequestRating
    | RecordFeedback
    | RecordRating
    | LeaveQueue
    | ShowFault
    | FollowFault
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, what to remember, and why (a code for the transcript and the gap analysis)."""

    parts: tuple[Part, ...]
    state: DialogueState
    reason: str = field(default="")
