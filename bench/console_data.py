"""Tickets, transcripts and engineers by the hundred thousand, for measuring the console.

Histories are replayed by the product's own rules for one week each and moved by whole weeks, so
that rows and events agree. Refuses to be read as a model of what people ask: the words are those
of the shipped evaluation messages, put together anew.
"""

import csv
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import Any

from sqlalchemy import insert

from bot.accounts.service import SESSION_LENGTH, hash_token
from bot.settings import data_dir
from bot.tables import MESSAGE_WORDS, Conversation, Message, Role, Staff, StaffSession, Turn, User
from handoff import ticket_words
from handoff.contract import Terms
from handoff.lifecycle import Event, Snapshot, replay
from handoff.repository import columns_of, event_columns
from handoff.tables import Ticket, TicketEvent
from handoff.ticket import OPENED, Action, Actor, ActorKind, Level, next_status
from store.audit import AuditEntry
from store.base import Base
from store.session import Database
from store.vocabulary import Category, Severity

REGIONS = ("城北区", "城南区", "滨江区", "东湖新区", "云山县")
MODULES = ("支付申请", "预算指标", "非税收入", "工资统发", "资产管理", "公务卡", "决算报表")
CONTRACT = "jieyang"
#: Distinct histories; every ticket is one of them, moved by whole weeks.
STORIES = 400
WEEK = timedelta(weeks=1)
CHUNK = 4_000
#: Of all tickets, those still open; of these, those that nobody has yet.
OPEN_SHARE, WAITING_SHARE = 0.03, 0.3
USER = Actor(ActorKind.USER, "user", "")


@dataclass(frozen=True, slots=True)
class Size:
    """How much is made."""

    tickets: int
    messages: int
    engineers: int


@dataclass(frozen=True, slots=True)
class Story:
    """One history with the row that it adds up to."""

    events: Sequence[Event]
    snapshot: Snapshot
    opened: datetime


def texts() -> list[str]:
    """What people write, from the shipped evaluation messages."""
    path = data_dir() / "evaluation" / "messages.tsv"
    with path.open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file, delimiter="\t")]


async def fill(database: Database, terms: Terms, size: Size, now: datetime) -> Mapping[str, str]:
    """Write it all; session tokens of the engineers by staff id."""
    chance = random.Random(5)
    maker = Maker(chance, texts(), terms, size, now)
    tokens = {one["id"]: f"bench-{one['id']}" for one in maker.staff}
    await _write(database, Staff, maker.staff)
    await _write(database, StaffSession, (_session(*pair, now) for pair in tokens.items()))
    await _write(database, User, maker.users)
    for numbers in _chunked(range(size.tickets), CHUNK):
        rows: dict[type[Base], list[dict[str, Any]]] = {}
        for number in numbers:
            for table, row in maker.ticket(number):
                rows.setdefault(table, []).append(row)
        for table in (Conversation, Message, Turn, Ticket, TicketEvent):
            await _write(database, table, rows.get(table, ()))
        audited = (_audited(row) for row in rows.get(TicketEvent, ()))
        await _write(database, AuditEntry, audited)
        await _index(database, rows)
    return tokens


async def _index(database: Database, rows: Mapping[type[Base], Sequence[dict[str, Any]]]) -> None:
    """As the product does with each row that it writes."""
    tickets = {row["id"]: Ticket(**row) for row in rows[Ticket]}
    events = [
        (row["id"], ticket_words.text_of(tickets[row["ticket_id"]], row["action"], row["detail"]))
        for row in rows[TicketEvent]
    ]
    async with database.transaction() as session:
        await MESSAGE_WORDS.add_many(session, [(row["id"], row["text"]) for row in rows[Message]])
        await ticket_words.INDEX.add_many(session, events)


async def _write(database: Database, table: type[Base], rows: Iterable[Mapping[str, Any]]) -> None:
    async with database.engine.begin() as connection:
        for some in _chunked(rows, 20_000):
            await connection.execute(insert(table), list(some))


def _chunked(things: Iterable[Any], size: int) -> Iterator[list[Any]]:
    left = iter(things)
    while some := list(islice(left, size)):
        yield some


def _session(staff_id: str, token: str, now: datetime) -> dict[str, Any]:
    return {
        "token_hash": hash_token(token),
        "staff_id": staff_id,
        "kind": "browser",
        "csrf_token": f"csrf-{staff_id}"[:60],
        "user_agent": "bench",
        "created_at": now,
        "expires_at": now + SESSION_LENGTH,
    }


class Maker:
    """Makes rows, always the same for the same chance."""

    def __init__(
        self, chance: random.Random, words: Sequence[str], terms: Terms, size: Size, now: datetime
    ) -> None:
        self._chance, self._words, self._terms, self._now = chance, words, terms, now
        self._size = size
        self._each = max(2, size.messages // size.tickets)
        self.staff = [self._person(n) for n in range(size.engineers + 2)]
        self._engineers = [one["id"] for one in self.staff[: size.engineers]]
        self.users = [self._user(n) for n in range(max(10, size.tickets // 5))]
        week = now.replace(hour=1, minute=0, second=0, microsecond=0) - WEEK
        self._closed = [self._story(week, closed=True) for _ in range(STORIES)]
        self._row_ids = {Message: count(1), TicketEvent: count(1)}

    def _person(self, n: int) -> dict[str, Any]:
        last = {self._size.engineers: Role.MANAGER, self._size.engineers + 1: Role.ADMIN}
        role = last.get(n, Role.ENGINEER)
        everywhere = n % 5 < 2 or role is not Role.ENGINEER
        return {
            "id": f"{n:032x}",
            "username": f"bench{n}",
            "name": f"工程师{n}",
            "post": "一线工程师",
            "role": role.value,
            "password_hash": "!",
            "regions": [] if everywhere else [REGIONS[n % len(REGIONS)]],
            "modules": [],
            "created_at": self._now,
        }

    def _user(self, n: int) -> dict[str, Any]:
        region = REGIONS[n % len(REGIONS)]
        return {
            "id": f"u{n:031x}",
            "channel": "web",
            "external_user": f"user{n}",
            "verified": True,
            "name": f"用户{n}",
            "unit": f"{region}第{n % 97}中学",
            "region": region,
            "phone": "13800000000",
            "created_at": self._now,
        }

    def _story(self, week: datetime, *, closed: bool) -> Story:
        chance, opened = self._chance, week + self._minutes(6 * 24 * 60)
        holder = Actor(ActorKind.ENGINEER, chance.choice(self._engineers), "工程师")
        detail = {
            "severity": chance.choices(list(Severity), (80, 17, 3))[0].value,
            "category": chance.choice(list(Category)).value,
            "module": chance.choice(MODULES),
            "level": Level.FIRST.value,
            "region": chance.choice(REGIONS),
            "contract": CONTRACT,
            "revision": self._terms.revisions[CONTRACT],
        }
        events = [Event(1, opened, Action.OPEN, USER, None, OPENED, detail)]
        for action, told in self._verbs(closed):
            last = events[-1]
            to = next_status(last.to_status, action)
            at = last.at + self._minutes(90)
            events.append(Event(last.seq + 1, at, action, holder, last.to_status, to, told))
        return Story(events, replay(events, self._terms), opened)

    def _minutes(self, most: int) -> timedelta:
        return timedelta(seconds=self._chance.randrange(60, most * 60))

    def _verbs(self, closed: bool) -> list[tuple[Action, dict[str, Any]]]:
        if not closed and self._chance.random() < WAITING_SHARE:
            return []
        begun: list[tuple[Action, dict[str, Any]]] = [
            (Action.CLAIM, {}),
            (Action.REPLY, {"message_id": 4}),
        ]
        if not closed:
            return begun
        words = {"cause": self._chance.choice(self._words), "solution": self._said()}
        return [
            *begun,
            (Action.NOTE, {"text": self._said()}),
            (Action.RESOLVE, words),
            (Action.CLOSE, {}),
        ]

    def _said(self) -> str:
        first, second = self._chance.choice(self._words), self._chance.choice(self._words)
        return f"{first}，{second}，单号{self._chance.randrange(10**7):07d}"

    def ticket(self, number: int) -> Iterator[tuple[type[Base], dict[str, Any]]]:
        """Conversation, transcript, ticket and history, oldest tickets first."""
        chance = self._chance
        is_open = chance.random() < OPEN_SHARE
        weeks = 0 if is_open else 1 + number % 100
        if is_open:
            story = self._story(self._now - timedelta(days=6, hours=3), closed=False)
        else:
            story = self._closed[number % STORIES]
        back, user = WEEK * weeks, self.users[number % len(self.users)]
        at, talk = story.opened - back, f"c{number:031x}"
        held = is_open and story.snapshot.assignee_id is not None
        yield (
            Conversation,
            {
                "id": talk,
                "channel": "web",
                "user_id": user["id"],
                "owner": "engineer" if held else "bot",
                "staff_id": story.snapshot.assignee_id if held else None,
                "last_seq": self._each,
                "handled_seq": self._each,
                "state": {},
                "created_at": at,
                "updated_at": at,
            },
        )
        for seq in range(1, self._each + 1):
            yield Message, self._message(talk, seq, at)
        for seq in (1, 3):
            yield Turn, _turn(talk, seq, at)
        yield Ticket, self._row(number, story, back, user, talk)
        for event in story.events:
            row = {**event_columns(f"t{number:031x}", event), "at": event.at - back}
            yield TicketEvent, {"id": next(self._row_ids[TicketEvent]), **row}

    def _message(self, talk: str, seq: int, at: datetime) -> dict[str, Any]:
        sender = ("user", "bot", "user", "engineer")[seq % 4]
        return {
            "id": next(self._row_ids[Message]),
            "conversation_id": talk,
            "seq": seq,
            "sender": sender,
            "kind": "text",
            "audience": "all",
            "text": self._said() if seq % 3 else self._chance.choice(self._words),
            "data": {"name": "工程师"} if sender == "engineer" else {},
            "created_at": at + timedelta(seconds=40 * seq),
        }

    def _row(
        self, number: int, story: Story, back: timedelta, user: Mapping[str, Any], talk: str
    ) -> dict[str, Any]:
        columns = {
            name: value - back if isinstance(value, datetime) else value
            for name, value in columns_of(story.snapshot).items()
        }
        at = story.opened - back
        return {
            "id": f"t{number:031x}",
            "number": f"CW{at:%Y%m%d}-{number:06d}",
            "title": self._chance.choice(self._words)[:200],
            "description": self._said(),
            "channel": "web",
            "conversation_id": talk,
            "requester_id": user["id"],
            "unit": user["unit"],
            "severity_reasons": [],
            "opened_at": at,
            **columns,
        }


def _turn(talk: str, seq: int, at: datetime) -> dict[str, Any]:
    found = [{"answer_id": f"{n:032}", "title": f"第{n}条", "score": 0.4} for n in range(5)]
    return {
        "conversation_id": talk,
        "seq": seq,
        "understanding": {"intent": "ask_question", "confidence": 0.9, "entities": []},
        "search": [{"query": "支付申请", "band": "offer", "found": found}],
        "decision": {"reason": ""},
        "elapsed_ms": 12,
        "at": at,
    }


def _audited(event: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "at": event["at"],
        "actor": f"{event['actor_kind']}:{event['actor_id']}",
        "action": f"ticket.{event['action']}",
        "subject": f"ticket:{event['ticket_id'][:20]}",
        "detail": {"seq": event["seq"], "to": event["to_status"]},
    }


def utc_now() -> datetime:
    """The moment at which the made-up world stands."""
    return datetime.now(UTC).replace(microsecond=0)
