"""From a channel with one thread per person into conversations: record first, think later.

Refuses to know any channel's protocol; connectors make :class:`InboundMessage` of theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.channels import menus
from bot.clock import Clock
from bot.conversations.greeting import LOCAL
from bot.conversations.live import STAFF, Live
from bot.conversations.opening import NewUser, Openings
from bot.conversations.recording import append
from bot.conversations.service import Conversations
from bot.errors import ConversationNotFound
from bot.phrases import Phrases
from bot.tables import MEDIA_KIND, Conversation, Owner, Sender
from connectors.base import InboundMessage
from store import inbox
from store.session import Database


@dataclass(frozen=True, slots=True)
class ChannelIntake:
    """What channels hand over. Everything is committed when a method returns."""

    database: Database
    openings: Openings
    conversations: Conversations
    phrases: Phrases
    live: Live
    clock: Clock

    async def receive(self, message: InboundMessage) -> None:
        """Record a message and start thinking about it; a repetition changes nothing."""
        conversation = await self.conversation_of(message)
        text, action = message.text, message.action
        if not action and (meant := await self._number(conversation.id, text.strip())):
            text, action = meant
        await self.conversations.receive(
            conversation.id, external_id=message.external_id, text=text, action=action or None
        )

    async def _number(
        self, conversation_id: str, text: str
    ) -> tuple[str, Mapping[str, Any]] | None:
        """What a bare number chooses from a list that was shown last."""
        if len(text) != 1 or not text.isdecimal():
            return None
        async with self.database.peek() as session:
            last = await repository.last_shown(session, conversation_id)
        return menus.typed(text, last.kind, last.data) if last is not None else None

    async def option(self, message: InboundMessage, seq: int, n: int) -> str | None:
        """The words of the ``n``-th option that was shown with message ``seq``, from 0."""
        conversation = await self.conversation_of(message)
        async with self.database.peek() as session:
            asked = await repository.message_at(session, conversation.id, seq)
        options = asked.data.get("options") if asked is not None else None
        return str(options[n]) if isinstance(options, list) and n < len(options) else None

    async def note(self, message: InboundMessage, media: str) -> None:
        """Record something that has no words, and ask for words unless a person is listening.

        ``media`` is the kind: image, voice, video, file, location, link or unknown.
        """
        conversation = await self.conversation_of(message)
        told = self.phrases.say(f"channel.received.{media}")
        async with self.database.transaction() as session:
            locked = await self._locked(session, conversation.id)
            if await self._known(session, locked, message.external_id, locked.last_seq + 1):
                return
            pending = locked.pending_seq is not None
            await append(
                session,
                locked,
                sender=Sender.USER,
                kind=MEDIA_KIND,
                text=f"{told}\n{message.text}" if message.text else told,
                data={"media": dict(message.action, kind=media)},
                now=self.clock(),
                client_msg_id=message.external_id,
            )
            if not pending:
                locked.handled_seq = locked.last_seq
            if locked.owner != Owner.ENGINEER.value and not pending:
                please = f"channel.please.{media}"
                known = self.phrases.has(please)
                await self._say(session, locked, please if known else "channel.words_please")
        self.live.publish(conversation.id, STAFF)

    async def greet(self, message: InboundMessage) -> None:
        """Greet a person who came in, once per local day; a new person is greeted anyway."""
        conversation = await self.conversation_of(message)
        now = self.clock()
        if conversation.created_at.astimezone(LOCAL).date() == now.astimezone(LOCAL).date():
            return
        async with self.database.transaction() as session:
            locked = await self._locked(session, conversation.id)
            day = f"greeting-{now.astimezone(LOCAL):%Y%m%d}"
            if await self._known(session, locked, day, 0) or locked.owner != Owner.BOT.value:
                return
            greeting = self.openings.greetings.at(now)
            await append(
                session,
                locked,
                sender=Sender.BOT,
                kind="greeting",
                text=greeting.text,
                data={"hot_questions": list(greeting.hot_questions), "secrecy": greeting.secrecy},
                now=now,
            )
        self.live.publish(conversation.id)

    async def conversation_of(self, message: InboundMessage) -> Conversation:
        """The one conversation of a person in this channel, opened when there is none."""
        user = NewUser(channel=message.channel, external_user=message.external_user, verified=True)
        try:
            return await self.openings.resume_or_open(user, now=self.clock())
        except IntegrityError:
            # Another process met the same new person in the same moment; now they are known.
            return await self.openings.resume_or_open(user, now=self.clock())

    @staticmethod
    async def _locked(session: AsyncSession, conversation_id: str) -> Conversation:
        locked = await repository.lock_conversation(session, conversation_id)
        if locked is None:
            raise ConversationNotFound(conversation_id)
        return locked

    async def _known(
        self, session: AsyncSession, conversation: Conversation, external_id: str, seq: int
    ) -> bool:
        """Whether this was recorded before; the same ids as those of words."""
        known = await inbox.admit(
            session,
            channel=conversation.channel,
            external_id=f"{conversation.id}:{external_id}",
            result={"message_id": f"{conversation.id}-{seq}", "seq": seq},
            now=self.clock(),
        )
        return known is not None

    async def _say(self, session: AsyncSession, conversation: Conversation, key: str) -> None:
        now: datetime = self.clock()
        text = self.phrases.say(key)
        await append(session, conversation, sender=Sender.BOT, kind="text", text=text, now=now)
