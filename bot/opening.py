"""Opening a conversation: the person, the row, the greeting, in one transaction."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.accounts import hash_token
from bot.greeting import Greetings
from bot.masking import mask
from bot.recording import append
from bot.tables import Conversation, Owner, Sender, User
from store.base import new_id
from store.session import Database


@dataclass(frozen=True, slots=True)
class NewUser:
    """A person as a channel introduces them. Nothing here is proven unless ``verified``."""

    channel: str
    external_user: str
    name: str | None = None
    unit: str | None = None
    region: str | None = None
    phone: str | None = None
    device: str | None = None
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Openings:
    """Opens conversations."""

    database: Database
    greetings: Greetings

    async def open(self, user: NewUser, *, token: str | None, now: datetime) -> Conversation:
        """A new conversation with its greeting. ``token`` opens it again; its hash rests."""
        async with self.database.transaction() as session:
            person = await _person(session, user, now)
            return await self._open(session, person, token, now)

    async def resume_or_open(self, user: NewUser, *, now: datetime) -> Conversation:
        """The person's one conversation in a channel that has a single thread."""
        async with self.database.transaction() as session:
            person = await _person(session, user, now)
            known = await repository.open_conversation_of(session, user.channel, person.id)
            return known or await self._open(session, person, None, now)

    async def _open(
        self, session: AsyncSession, person: User, token: str | None, now: datetime
    ) -> Conversation:
        conversation = Conversation(
            id=new_id(),
            channel=person.channel,
            user_id=person.id,
            token_hash=hash_token(token) if token else None,
            owner=Owner.BOT.value,
            owner_version=0,
            last_seq=0,
            handled_seq=0,
            staff_read_seq=0,
            state={},
            created_at=now,
            updated_at=now,
        )
        session.add(conversation)
        await session.flush()
        greeting = self.greetings.at(now)
        await append(
            session,
            conversation,
            sender=Sender.BOT,
            kind="greeting",
            text=greeting.text,
            data={"hot_questions": list(greeting.hot_questions), "secrecy": greeting.secrecy},
            now=now,
        )
        return conversation


async def _person(session: AsyncSession, user: NewUser, now: datetime) -> User:
    known = await repository.user_by_external(session, user.channel, user.external_user)
    if known is not None:
        return known
    person = User(
        id=new_id(),
        channel=user.channel,
        external_user=user.external_user,
        verified=user.verified,
        name=user.name,
        unit=user.unit,
        region=user.region,
        phone=mask(user.phone).text if user.phone else None,
        device=user.device,
        created_at=now,
    )
    session.add(person)
    await session.flush()
    return person
