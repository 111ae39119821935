"""What one turn is decided from: the message, how it was understood, and what was found."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.tables import Owner
from nlu.triage_types import Triage
from nlu.types import Understanding


class Band(StrEnum):
    """How sure the search is: answer at once, offer candidates, or say that nothing fits."""

    ANSWER = "answer"
    OFFER = "offer"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Found:
    """One candidate of a search. ``collect`` marks entries that only open a ticket.

    ``likeness`` is the score without this deployment's calibration, where that makes a difference.
    """

    answer_id: str
    title: str
    score: float
    collect: bool = False
    category: str = ""
    module: str = ""
    likeness: float | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """One query and what it found, best first."""

    query: str
    band: Band
    found: tuple[Found, ...] = ()

    @property
    def top(self) -> Found | None:
        """The best candidate, if any."""
        return self.found[0] if self.found else None


class ActionKind(StrEnum):
    """A button of the widget, sent beside the words that the user sees as said."""

    CHOOSE = "choose"
    NONE_OF_THESE = "none_of_these"
    HELPFUL = "helpful"
    UNHELPFUL = "unhelpful"
    HUMAN = "human"
    RATE = "rate"
    CONFIRM = "confirm"
    FOLLOW = "follow"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True)
class UserAction:
    """What a button means.

    ``seq`` is the answer message it belongs to, ``number`` the ticket or the incident; ``stars``
    are 1 to 5.
    """

    kind: ActionKind
    answer_id: str = ""
    seq: int = 0
    stars: int = 0
    comment: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """A ticket of this user that is not closed."""

    number: str
    status: str
    title: str
    resolved: bool = False
    same_problem: bool = False
    same_conversation: bool = False


@dataclass(frozen=True, slots=True)
class KnownFault:
    """An open incident as users are told of it. ``likeness``: how much the message reads like it.

    Not below 0, and 1 at most: the same error code.
    """

    incident_id: str
    number: str
    title: str
    severity: str
    module: str | None
    since: datetime
    note: str
    meanwhile: str
    likeness: float = 1.0


@dataclass(frozen=True, slots=True)
class Clarification:
    """A pair of terms that people mix up, and the one question that tells them apart."""

    key: str
    question: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """What a message with files is, besides its text.

    ``captioned``: the user wrote words with it; ``has_words``: text worth searching was read in
    it; ``shows_error``: among it an error message; ``is_document``: it is no picture.
    """

    captioned: bool
    has_words: bool
    shows_error: bool
    is_document: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """Everything one decision is made from. ``seq`` is the user message it answers."""

    text: str
    seq: int
    understanding: Understanding
    owner: Owner = Owner.BOT
    searches: tuple[Search, ...] = ()
    triage: Triage | None = None
    action: UserAction | None = None
    chosen: Found | None = None
    tickets: tuple[OpenTicket, ...] = ()
    clarification: Clarification | None = None
    fault: KnownFault | None = None
    masked: frozenset[str] = field(default_factory=frozenset)
    picture: Picture | None = None
