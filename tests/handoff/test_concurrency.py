"""Two at once: one wins, the other is told, nothing is lost. Real connections, both databases."""

import asyncio
from collections import Counter
from datetime import timedelta

from handoff import repository, service
from handoff.errors import HandoffError, NotHolder, StaleTicket
from handoff.lifecycle import replay
from handoff.repository import columns_of, stored
from handoff.tables import Ticket
from handoff.ticket import Action, Actor, ActorKind, Status
from tests.handoff.people import BOT, CHEN, NEW, WANG, Desk
from tests.handoff.terms import shipped_terms


async def claim(desk: Desk, ticket: Ticket, actor: Actor, *, lock: bool) -> str:
    """Claim in a transaction of its own; the outcome's name."""
    try:
        async with desk.database.transaction() as session:
            found = await repository.by_id(session, ticket.id, lock=lock)
            await asyncio.sleep(0.02)  # both have read it by now, where the database lets them
            await service.claim(session, found, actor=actor, now=desk.now, terms=shipped_terms())
    except HandoffError as error:
        return type(error).__name__
    return "claimed"


async def test_two_engineers_cannot_both_claim(desk: Desk) -> None:
    for lock in (True, False):
        ticket = await desk.open()
        outcomes = await asyncio.gather(
            claim(desk, ticket, CHEN, lock=lock), claim(desk, ticket, WANG, lock=lock)
        )
        assert max(outcomes) == "claimed"
        assert min(outcomes) in {NotHolder.__name__, StaleTicket.__name__}
        async with desk.database.reading() as session:
            events = await repository.events_of(session, ticket.id)
        assert [event.action for event in events] == [Action.OPEN, Action.CLAIM]
        assert (await desk.read(ticket)).assignee_id == events[-1].actor.id


async def test_of_many_hands_exactly_one_takes_it(desk: Desk) -> None:
    ticket = await desk.open()
    hands = [CHEN, WANG] * 4
    outcomes = Counter(
        await asyncio.gather(*(claim(desk, ticket, hand, lock=False) for hand in hands))
    )
    row = await desk.read(ticket)
    assert row.status == Status.IN_PROGRESS
    assert row.version == 2
    # The winner's own further clicks are answered with success and change nothing.
    assert 1 <= outcomes["claimed"] <= 4


async def test_two_sessions_that_read_the_same_version(desk: Desk) -> None:
    """The older reader writes last and must be refused, whatever isolation the database has."""
    ticket = await desk.open()
    async with desk.database.reading() as reader:
        old = await repository.by_id(reader, ticket.id)
    assert await claim(desk, ticket, CHEN, lock=True) == "claimed"
    outcome = ""
    async with desk.database.transaction() as session:
        try:
            await service.claim(session, old, actor=WANG, now=desk.now, terms=shipped_terms())
        except StaleTicket as error:
            outcome = error.number
    assert outcome == ticket.number
    assert (await desk.read(ticket)).assignee_id == CHEN.id


async def test_the_version_guards_where_the_status_stays_the_same(desk: Desk) -> None:
    """Nothing but the version tells a note from the ticket without it."""
    ticket = await desk.open()
    async with desk.database.reading() as reader:
        old = await repository.by_id(reader, ticket.id)
        history = await repository.events_of(reader, ticket.id)
    await desk.do(service.note, ticket, WANG, text="先看日志")
    refused = ""
    async with desk.database.transaction() as session:
        try:
            await repository.compare_and_set(session, old, replay(history, shipped_terms()))
        except StaleTicket as error:
            refused = error.number
    assert refused == ticket.number
    assert (await desk.read(ticket)).version == 2


async def test_a_lost_race_inside_one_transaction_of_postgresql(desk: Desk) -> None:
    """Both read, then one commits: the other's compare-and-set finds no row."""
    if desk.database.is_sqlite:
        return  # there the second writer cannot even begin before the first ends
    ticket = await desk.open()
    refused = ""
    async with desk.database.transaction() as slow:
        old = await repository.by_id(slow, ticket.id)
        history = await repository.events_of(slow, ticket.id)
        assert await claim(desk, ticket, CHEN, lock=True) == "claimed"
        try:
            await repository.compare_and_set(slow, old, replay(history, shipped_terms()))
        except StaleTicket as error:
            refused = error.number
    assert refused == ticket.number


async def test_every_message_of_many_writers_is_kept(desk: Desk) -> None:
    """Readers with the lock wait for each other: no note is refused, none is lost."""
    ticket = await desk.open()

    async def note(index: int) -> None:
        async with desk.database.transaction() as session:
            found = await repository.by_id(session, ticket.id, lock=True)
            await service.note(
                session,
                found,
                actor=Actor(ActorKind.ENGINEER, "e1", "陈工"),
                now=desk.now + timedelta(seconds=index),
                terms=shipped_terms(),
                text=f"第{index}条",
            )

    await asyncio.gather(*(note(index) for index in range(12)))
    async with desk.database.reading() as session:
        events = await repository.events_of(session, ticket.id)
    assert {event.detail.get("text") for event in events[1:]} == {f"第{i}条" for i in range(12)}
    assert [event.seq for event in events] == list(range(1, 14))
    assert columns_of(replay(events, shipped_terms())) == stored(await desk.read(ticket))


async def test_numbers_opened_at_once_differ(desk: Desk) -> None:
    async def open_one() -> str:
        async with desk.database.transaction() as session:
            ticket = await service.open_ticket(
                session, NEW, actor=BOT, now=desk.now, terms=shipped_terms()
            )
            return ticket.number

    numbers = await asyncio.gather(*(open_one() for _ in range(12)))
    assert sorted(numbers) == [f"CW20260310-{count:04d}" for count in range(1, 13)]
