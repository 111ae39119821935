"""Names, units and regions of people whom a channel knows by an id alone, from the platform.

Asked for later, by the outbox: a callback must be answered within a second.
"""

from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from connectors.identity_provider import IdentityProvider
from connectors.relay import Handler
from store import outbox
from store.outbox import Claimed
from store.session import Database

KIND = "wecom_person"


async def ask_later(session: AsyncSession, *, channel: str, subject: str, now: datetime) -> None:
    """Ask about a person, at most once a week."""
    year, week, _ = now.isocalendar()
    await outbox.enqueue(
        session,
        kind=KIND,
        payload={"channel": channel, "subject": subject},
        dedupe_key=f"{KIND}:{channel}:{year}-{week}:{subject}",
        available_at=now,
    )


class Known(Protocol):
    """Who can be asked at the moment."""

    @property
    def identity(self) -> IdentityProvider | None:
        """Says who members are, where a channel can."""
        ...


def handlers(database: Database, known_by: Known) -> dict[str, Handler]:
    """What answers these questions."""

    async def bind(row: Claimed) -> None:
        provider = known_by.identity
        if provider is None:
            return
        person = await provider.person(str(row.payload["subject"]))
        async with database.transaction() as session:
            known = await repository.user_by_external(
                session, str(row.payload["channel"]), person.subject
            )
            if known is not None:
                known.name, known.unit = person.name or known.name, person.unit or known.unit
                known.region = person.region or known.region

    return {KIND: bind}
