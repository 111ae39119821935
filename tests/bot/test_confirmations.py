"""After a resolution: the asker's button, the asker's silence, and what each leads to."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.dialogue.decide import decide
from bot.dialogue.decision import AddToTicket, ConfirmSolved, RaiseTicket, RequestRating, Say
from bot.dialogue.state import DialogueState
from bot.dialogue.turn import ActionKind, UserAction
from handoff import timers
from tests.bot.dialogue_builders import make_ticket, make_turn
from tests.product import NOW, Chat, Product, copy_workspace, make_settings, serving


@dataclass
class Watch:
    """A clock that a test sets."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
async def timed(prepared_workspace: Path, tmp_path: Path, watch: Watch) -> AsyncIterator[Product]:
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    async with serving(make_settings(home), clock=watch) as running:
        yield running


async def resolved(product: Product, text: str = "外币利息核算报错打不开") -> tuple[Chat, str]:
    """A conversation whose ticket was just resolved, and the ticket's number."""
    chat = await product.open()
    await chat.say("我要找人工", kind="human")
    messages = await chat.read()
    number = str(next(m for m in messages if m["kind"] == "ticket")["data"]["number"])
    assert (await product.desk("claim", number)).status_code == 200
    answer = await product.desk("resolve", number, cause="口径不清", solution=text)
    assert answer.status_code == 200, answer.text
    return chat, number


async def run_timers(product: Product) -> timers.Ran:
    app = product.services
    return await timers.run_due(
        app.database, terms=app.terms, now=app.clock(), closing=app.confirmations.close_silent
    )


async def status_of(product: Product, number: str) -> str:
    answer = await product.client.get(f"/api/v1/tickets/{number}", headers=await product.staff())
    return str(answer.json()["status"])


async def test_the_card_names_its_time_and_its_button_closes_the_ticket(timed: Product) -> None:
    chat, number = await resolved(timed)
    card = next(m for m in await chat.read() if m["kind"] == "resolved")
    assert card["data"]["until"] in card["text"]
    said = await chat.say("已解决", kind="confirm", number=number)
    assert [m["kind"] for m in said] == ["text", "rating_request"]
    assert await status_of(timed, number) == "已关闭"


async def test_not_solved_opens_it_again_and_waits_for_the_engineer(timed: Product) -> None:
    chat, number = await resolved(timed)
    said = await chat.say("还没解决", kind="reopen", number=number)
    assert [m["kind"] for m in said] == ["text", "queue"]
    assert await status_of(timed, number) == "已派单"
    assert (await chat.state())["owner"] == "queue"
    # A second press adds to the ticket and opens nothing else.
    await chat.say("还没解决", kind="reopen", number=number)
    assert await status_of(timed, number) == "已派单"


async def test_silence_closes_once_and_asks_for_stars(timed: Product, watch: Watch) -> None:
    chat, number = await resolved(timed)
    seen = (await chat.read())[-1]["seq"]
    assert (await run_timers(timed)).closed == 0
    watch.now += timedelta(days=10)
    assert (await run_timers(timed)).closed == 1
    assert (await run_timers(timed)).closed == 0
    news = await chat.read(seen)
    assert [m["kind"] for m in news] == ["closed", "rating_request"]
    assert number in news[0]["text"]
    assert news[1]["data"] == {"number": number}


async def test_who_objects_in_time_is_not_closed_by_silence(timed: Product, watch: Watch) -> None:
    chat, number = await resolved(timed)
    await chat.say("还没解决", kind="reopen", number=number)
    watch.now += timedelta(days=10)
    assert (await run_timers(timed)).closed == 0
    assert await timed.services.confirmations.close_silent(await _id_of(timed, number)) is False


async def _id_of(product: Product, number: str) -> str:
    from handoff import repository

    async with product.services.database.reading() as session:
        return (await repository.by_number(session, number)).id


async def test_too_late_an_objection_is_a_ticket_of_its_own(timed: Product, watch: Watch) -> None:
    chat, number = await resolved(timed)
    watch.now += timedelta(days=10)
    await run_timers(timed)
    said = await chat.say("还没解决", kind="reopen", number=number)
    opened = next(m for m in said if m["kind"] == "ticket")["data"]
    assert opened["number"] != number
    assert number in opened["title"]


async def test_those_whose_ticket_was_merged_are_told_with_their_number(
    timed: Product, watch: Watch
) -> None:
    one, first = await resolved(timed)
    await one.say("还没解决", kind="reopen", number=first)
    two = await timed.open()
    await two.say("我要找人工", kind="human")
    ticket = next(m for m in await two.read() if m["kind"] == "ticket")
    second = str(ticket["data"]["number"])
    assert (await timed.desk("merge", second, into=first)).status_code == 200
    await timed.desk("claim", first)
    await timed.desk("resolve", first, cause="权限", solution="已恢复")
    watch.now += timedelta(days=10)
    assert (await run_timers(timed)).closed == 1
    for chat, number in ((one, first), (two, second)):
        closed = [m for m in await chat.read() if m["kind"] == "closed"]
        assert [m["data"]["number"] for m in closed] == [number]


async def test_a_closing_by_telephone_is_told_too(timed: Product) -> None:
    chat, number = await resolved(timed)
    answer = await timed.client.post(
        f"/api/v1/tickets/{number}/close", json={}, headers=await timed.staff()
    )
    assert answer.status_code == 200, answer.text
    assert [m["kind"] for m in await chat.read()][-2:] == ["closed", "rating_request"]


@pytest.mark.parametrize("number", ["", "CW20991231-9999", "' OR 1=1 --"])
async def test_a_number_that_is_not_theirs_moves_nothing(timed: Product, number: str) -> None:
    _, other = await resolved(timed)
    stranger = await timed.open()
    assert [m["kind"] for m in await stranger.say("已解决", kind="confirm", number=number)] == [
        "text"
    ]
    await stranger.say("已解决", kind="confirm", number=other)
    assert await status_of(timed, other) == "已解决"


async def test_a_number_longer_than_any_is_refused(timed: Product) -> None:
    chat = await timed.open()
    assert (await chat.send("已解决", kind="confirm", number="9" * 25)).status_code == 422


def test_the_button_means_its_own_ticket_among_several() -> None:
    tickets = (make_ticket("CW1", same_conversation=True), make_ticket("CW2", resolved=True))
    turn = make_turn("已解决", tickets=tickets, action=UserAction(ActionKind.CONFIRM, number="CW2"))
    assert decide(DialogueState(), turn).parts == (ConfirmSolved("CW2"), RequestRating("CW2"))
    turn = make_turn(
        "还没解决", tickets=tickets, action=UserAction(ActionKind.REOPEN, number="CW2")
    )
    assert decide(DialogueState(), turn).parts == (
        AddToTicket("CW2", "ticket.still_unsolved", queue=True),
    )


def test_without_such_a_ticket_the_words_are_kept() -> None:
    late = UserAction(ActionKind.CONFIRM, number="CW9")
    assert decide(DialogueState(), make_turn("已解决", action=late)).parts == (Say("ticket.over"),)
    still = UserAction(ActionKind.REOPEN, number="CW9")
    (raised,) = decide(DialogueState(), make_turn("还没解决", action=still)).parts
    assert isinstance(raised, RaiseTicket)
    assert raised.problem == "CW9 还没解决"
