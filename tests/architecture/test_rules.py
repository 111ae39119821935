"""Classes of mistakes turned into rules. Each rule is shown to catch its mistake."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.architecture.source import (
    PACKAGES,
    Check,
    Module,
    findings,
    modules,
    name_of,
    outside,
    said,
)

#: Where queries are written: the repositories, and the store's own tables with their verbs.
QUERY_FILES = ("repository.py", "tables.py", "outbox.py", "inbox.py", "audit.py", "leases.py")
QUERY_VERBS = frozenset({"select", "update", "delete", "insert", "exists"})
WALL_CLOCKS = (
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "date.today",
    "datetime.fromtimestamp",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.ctime",
)
LOG_METHODS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
#: What must never reach a log line: people's words, and what opens doors.
UNLOGGABLE = frozenset(
    {"text", "message", "question", "query", "body", "q", "answer", "words", "reply"}
    | {"password", "token", "secret", "csrf", "cookie", "phone", "name", "headers", "url"}
)


def calls(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    """Every call, with the dotted name of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, name_of(node.func)


def imported_from(tree: ast.Module, package: str) -> dict[str, int]:
    """Original names imported from a package or anything below it, with their lines."""
    return {
        alias.name: node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module is not None
        and node.module.split(".")[0] == package
        for alias in node.names
    }


def queries(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Statements made outside the places where queries live."""
    for name, line in imported_from(tree, "sqlalchemy").items():
        if name in QUERY_VERBS - {"insert"}:
            yield line, f"{name} of sqlalchemy"
    for call, name in calls(tree):
        if name in ("sa.select", "sqlalchemy.select", "select"):
            yield call.lineno, name


def wall_clock(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The clock of the machine, read anywhere but in the clock."""
    for call, name in calls(tree):
        if name.endswith(WALL_CLOCKS) and (name in WALL_CLOCKS or f".{name}".endswith(WALL_CLOCKS)):
            yield call.lineno, name


def printing(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Output that is neither a result nor a log line."""
    for call, name in calls(tree):
        if name in ("print", "pprint", "pprint.pprint", "breakpoint"):
            yield call.lineno, name


def unsafe_logging(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Log calls whose event is not a constant, or that carry words of people or secrets."""
    for call, name in calls(tree):
        owner, _, method = name.rpartition(".")
        if owner.lstrip("_") != "log" or method not in LOG_METHODS:
            continue
        event = call.args[0] if call.args else None
        if len(call.args) != 1 or not isinstance(event, ast.Constant):
            yield call.lineno, "a log event is one constant; values go by keyword"
        for keyword in call.keywords:
            if keyword.arg is None or keyword.arg in UNLOGGABLE:
                yield call.lineno, f"{keyword.arg or '**'} in a log line"


def loaded_relations(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Relationships load rows behind one's back, and tie packages together."""
    for call, name in calls(tree):
        if name.split(".")[-1] in ("relationship", "backref"):
            yield call.lineno, name


def blocking_sleep(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Sleeping in a thread of the product, or shutting the loop up."""
    for call, name in calls(tree):
        if name in ("time.sleep", "asyncio.get_event_loop", "nest_asyncio.apply"):
            yield call.lineno, name


def application_code(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Migrations describe one moment; code that changes later must not change them."""
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            if name.split(".")[0] in PACKAGES and name != "store.base":
                yield node.lineno, name  # type: ignore[attr-defined]  # imports have a line


def bare_http(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """HTTP in domain code: refusals are told in one table at the edge."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in ("HTTPException", "status_code"):
            yield node.lineno, node.id


def swallowed(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """``except`` that catches everything, cancellation included, or says nothing at all."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        if node.type is None:
            yield node.lineno, "bare except"
        elif name_of(node.type) in ("Exception", "BaseException") and all(
            isinstance(step, ast.Pass) for step in node.body
        ):
            yield node.lineno, "an exception is dropped"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, the modules it is for, and a line that breaks it."""

    check: Check
    among: tuple[Module, ...]
    bad: str
    good: str = "x = 1"


def _named(rule: Rule) -> str:
    return rule.check.__name__


PRODUCT = modules()
RULES = (
    Rule(
        queries,
        tuple(m for m in PRODUCT if not m.path.endswith(QUERY_FILES)),
        "from sqlalchemy import select",
        "from sqlalchemy import text",
    ),
    Rule(
        wall_clock,
        # The clock itself, and ids that sort by the moment they were made.
        outside(PRODUCT, "bot/clock.py", "store/base.py"),
        "now = datetime.now(UTC)",
        "now = datetime(2026, 1, 1); later = time.monotonic()",
    ),
    Rule(
        wall_clock,
        outside(PRODUCT, "bot/clock.py", "store/base.py"),
        "now = datetime.datetime.utcnow()",
        "limit = timeout.time()",
    ),
    Rule(printing, PRODUCT, "print('x')", "typer.echo('x')"),
    Rule(unsafe_logging, PRODUCT, "log.info('said', text=text)", "log.info('said', row=row.id)"),
    Rule(unsafe_logging, PRODUCT, "log.info(f'said {x}')", "_log.warning('late', waited_ms=3)"),
    Rule(loaded_relations, PRODUCT, "users = relationship('User')"),
    Rule(blocking_sleep, PRODUCT, "time.sleep(1)", "await_ = asyncio.sleep(1)"),
    Rule(
        application_code,
        modules("store/migrations"),
        "from bot.tables import Message",
        "from alembic import op",
    ),
    Rule(
        bare_http,
        tuple(m for m in PRODUCT if not m.is_in("bot/web/", "connectors/")),
        "raise HTTPException(404)",
    ),
    Rule(swallowed, PRODUCT, "try:\n    x()\nexcept:\n    raise"),
    Rule(
        swallowed,
        PRODUCT,
        "try:\n    x()\nexcept Exception:\n    pass",
        "try:\n    x()\nexcept Exception:\n    log.exception('x')",
    ),
)


@pytest.mark.parametrize("rule", RULES, ids=_named)
def test_the_rule_is_kept(rule: Rule) -> None:
    found = findings(rule.check, rule.among)
    assert not found, said(found)


@pytest.mark.parametrize("rule", RULES, ids=_named)
def test_the_rule_catches_its_mistake(rule: Rule) -> None:
    assert list(rule.check(ast.parse(rule.bad)))
    assert not list(rule.check(ast.parse(rule.good)))
