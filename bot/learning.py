"""Building the search index of a workspace from what is published in its database."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import utc_now
from bot.deployment import Deployment
from bot.golden.training import training_gate
from bot.settings import data_dir
from bot.tickets.corrections_repository import corrected
from bot.workbench.lexicons import entries_of, shipped
from handoff.ticket import Action
from kb.articles import Corpus
from kb.errors import IndexMismatch, IndexMissing, NothingPublished
from kb.fresh_index import FreshIndex
from kb.golden import Comparison
from kb.index_holder import IndexHolder, current_folder
from kb.lexicon import Lexicon
from kb.lexicon_entries import searched
from kb.search_index import read_manifest
from kb.service import load_corpus
from kb.train import Build, build_index
from nlu.category_data import Categorised
from nlu.level_model import Rated
from nlu.train import Corrections
from nlu.training_data import read_training_data
from nlu.types import Intent
from store.session import Database
from store.vocabulary import Category, Severity


async def read_corpus(database: Database) -> Corpus:
    """Everything that is published."""
    async with database.reading() as session:
        return await load_corpus(session)


async def read_lexicon(session: AsyncSession) -> Lexicon:
    """The words that search knows here: those shipped and those of this workspace."""
    known = shipped(data_dir())
    return searched(await entries_of(session, known), known.base)


def negatives() -> list[str]:
    """Everyday questions that no helpdesk answers: the interpreter's out-of-scope examples."""
    data = read_training_data([data_dir() / "nlu"])
    return [e.text for e in data.examples if e.intent == Intent.OUT_OF_SCOPE.value]


async def build_knowledge_index(
    state: Deployment, *, threads: int | None = None, override: str = ""
) -> Build | None:
    """Train and index with so many threads; ``None`` when nothing is published.

    Golden questions are asked of the new index before it is used; raises GoldenGateClosed when
    too much gets worse, unless ``override`` gives a reason.
    """
    database = state.database()
    try:
        return await _build(state, database, threads=threads, override=override)
    finally:
        await database.dispose()


async def _build(
    state: Deployment, database: Database, *, threads: int | None, override: str
) -> Build | None:
    corpus = await read_corpus(database)
    async with database.reading() as session:
        lexicon = await read_lexicon(session)
    settings = state.settings.kb
    live = FreshIndex(
        state.settings.home, IndexHolder(state.settings.home, settings), refresh_seconds=1.0
    )
    gate = await training_gate(database, live, utc_now, limit=settings.gate_drop, override=override)
    if threads is not None:
        settings = settings.model_copy(update={"training_threads": threads})
    try:
        build = await asyncio.to_thread(
            build_index,
            state.settings.home,
            corpus,
            settings,
            lexicon=lexicon,
            negatives=negatives(),
            now=utc_now(),
            admit=gate.admit,
        )
    except NothingPublished:
        state.say("cli.nothing_published")
        return None
    finally:
        await gate.keep(database, utc_now)
    _tell(state, gate.found)
    state.say("cli.indexed", answers=build.answers, units=build.units)
    return build


def _tell(state: Deployment, found: Comparison | None) -> None:
    if found is None:
        return
    shares = {
        f"{name}_{when}": f"{100 * getattr(counted, name):.1f}"
        for when, counted in (("before", found.before), ("after", found.after))
        for name in ("hit1", "hit3", "refusal")
    }
    counts = {"improved": len(found.improved), "broken": len(found.broken)}
    state.say("cli.golden", **shares, **counts)


async def read_categorised(state: Deployment) -> list[Categorised]:
    """Questions whose category the workspace's editors have set."""
    database = state.database()
    try:
        corpus = await read_corpus(database)
    finally:
        await database.dispose()
    known = {category.value: category for category in Category}
    return [
        Categorised(question, known[article.category])
        for article in corpus.articles
        if article.category in known
        for question in article.questions
    ]


async def read_corrections(database: Database) -> Corrections:
    """What engineers have set right on tickets that are over, as triage learns from it."""
    async with database.reading() as session:
        classified = await corrected(session, Action.CLASSIFY)
        rated = await corrected(session, Action.CHANGE_SEVERITY)
    return Corrections(
        tuple(Categorised(one.told, Category(one.category)) for one in classified),
        tuple(Rated(one.told, Severity(one.severity)) for one in rated),
    )


async def corpus_is_indexed(state: Deployment) -> bool:
    """Whether the current index was built from exactly what is published now."""
    database = state.database()
    try:
        corpus = await read_corpus(database)
    finally:
        await database.dispose()
    try:
        manifest = read_manifest(current_folder(state.settings.home))
    except (IndexMissing, IndexMismatch, OSError, ValueError):
        return not corpus.answers
    return manifest.corpus == corpus.revision
