"""Opening a conversation: the person, the row, the greeting, in one transaction."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.accounts.service import hash_token
from bot.conversations.greeting import Greetings
from bot.conversations.recording import append
from bot.errors import ConversationNotFound, IdentityRefused
from bot.masking import mask
from bot.tables import Conversation, Owner, Sender, User
from handoff import repository as tickets
from store import audit, inbox
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
    audience: str | None = None
    phone: str | None = None
    device: str | None = None
    verified: bool = False
    #: The key of the host page's widget, where it has one.
    widget: str = ""


@dataclass(frozen=True, slots=True)
class Openings:
    """Opens conversations."""

    database: Database
    greetings: Greetings

    async def open(
        self, user: NewUser, *, token: str | None, now: datetime, proof_id: str = ""
    ) -> Conversation:
        """A new conversation with its greeting. ``token`` opens it again; its hash rests.

        ``proof_id`` names the proof of a verified user; raises :class:`IdentityRefused` when it was
        used before.
        """
        async with self.database.transaction() as session:
            await _use_up(session, proof_id, now)
            person = await _person(session, user, now)
            return await self._open(session, person, token, now, widget=user.widget)

    async def prove(
        self, conversation_id: str, user: NewUser, *, proof_id: str, now: datetime
    ) -> None:
        """Give a conversation that began unproven, with its tickets, to the proven person.

        Raises :class:`IdentityRefused` for a used proof, and when it is somebody else's already.
        """
        async with self.database.transaction() as session:
            await _use_up(session, proof_id, now)
            conversation = await repository.lock_conversation(session, conversation_id)
            if conversation is None:
                raise ConversationNotFound(conversation_id)
            before = (await repository.users_by_id(session, [conversation.user_id]))[
                conversation.user_id
            ]
            person = await _person(session, user, now)
            if before.id == person.id:
                return
            if before.verified:
                raise IdentityRefused
            conversation.user_id = person.id
            conversation.widget = conversation.widget or user.widget
            await tickets.hand_to_requester(session, conversation.id, before.id, person.id)
            await audit.record(
                session,
                actor=f"user:{person.id}",
                action="conversation.proven",
                subject=f"conversation:{conversation.id}",
                detail={"before": before.id},
                now=now,
            )

    async def resume_or_open(self, user: NewUser, *, now: datetime) -> Conversation:
        """The person's one conversation in a channel that has a single thread."""
        async with self.database.transaction() as session:
            person = await _person(session, user, now)
            known = await repository.open_conversation_of(session, user.channel, person.id)
            return known or await self._open(session, person, None, now)

    async def _open(
        self,
        session: AsyncSession,
        person: User,
        token: str | None,
        now: datetime,
        *,
        widget: str = "",
    ) -> Conversation:
        conversation = Conversation(
            id=new_id(),
            channel=person.channel,
            widget=widget,
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


async def _use_up(session: AsyncSession, proof_id: str, now: datetime) -> None:
    if not proof_id:
        return
    known = await inbox.admit(
        session, channel="identity", external_id=proof_id, result={"used": True}, now=now
    )
    if known is not None:
        raise IdentityRefused


async def _person(session: AsyncSession, user: NewUser, now: datetime) -> User:
    known = await repository.user_by_external(session, user.channel, user.external_user)
    if known is not None:
        if user.verified:
            # The host knows best, and may know better by now.
            known.name, known.unit = user.name or known.name, user.unit or known.unit
            known.region = user.region or known.region
            known.audience = user.audience or known.audience
        return known
    person = User(
        id=new_id(),
        channel=user.channel,
        external_user=user.external_user,
        verified=user.verified,
        name=user.name,
        unit=user.unit,
        region=user.region,
        audience=user.audience,
        phone=mask(user.phone).text if user.phone else None,
        device=user.device,
        created_at=now,
    )
    session.add(person)
    await session.flush()
    return person
