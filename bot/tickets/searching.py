"""Searching tickets and transcripts: by words, by what a ticket is, or by both.

Hits come in the order of time, the newest first, and are read in steps along the text indexes, so
that a frequent word costs no more than a rare one: a page is what was found within a bounded
number of hits, and says how far it looked. What is outside an account's scope is never shown, nor
counted. Refuses to rank.
"""

import contextlib
import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from bot import repository
from bot.accounts.service import DESK_ROLES, READING_ROLES, Principal
from bot.clock import Clock
from bot.errors import InvalidInput, TicketNotFound
from bot.saved_views.service import SavedViews, ViewedList, ViewRoles
from bot.tables import Role
from bot.tickets import search_repository as places
from bot.tickets.search_repository import Hit
from bot.tickets.work import visible_ticket
from handoff import listing_repository as listing
from handoff import repository as rows
from handoff import ticket_words
from handoff.listing_repository import TicketFilter
from handoff.numbering import numbers_in
from handoff.tables import Ticket
from store.session import Database
from store.text_index import Refusal, Words, excerpt, parse

#: Whoever searches may share a view; the shared ones of others are an operator's to clear up.
SEARCH_VIEWS = ViewRoles(READING_ROLES, READING_ROLES, (Role.OPERATIONS, Role.MANAGER))
#: Tickets on a page, and places shown of each.
PAGE, SHOWN = 30, 3
#: Hits of each kind that are read for one page, step by step: the first step is enough unless
#: little of what is found passes the filters.
STEPS = (100, 400, 1_000, 2_000, 3_000)
#: Hits of each kind that narrow the console's list.
LIST_HITS = 1_000
_WORDS_MARK = re.compile(r"w(\d{0,18})-(\d{0,18})")
_LIST_MARK = re.compile(r"t(\d{1,17})-([0-9a-z]{1,32})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far both kinds of hits have been read: everything below is still to come."""

    message: int | None = None
    event: int | None = None

    @override
    def __str__(self) -> str:
        return f"w{self.message or ''}-{self.event or ''}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where words stand: who said it or what was done, and the text around them."""

    at: datetime
    sender: str
    action: str
    pieces: Sequence[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class Found:
    """A ticket, the newest places where it has the words, and how many more were seen."""

    ticket: Ticket
    places: Sequence[Place] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Results:
    """A page. ``next`` leads on, empty at the end; ``reached`` says how far back it looked."""

    found: Sequence[Found]
    next: str = ""
    reached: datetime | None = None


def words_of(query: str) -> Words | None:
    """The words of a query, ``None`` without any. Raises :class:`InvalidInput`."""
    if not query.strip():
        return None
    parsed = parse(query)
    if isinstance(parsed, Refusal):
        raise InvalidInput("q", f"search.refused.{parsed.value}")
    return parsed


@dataclass(frozen=True, slots=True)
class Searches:
    """Searches within each account's scope, and the views of them that are kept."""

    database: Database
    views: SavedViews

    @classmethod
    def create(cls, database: Database, clock: Clock) -> "Searches":
        """The searches of a database."""
        return cls(database, SavedViews(database, clock, ViewedList.SEARCH, SEARCH_VIEWS))

    async def find(
        self, staff: Principal, wanted: TicketFilter, query: str, mark: str = ""
    ) -> Results:
        """A page of tickets from ``mark`` on. Raises :class:`InvalidInput`."""
        words = words_of(query)
        wanted = replace(wanted, regions=staff.regions, modules=staff.modules)
        async with self.database.reading() as session:
            if words is None:
                return await _listed(session, wanted, mark)
            return await _Reader(session, wanted, words).read(_words_mark(mark))

    async def matching(self, query: str) -> Collection[str] | None:
        """Tickets with the words in their newest hits, for lists that have no pages.

        ``None`` without words. Raises :class:`InvalidInput`.
        """
        words = words_of(query)
        if words is None:
            return None
        async with self.database.reading() as session:
            said = await places.messages(session, words, before=None, most=LIST_HITS)
            done = await places.events(session, words, before=None, most=LIST_HITS)
            wanted = TicketFilter(
                ids={hit.ticket_id for hit in done},
                conversations={hit.conversation_id for hit in said},
            )
            return [ticket_id for ticket_id, _ in await listing.keys(session, wanted)]

    async def named(self, staff: Principal, query: str) -> str | None:
        """The number of the visible ticket that the query names, if it does."""
        numbers = numbers_in(query)
        if len(numbers) != 1:
            return None
        async with self.database.reading() as session:
            with contextlib.suppress(TicketNotFound):
                return (await visible_ticket(session, staff, numbers[0])).number
        return None

    async def colleagues(self, staff: Principal) -> Sequence[tuple[str, str]]:
        """Ids and names of everybody who may hold tickets; oneself first, then by name."""
        async with self.database.glance() as session:
            everybody = await repository.all_staff(session)
        working = {role.value for role in (*DESK_ROLES, Role.ADMIN)}
        able = [one for one in everybody if one.role in working]
        able.sort(key=lambda one: (one.id != staff.staff_id, one.name))
        return [(one.id, one.name) for one in able]


async def _listed(session: AsyncSession, wanted: TicketFilter, mark: str) -> Results:
    before = _list_mark(mark) if mark else None
    tickets = await listing.newest(session, wanted, before=before, limit=PAGE + 1)
    shown = tickets[:PAGE]
    more = len(tickets) > PAGE
    return Results([Found(one) for one in shown], _after(shown[-1]) if more else "")


def _after(ticket: Ticket) -> str:
    micro = round((ticket.opened_at - _EPOCH).total_seconds() * 1_000_000)
    return f"t{micro}-{ticket.id}"


def _list_mark(mark: str) -> tuple[datetime, str]:
    read = _LIST_MARK.fullmatch(mark)
    if read is None:
        raise InvalidInput("mark", "search.refused.mark")
    return _EPOCH + timedelta(microseconds=int(read[1])), read[2]


def _words_mark(mark: str) -> Mark:
    if not mark:
        return Mark()
    read = _WORDS_MARK.fullmatch(mark)
    if read is None:
        raise InvalidInput("mark", "search.refused.mark")
    return Mark(*(int(part) if part else None for part in read.groups()))


@dataclass(slots=True)
class _Reader:
    """Reads hits step by step until a page is full, or enough has been looked through."""

    session: AsyncSession
    wanted: TicketFilter
    words: Words
    hits: dict[str, list[Hit]] = field(default_factory=dict)
    mark: Mark = field(default_factory=Mark)
    reached: datetime | None = None

    async def read(self, mark: Mark) -> Results:
        self.mark, ended = mark, False
        for most in STEPS:
            ended = await self._step(most)
            if ended or len(self.hits) >= PAGE:
                break
        found = await self._shown()
        return Results(found, "" if ended else str(self.mark), None if ended else self.reached)

    async def _step(self, most: int) -> bool:
        """Take the hits of one step; whether nothing is left after it."""
        mark = self.mark
        said = await places.messages(self.session, self.words, before=mark.message, most=most)
        done = await places.events(self.session, self.words, before=mark.event, most=most)
        hits = list(_merged(said, done, most))
        tickets = await self._tickets(hits)
        for hit in hits:
            if not self._take(hit, tickets.get(hit.conversation_id or hit.ticket_id, ())):
                return False
        return len(said) < most and len(done) < most

    async def _tickets(self, hits: Sequence[Hit]) -> Mapping[str, Sequence[str]]:
        """The visible tickets of hits, by conversation and by ticket."""
        narrowed = replace(
            self.wanted,
            ids={hit.ticket_id for hit in hits if hit.ticket_id},
            conversations={hit.conversation_id for hit in hits if hit.conversation_id},
        )
        by_key: dict[str, list[str]] = {}
        for ticket_id, conversation_id in await listing.keys(self.session, narrowed):
            by_key.setdefault(ticket_id, []).append(ticket_id)
            if conversation_id is not None:
                by_key.setdefault(conversation_id, []).append(ticket_id)
        return by_key

    def _take(self, hit: Hit, tickets: Sequence[str]) -> bool:
        """Put a hit with its tickets; whether there was room on the page."""
        fresh = [one for one in tickets if one not in self.hits]
        if fresh and self.hits and len(self.hits) + len(fresh) > PAGE:
            return False
        for one in tickets:
            self.hits.setdefault(one, []).append(hit)
        self.mark, self.reached = _past(self.mark, hit), hit.at
        return True

    async def _shown(self) -> Sequence[Found]:
        """Cut out the text around the words, for the newest hits of each ticket."""
        first = [hit for hits in self.hits.values() for hit in hits[:SHOWN]]
        said = await places.said(self.session, [h.row_id for h in first if h.conversation_id])
        noted = await places.noted(self.session, [h.row_id for h in first if h.ticket_id])
        tickets = await rows.by_ids(self.session, self.hits)
        found = []
        for ticket_id, hits in self.hits.items():
            ticket = tickets[ticket_id]
            shown = []
            for hit in hits[:SHOWN]:
                who, action = "", ""
                if hit.conversation_id:
                    who, text = said[hit.row_id]
                else:
                    action, detail = noted[hit.row_id]
                    text = ticket_words.text_of(ticket, action, detail)
                shown.append(Place(hit.at, who, action, excerpt(text, self.words)))
            found.append(Found(ticket, shown, max(0, len(hits) - SHOWN)))
        return found


def _merged(said: Sequence[Hit], done: Sequence[Hit], most: int) -> Iterator[Hit]:
    """Both kinds, the newer first, as far as it is known which is: each stays in its own order."""
    first, second = deque(said), deque(done)
    full = [hits for hits, read in ((first, said), (second, done)) if len(read) == most]
    while (first or second) and all(full):
        later = bool(first) and (not second or first[0].at >= second[0].at)
        yield (first if later else second).popleft()


def _past(mark: Mark, hit: Hit) -> Mark:
    if hit.conversation_id:
        return replace(mark, message=hit.row_id)
    return replace(mark, event=hit.row_id)
