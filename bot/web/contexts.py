"""What each staff page shows: one frozen value per page, ready to be printed.

Templates print these and decide nothing. Refuses to read databases or to hold words that are
not data; the builders are in ``ticket_views``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.accounts.service import Principal
from bot.alerts.tables import AlertInstance
from bot.web.navigation import Place
from handoff.marks import CustomField


@dataclass(frozen=True, slots=True)
class IndexPage:
    """The front door."""

    portal: bool


@dataclass(frozen=True, slots=True)
class LoginPage:
    """The login form; ``username`` is kept after a refusal, the password never."""

    next: str = ""
    username: str = ""
    error: str = ""
    notice: str = ""


@dataclass(frozen=True, slots=True)
class PasswordPage:
    """Changing one's password; ``forced`` when nothing else is allowed before."""

    staff: Principal
    forced: bool
    min_chars: int
    next: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Tab:
    """One queue and how many tickets wait in it."""

    key: str
    title: str
    count: str
    href: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline as a countdown: the instant, the words now, and how near it is."""

    at: datetime
    text: str
    state: str


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One ticket in the left column."""

    number: str
    title: str
    status: str
    severity: str
    severity_class: str
    who: str
    module: str
    due: Due | None
    unread: int
    mine: bool
    holder: str
    href: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """The left column: tabs, filters and rows."""

    key: str
    q: str
    severity: str
    status: str
    tabs: Sequence[Tab]
    rows: Sequence[QueueRow]
    severities: Sequence[str]
    statuses: Sequence[str]
    empty: str
    narrowed: bool
    #: Proposed incidents that nobody has decided about.
    proposals: int
    #: Numbers that nobody has yet, for announcing new ones.
    waiting: str
    #: Unread messages in one's own tickets.
    unread: int
    query: str
    chosen: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something the bot found, with its score."""

    title: str
    score: float
    shown: str


@dataclass(frozen=True, slots=True)
class SearchView:
    """One query of the bot."""

    query: str
    band: str
    found: Sequence[Candidate]


@dataclass(frozen=True, slots=True)
class TurnView:
    """What the bot made of one user message."""

    line: str
    reason: str
    entities: Sequence[str]
    evidence: Sequence[str]
    searches: Sequence[SearchView]


@dataclass(frozen=True, slots=True)
class FileView:
    """A picture or a file of a message. ``note`` says why there is no text of it."""

    name: str
    href: str
    size: str
    shown: bool
    width: int | None
    height: int | None
    text: str
    note: str
    gone: bool
    reading: str


@dataclass(frozen=True, slots=True)
class MessageView:
    """One line of the transcript. ``look`` names its partial and style."""

    seq: int
    look: str
    sender: str
    who: str
    text: str
    data: Mapping[str, Any]
    at: datetime
    clock: str
    mine: bool
    turn: TurnView | None = None
    files: Sequence[FileView] = ()


@dataclass(frozen=True, slots=True)
class DeadlineView:
    """One promised target."""

    title: str
    word: str
    state: str
    due: Due | None
    met_at: datetime | None
    why: Sequence[str]


@dataclass(frozen=True, slots=True)
class EventView:
    """One entry of the ticket's history."""

    at: datetime
    what: str
    actor: str
    change: str
    detail: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks."""

    name: str
    unit: str
    region: str
    phone: str
    device: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Rights:
    """What this account may do with this ticket now; buttons follow from it."""

    act: bool = False
    claim: bool = False
    reply: bool = False
    note: bool = False
    resolve: bool = False
    give_back: bool = False
    change_severity: bool = False
    hint: str = ""
    #: Dialogs of the menu.
    verbs: Sequence["VerbLink"] = ()

    @property
    def mark(self) -> str:
        """Changes whenever any of the rights does."""
        given = (self.claim, self.reply, self.note, self.resolve, self.give_back)
        return "".join(str(int(right)) for right in given) + self.hint


@dataclass(frozen=True, slots=True)
class VerbLink:
    """A dialog that may be opened."""

    action: str
    title: str


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field of a dialog, with what was typed; ``choices`` are values and words."""

    name: str
    label: str
    kind: str
    required: bool
    limit: int
    value: str
    choices: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class SheetView:
    """One dialog; ``version`` is the ticket's when it was opened."""

    action: str
    title: str
    about: str
    version: int
    fields: Sequence[FieldView]
    error: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """What was typed, kept when it was refused, and why it was."""

    client_msg_id: str
    mode: str = "reply"
    text: str = ""
    cause: str = ""
    solution: str = ""
    draft: bool = False
    severity: str = ""
    why: str = ""
    #: Which form the error belongs to: say, resolve, severity, sheet, act.
    refused: str = ""
    error: str = ""
    dialog: str = ""
    #: The action of an open dialog, and what was typed in it.
    sheet: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TicketView:
    """One ticket whole: middle and right column."""

    number: str
    title: str
    description: str
    status: str
    severity: str
    severity_class: str
    category: str
    module: str
    level: str
    channel: str
    opened_at: datetime
    assignee: str
    owner: str
    owner_word: str
    due: Due | None
    reasons: Sequence[str]
    promise: str
    person: Person
    summary: Sequence[str]
    deadlines: Sequence[DeadlineView]
    messages: Sequence[MessageView]
    suggested: Sequence[Candidate]
    similar: Sequence[Mapping[str, Any]]
    events: Sequence[EventView]
    rights: Rights
    last_seq: int
    live: bool
    cause: str
    solution: str
    #: The answer that was drafted from it.
    draft_id: str
    severities: Sequence[str]
    canned: Sequence[str]
    version: int
    waits: str
    relations: Sequence["RelationView"]
    incident: Mapping[str, str] | None
    #: What monitoring says of its module now, the worst first.
    alerts: Sequence[AlertInstance]
    order: Mapping[str, Any] | None
    report: Mapping[str, str] | None
    report_required: bool
    #: Open tickets that look like the same matter, the likest first.
    duplicates: Sequence[Mapping[str, Any]]
    marks: Mapping[str, Any]
    custom: Sequence[CustomField]
    rules: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class RelationView:
    """Another ticket, and how it stands to this one."""

    word: str
    number: str


@dataclass(frozen=True, slots=True)
class ConsolePage:
    """The engineer's console, with or without a chosen ticket."""

    staff: Principal
    role: str
    now: datetime
    queue: Queue
    words: str
    places: Sequence[Place]
    ticket: TicketView | None = None
    form: Form = field(default_factory=lambda: Form(""))
    sheet: SheetView | None = None
    #: The ticket named in the address does not exist, or is out of scope.
    missing: str = ""
