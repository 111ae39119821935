"""People and tickets to test with, in any database."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.tables import Conversation, Message, Staff, User
from handoff import repository, service
from handoff.service import NewTicket
from handoff.tables import Ticket
from handoff.ticket import Actor, ActorKind
from store.session import Database
from store.vocabulary import Category, Severity
from tests.handoff.terms import at, shipped_terms

NOW = at("2026-03-10 09:00")
BOT = Actor(ActorKind.BOT, "bot", "财问")
SYSTEM = Actor(ActorKind.SYSTEM, "timer", "")
ASKER = Actor(ActorKind.USER, "u1", "李会计")
CHEN = Actor(ActorKind.ENGINEER, "e1", "陈工")
WANG = Actor(ActorKind.ENGINEER, "e2", "王工")

NEW = NewTicket(
    title="支付申请无法撤回",
    description="支付申请提交后撤回按钮是灰的",
    category=Category.FAULT,
    severity=Severity.GENERAL,
    contract_id="foshan",
    channel="web",
    severity_reasons=({"rule": "own_operation", "evidence": "撤回", "effect": "一般"},),
    module="支付管理",
    conversation_id="c1",
    requester_id="u1",
    region="禅城区",
    unit="区教育局",
)


async def add_people(database: Database) -> None:
    """Users u1 and u2, engineers e1 and e2, conversations c1 and c2."""
    async with database.transaction() as session:
        for name in ("u1", "u2"):
            session.add(
                User(id=name, channel="web", external_user=name, verified=False, created_at=NOW)
            )
        for name in ("e1", "e2"):
            session.add(
                Staff(
                    id=name,
                    username=name,
                    name=name,
                    role="engineer",
                    password_hash="x",
                    regions=[],
                    modules=[],
                    created_at=NOW,
                )
            )
        await session.flush()
        for name, user in (("c1", "u1"), ("c2", "u2")):
            session.add(
                Conversation(
                    id=name,
                    channel="web",
                    user_id=user,
                    state={},
                    created_at=NOW,
                    updated_at=NOW,
                )
            )


async def add_message(session: AsyncSession, conversation_id: str, seq: int, text: str) -> None:
    """One message of a transcript."""
    session.add(
        Message(
            conversation_id=conversation_id,
            seq=seq,
            sender="user",
            kind="text",
            text=text,
            data={},
            created_at=NOW,
        )
    )
    await session.flush()


@dataclass
class Desk:
    """Does verbs one transaction each, a minute apart, as the edges of the product do."""

    database: Database
    now: datetime = NOW
    step: timedelta = field(default=timedelta(minutes=1))

    async def open(self, *, actor: Actor = BOT, **over: Any) -> Ticket:
        async with self.database.transaction() as session:
            return await service.open_ticket(
                session,
                replace(NEW, **over),
                actor=actor,
                now=self.now,
                terms=shipped_terms(),
            )

    async def do(
        self, verb: Callable[..., Any], ticket: Ticket, actor: Actor, **options: Any
    ) -> Ticket:
        """The verb on the ticket as it is in the database now."""
        self.now += self.step
        async with self.database.transaction() as session:
            found = await repository.by_id(session, ticket.id, lock=True)
            done: Ticket = await verb(
                session, found, actor=actor, now=self.now, terms=shipped_terms(), **options
            )
            return done

    async def read(self, ticket: Ticket) -> Ticket:
        async with self.database.reading() as session:
            return await repository.by_id(session, ticket.id)
