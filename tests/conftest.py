"""Fixtures that every part's tests share. Real databases, never stand-ins."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.schema import metadata
from bot.settings import Settings, data_dir
from nlu.category_data import read_faq_categories
from nlu.train import train_interpreter
from store.base import new_id
from store.session import Database, async_url
from tests import postgres, thrift
from tests.once import once_per_run
from tests.product import Product, copy_workspace, make_settings, prepare, serving

#: Set by CI: what would be skipped for a missing program fails there instead.
NOTHING_SKIPPED = os.environ.get("CAIWEN_TEST_NOTHING_SKIPPED") == "1"


def pytest_configure() -> None:
    """Before anything is imported that would keep what is replaced."""
    thrift.begin()
    # How long an example takes says how busy the machine is; that is for benchmarks to measure.
    hypothesis.settings.register_profile("caiwen", deadline=None)
    hypothesis.settings.load_profile("caiwen")


def pytest_collection_finish() -> None:
    """Nothing is imported in thousands any more."""
    thrift.settle()


def need(present: bool, what: str) -> None:
    """Skip the test when a program is missing; on CI that is a failure."""
    if present:
        return
    if NOTHING_SKIPPED:
        pytest.fail(f"{what} is not installed, and nothing may be skipped here")
    pytest.skip(f"{what} is not installed")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """One PostgreSQL server for the whole run."""
    need(postgres.binaries() is not None, "PostgreSQL")
    with postgres.server() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A fresh, empty database on the server."""
    with _copied(postgres_server, "template1") as url:
        yield url


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)],
)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, once per kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table of the product, to copy."""
    path = tmp_path_factory.mktemp("tables") / "tables.db"
    asyncio.run(_with_tables(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_tables(postgres_server: str) -> str:
    """The name of a PostgreSQL database with every table of the product, to copy."""
    name = f"tables_{new_id()}"
    asyncio.run(_administer(postgres_server, f"CREATE DATABASE {name}"))
    asyncio.run(_with_tables(_named(postgres_server, name)))
    return name


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)],
)
def tables_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with every table of the product, once per kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_tables"), tmp_path / "test.db")
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    server: str = request.getfixturevalue("postgres_server")
    with _copied(server, request.getfixturevalue("postgres_tables")) as url:
        yield url


@pytest.fixture
async def database(tables_url: str) -> AsyncIterator[Database]:
    """A database with every table of the product, once per kind."""
    opened = Database(tables_url)
    yield opened
    await opened.dispose()


@pytest.fixture
async def sqlite_database(sqlite_tables: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """A SQLite database with every table of the product."""
    shutil.copy(sqlite_tables, tmp_path / "test.db")
    opened = Database(f"sqlite:///{tmp_path / 'test.db'}")
    yield opened
    await opened.dispose()


@pytest.fixture(scope="session")
def shipped_interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of the data that ships, trained as ``caiwen train`` does, once per run."""

    def train(folder: Path) -> None:
        faq = read_faq_categories([data_dir() / "faq"])
        train_interpreter([data_dir() / "nlu"], folder, categorised=faq)

    return once_per_run(tmp_path_factory, "interpreter", train)


@pytest.fixture(scope="session")
def prepared_workspace(shipped_interpreter: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with content and a trained index, prepared once per run."""

    def prepared(home: Path) -> None:
        asyncio.run(prepare(make_settings(home), shipped_interpreter))

    return once_per_run(tmp_path_factory, "prepared", prepared)


@pytest.fixture
async def product(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[Product]:
    """The product over HTTP on SQLite, with a fresh copy of the prepared workspace."""
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    async with serving(make_settings(home)) as running:
        yield running


@pytest.fixture(scope="session")
def prepared_postgres(
    postgres_server: str, shipped_interpreter: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """A prepared database that others are copied from, and its workspace."""
    name = "prepared"
    asyncio.run(_administer(postgres_server, f"CREATE DATABASE {name}"))
    home = tmp_path_factory.mktemp("prepared-postgres") / "home"
    settings = make_settings(home, _named(postgres_server, name))
    asyncio.run(prepare(settings, shipped_interpreter))
    return name, home


@contextmanager
def _copied(server: str, template: str) -> Iterator[str]:
    """A database of one's own that begins as a copy of another."""
    name = f"test_{new_id()}"
    asyncio.run(_administer(server, f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield _named(server, name)
    asyncio.run(_administer(server, f"DROP DATABASE {name} WITH (FORCE)"))


async def _with_tables(url: str) -> None:
    opened = Database(url)
    async with opened.engine.begin() as connection:
        await connection.run_sync(metadata().create_all)
    await opened.dispose()


async def _administer(server: str, statement: str) -> None:
    admin = create_async_engine(async_url(server), isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(statement))
    await admin.dispose()


def _named(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def any_settings(
    request: pytest.FixtureRequest, prepared_workspace: Path, tmp_path: Path
) -> Settings:
    """Settings of a fresh copy of the prepared workspace, once per kind of database."""
    home = tmp_path / "home"
    if request.param == "sqlite":
        copy_workspace(prepared_workspace, home)
        return make_settings(home)
    server: str = request.getfixturevalue("postgres_server")
    template, prepared = request.getfixturevalue("prepared_postgres")
    copy_workspace(prepared, home)
    name = f"test_{new_id()}"
    asyncio.run(_administer(server, f"CREATE DATABASE {name} TEMPLATE {template}"))
    return make_settings(home, _named(server, name))


@pytest.fixture
async def any_product(any_settings: Settings) -> AsyncIterator[Product]:
    """The product over HTTP, once on SQLite and once on PostgreSQL."""
    async with serving(any_settings) as running:
        yield running
