"""Preparing a workspace: database, demonstration accounts, sample content, models, index."""

import secrets
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Annotated, Any

import typer

from bot import doctor as checks
from bot import migrate as migrations
from bot import repository
from bot.accounts.service import add_staff
from bot.cli.context import run, state_of
from bot.clock import utc_now
from bot.deployment import Deployment
from bot.errors import GoldenGateClosed
from bot.fingerprints import Fingerprints, of_files
from bot.importing import import_paths
from bot.learning import (
    build_knowledge_index,
    corpus_is_indexed,
    read_categorised,
    read_corrections,
)
from bot.settings import data_dir
from bot.tables import Role
from bot.understanding import learn_interpreter
from kb.calibration_store import calibration_file
from nlu.errors import TrainingFailed
from nlu.train import Corrections, train_rasa

#: Demonstration accounts: name, role, shown name, post.
DEMO_STAFF = (
    ("chen", Role.ENGINEER, "陈工", "一线工程师"),
    ("lin", Role.ENGINEER, "林工", "一线工程师"),
    ("zhou", Role.SECOND_LINE, "周工", "二线工程师"),
    ("editor", Role.EDITOR, "何编辑", "知识编辑"),
    ("reviewer", Role.REVIEWER, "梁审核", "知识审核"),
    ("manager", Role.MANAGER, "黄主任", "运维主管"),
    ("admin", Role.ADMIN, "管理员", "系统管理员"),
)


def migrate(context: typer.Context) -> None:
    """Bring the database to the newest schema."""
    state = state_of(context)
    state.workspace.create()
    run(state, _migrate(state))
    state.say("cli.migrated")


async def _migrate(state: Deployment) -> None:
    database = state.database()
    try:
        await migrations.upgrade(database)
    finally:
        await database.dispose()


def init(
    context: typer.Context,
    sample: Annotated[bool, typer.Option(help="导入示例内容、创建演示账号并训练。")] = True,
) -> None:
    """Prepare the workspace; what is done already is not done again."""
    state = state_of(context)
    state.workspace.create()
    state.rasa_token()
    _step(state, "cli.step.database", lambda: run(state, _migrate(state)))
    if not sample:
        state.say("cli.ready")
        return
    for name, password in run(state, _demo_staff(state)):
        state.say("cli.demo_account", name=name, password=password)
    _import_samples(state)
    _train(state, kb=True, nlu=True, only_missing=True)
    state.say("cli.ready")


def train(
    context: typer.Context,
    kb: Annotated[bool, typer.Option("--kb", help="只训练知识库检索。")] = False,
    nlu: Annotated[bool, typer.Option("--nlu", help="只训练语义理解。")] = False,
    override: Annotated[str, typer.Option(help="必答题变坏仍换上新索引的理由，记入审计。")] = "",
) -> None:
    """Train the search index and the NLU of this workspace."""
    state = state_of(context)
    state.workspace.create()
    both = not kb and not nlu
    _train(state, kb=kb or both, nlu=nlu or both, only_missing=False, override=override)


def _train(
    state: Deployment, *, kb: bool, nlu: bool, only_missing: bool, override: str = ""
) -> None:
    """Rasa trains in its own process while the index is built: two cores, two jobs."""
    prints = Fingerprints(state.workspace.home / "setup.json")
    with ThreadPoolExecutor(max_workers=1) as pool:
        rasa = _start_rasa_training(state, prints, pool, only_missing) if nlu else None
        if nlu:
            _train_interpreter(state, prints, only_missing=only_missing)
        # Two libraries that both want both cores take several times as long as one after the other.
        threads = 1 if rasa is not None else None
        if kb and not (only_missing and run(state, corpus_is_indexed(state))):
            _step(state, "cli.step.index", lambda: _index(state, threads, override))
            if calibration_file(state.settings.home).exists():
                state.say("calibration.again")
        if rasa is not None:
            _finish_rasa_training(state, prints, rasa)


def _index(state: Deployment, threads: int | None, override: str) -> None:
    try:
        run(state, build_knowledge_index(state, threads=threads, override=override))
    except GoldenGateClosed as closed:
        questions = "、".join(closed.broken[:20])
        raise state.fail("cli.golden_stopped", questions=questions) from None


def _nlu_fingerprint() -> str:
    return of_files([data_dir() / "nlu", data_dir().parent / "config.yml"])


def _train_interpreter(state: Deployment, prints: Fingerprints, *, only_missing: bool) -> None:
    wanted = _nlu_fingerprint()
    present = state.workspace.interpreter.exists()
    if only_missing and present and prints.get("interpreter") == wanted:
        return
    _step(
        state,
        "cli.step.interpreter",
        lambda: _learn_interpreter(state),
    )
    prints.put("interpreter", wanted)


def _learn_interpreter(state: Deployment) -> None:
    categorised = run(state, read_categorised(state))
    corrections = run(state, _corrections(state))
    learn_interpreter(state.workspace, categorised, corrections)


async def _corrections(state: Deployment) -> Corrections:
    database = state.database()
    try:
        return await read_corrections(database)
    finally:
        await database.dispose()


def _start_rasa_training(
    state: Deployment, prints: Fingerprints, pool: ThreadPoolExecutor, only_missing: bool
) -> Future[Any] | None:
    executable = state.rasa_executable()
    if not state.settings.nlu.enabled:
        return None
    if executable is None:
        state.say("cli.no_rasa")
        return None
    if (
        only_missing
        and state.workspace.rasa_model.is_file()
        and prints.get("rasa") == _nlu_fingerprint()
    ):
        return None
    state.say("cli.step.rasa")
    return pool.submit(
        train_rasa,
        executable,
        data_dir().parent / "config.yml",
        data_dir() / "nlu",
        state.workspace.rasa_model.parent,
    )


def _finish_rasa_training(state: Deployment, prints: Fingerprints, training: Future[Any]) -> None:
    started = time.monotonic()
    try:
        training.result()
    except TrainingFailed as failure:
        # The product works without Rasa; the log says what went wrong.
        log_file = state.workspace.logs / "rasa-training.log"
        log_file.write_text(str(failure), encoding="utf-8")
        state.say("cli.rasa_training_failed", log=log_file)
        return
    prints.put("rasa", _nlu_fingerprint())
    state.say("cli.rasa_trained", seconds=round(time.monotonic() - started, 1))


async def _demo_staff(state: Deployment) -> list[tuple[str, str]]:
    """Create the demonstration accounts in an empty workspace; one-time passwords."""
    database = state.database()
    created = []
    try:
        async with database.transaction() as session:
            if await repository.all_staff(session):
                return []
            for username, role, name, post in DEMO_STAFF:
                password = secrets.token_urlsafe(9)
                await add_staff(
                    session,
                    username=username,
                    password=password,
                    role=role,
                    name=name,
                    post=post,
                    must_change_password=True,
                    now=utc_now(),
                )
                created.append((username, password))
    finally:
        await database.dispose()
    return created


def _import_samples(state: Deployment) -> None:
    prints = Fingerprints(state.workspace.home / "setup.json")
    folders = [data_dir() / "guides", data_dir() / "faq"]
    wanted = of_files(folders)
    if prints.get("samples") == wanted:
        return

    def work() -> None:
        records = run(
            state,
            import_paths(state, folders, publish=True, report=lambda record: _tell(state, record)),
        )
        if not any(record["status"] == "refused" for record in records):
            prints.put("samples", wanted)

    _step(state, "cli.step.samples", work)


def _tell(state: Deployment, record: dict[str, Any]) -> None:
    if record["status"] == "refused":
        state.say("cli.refused", file=record["file"], detail=record["detail"])
    else:
        state.say(
            "cli.imported",
            file=record["file"],
            passages=record["passages"],
            images=record["images"],
        )


def _step(state: Deployment, key: str, work: Callable[[], object]) -> None:
    state.say(key)
    started = time.monotonic()
    work()
    state.say("cli.step.done", seconds=round(time.monotonic() - started, 1))


def doctor(context: typer.Context) -> None:
    """Check everything that a deployment needs, and say what to fix."""
    state = state_of(context)
    findings = run(state, checks.examine(state))
    for finding in findings:
        state.say(f"doctor.{'ok' if finding.ok else 'bad'}", what=state.phrases.say(finding.key))
        if not finding.ok:
            state.say(f"{finding.key}_fix", **finding.values)
    if any(not finding.ok and finding.needed for finding in findings):
        raise typer.Exit(1)
