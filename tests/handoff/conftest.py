"""A desk on a database with people in it."""

import pytest

from store.session import Database
from tests.handoff.people import Desk, add_people


@pytest.fixture
async def desk(database: Database) -> Desk:
    """On SQLite and on PostgreSQL."""
    await add_people(database)
    return Desk(database)


@pytest.fixture
async def sqlite_desk(sqlite_database: Database) -> Desk:
    """On SQLite alone, where the database makes no difference."""
    await add_people(sqlite_database)
    return Desk(sqlite_database)
