"""Understanding, judging and talking from the command line."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import typer

from bot.assembly import Services, assemble
from bot.cli.context import Jsonl, emit, input_lines, read_queries, run, state_of
from bot.clock import utc_now
from bot.conversations.opening import NewUser
from bot.conversations.thinking import similar_to
from bot.deployment import Deployment
from bot.dialogue.queries import MAX_QUERY_CHARS, has_words
from bot.dialogue.turn import Band, Search
from bot.knowledge import SearchedKnowledge
from bot.records import triage_record, understanding_record
from bot.running import running
from bot.tables import Sender
from bot.understanding import build_interpreter, build_triager, load_fallback
from kb.errors import IndexMismatch
from kb.fresh_index import FreshIndex
from kb.index_holder import IndexHolder
from store.base import new_id

nlu_app = typer.Typer(no_args_is_help=True, help="语义理解。")


@nlu_app.callback()
def _nlu() -> None:
    """Keep ``nlu`` a group with one command."""


@nlu_app.command()
def parse(context: typer.Context, jsonl: Jsonl = False) -> None:
    """Intents and entities of messages from standard input."""
    state = state_of(context)
    if not jsonl:
        raise state.fail("cli.jsonl_needed")
    run(state, _parse(state))


async def _parse(state: Deployment) -> None:
    interpreter = build_interpreter(state.settings, state.workspace)
    try:
        for query_id, text, error in read_queries(input_lines()):
            if error is not None:
                emit({"id": query_id, "error": error})
                continue
            emit(understanding_record(query_id, await interpreter.parse(text)))
    finally:
        await interpreter.close()


def triage(context: typer.Context, jsonl: Jsonl = False) -> None:
    """Incident, category, severity, module and reasons of messages from standard input."""
    state = state_of(context)
    if not jsonl:
        raise state.fail("cli.jsonl_needed")
    interpreter = load_fallback(state.workspace)
    triager = build_triager(state.workspace)
    search = _searcher(state)
    for query_id, text, error in read_queries(input_lines()):
        if error is not None:
            emit({"id": query_id, "error": error})
            continue
        judged = triager.triage(
            text,
            understanding=interpreter.understand(text),
            similar=similar_to([search(text)]),
        )
        emit(triage_record(query_id, judged))


def _searcher(state: Deployment) -> Callable[[str], Search]:
    """What is known about a text, as in a conversation; nothing where there is no index."""
    home, chosen = state.settings.home, state.settings.kb
    index = FreshIndex(home, IndexHolder(home, chosen), refresh_seconds=chosen.refresh_seconds)
    knowledge = SearchedKnowledge(index)
    now = utc_now()

    def search(text: str) -> Search:
        if not has_words(text):
            return Search(text, Band.NONE)
        return knowledge.search(text[:MAX_QUERY_CHARS], region=None, now=now)

    try:
        _ = knowledge.is_ready()
    except IndexMismatch:
        # An index of other settings says nothing about this one: judge by the words alone.
        return lambda text: Search(text, Band.NONE)
    return search


def chat(context: typer.Context) -> None:
    """The same conversation in a terminal; an empty line or Ctrl-D ends it."""
    state = state_of(context)
    run(state, _chat(state))


async def _chat(state: Deployment) -> None:
    services = assemble(state.settings)
    async with running(services, worker=False):
        user = NewUser(channel="terminal", external_user=f"terminal:{new_id()}", name="终端用户")
        conversation = await services.openings.open(user, token=None, now=services.clock())
        shown = await _show(services, conversation.id, 0)
        while line := await asyncio.to_thread(_ask):
            await services.conversations.receive(conversation.id, external_id=new_id(), text=line)
            await services.conversations.settle()
            shown = await _show(services, conversation.id, shown)


def _ask() -> str:
    sys.stdout.write("> ")
    sys.stdout.flush()
    return sys.stdin.readline().strip()


async def _show(services: Services, conversation_id: str, after: int) -> int:
    from bot import repository  # noqa: PLC0415  # only the terminal reads rows itself

    async with services.database.reading() as session:
        rows = await repository.messages_after(session, conversation_id, after=after, staff=False)
    for row in rows:
        after = row.seq
        if row.sender != Sender.USER.value:
            sys.stdout.write(f"{row.text}{_options(row.data)}\n")
    sys.stdout.flush()
    return after


def _options(data: dict[str, Any]) -> str:
    options = data.get("options") or data.get("hot_questions") or []
    return "".join(f"\n  · {option}" for option in options)
