"""Ticket numbers that people read out on the phone: ``CW20261121-0007``.

The day is the region's; the counter starts at 1 each day and grows a digit after 9999. Refuses to
promise that numbers have no holes: a rolled-back opening may leave one.
"""

import re
import unicodedata
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.tables import TicketCounter

PREFIX = "CW"
INCIDENT_PREFIX = "SJ"

_WRITTEN = re.compile(r"(?<![0-9A-Z])CW\s*(\d{8})\s*-\s*(\d{1,9})(?!\d)")


async def next_number(session: AsyncSession, *, zone: ZoneInfo, now: datetime) -> str:
    """The next free number of the day, in the caller's transaction.

    One statement on one row, so two openings at once wait for each other and differ.
    """
    day = now.astimezone(zone).strftime("%Y%m%d")
    return format_number(day, await _next_count(session, day))


async def next_incident_number(session: AsyncSession, *, zone: ZoneInfo, now: datetime) -> str:
    """The next free number of an incident, such as ``SJ20261121-01``; counted by themselves."""
    day = now.astimezone(zone).strftime("%Y%m%d")
    count = await _next_count(session, f"I{day[2:]}")
    return f"{INCIDENT_PREFIX}{day}-{count:02d}"


async def _next_count(session: AsyncSession, key: str) -> int:
    insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    statement = (
        insert(TicketCounter)
        .values(day=key, last=1)
        .on_conflict_do_update(
            index_elements=[TicketCounter.day], set_={"last": TicketCounter.last + 1}
        )
        .returning(TicketCounter.last)
    )
    return (await session.execute(statement)).scalar_one()


def format_number(day: str, count: int) -> str:
    """``day`` as ``YYYYMMDD`` and the count within it."""
    return f"{PREFIX}{day}-{count:04d}"


def numbers_in(text: str) -> tuple[str, ...]:
    """The ticket numbers written in ``text``, however spaced or wide, in their one form."""
    plain = unicodedata.normalize("NFKC", text).upper().replace("—", "-").replace("–", "-")
    found = (format_number(day, int(count)) for day, count in _WRITTEN.findall(plain))
    return tuple(dict.fromkeys(found))
