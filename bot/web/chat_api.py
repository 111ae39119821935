"""The API of users' channels on the web: open, send, read, follow, suggest."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response, status
from starlette.responses import StreamingResponse

from bot import repository
from bot.assembly import Services
from bot.conversations import message_repository
from bot.conversations.opening import NewUser
from bot.errors import IdentityRefused, MessageTooLong
from bot.tables import Sender
from bot.web.events import View, conversation_events, stream
from bot.web.schemas import (
    ConversationIn,
    ConversationOut,
    IdentityIn,
    MessageAccepted,
    MessageIn,
    MessageOut,
    MessagesOut,
    SeenIn,
)
from bot.web.security import AppServices, OwnConversation, OwnConversationId
from kb.applicability import groups

router = APIRouter(prefix="/api/v1", tags=["chat"])

#: How long "is typing" holds after one sign of it, in seconds.
TYPING_S = 5.0


@asynccontextmanager
async def _counted(app: Services, key: str) -> AsyncIterator[None]:
    """Note a refused proof for the widget that it was shown at, and refuse it as before."""
    try:
        yield
    except IdentityRefused:
        await app.widgets.note_refused(key)
        raise


@router.post("/conversations", status_code=status.HTTP_201_CREATED)
async def open_conversation(
    body: ConversationIn,
    app: AppServices,
    user_agent: Annotated[str, Header()] = "",
) -> ConversationOut:
    """Open a conversation; the greeting is its first message."""
    token = secrets.token_urlsafe(32)
    if body.identity is not None:
        async with _counted(app, body.widget):
            proven = app.identities.check(
                body.identity, device=user_agent, now=app.clock(), key=body.widget
            )
            conversation = await app.openings.open(
                proven.user, token=token, now=app.clock(), proof_id=proven.proof_id
            )
        return ConversationOut(conversation_id=conversation.id, token=token)
    user = NewUser(
        channel=body.channel,
        external_user=f"anonymous:{secrets.token_hex(16)}",
        name=body.user.name,
        unit=body.user.unit,
        region=body.user.region,
        audience=body.user.audience,
        phone=body.user.phone,
        device=user_agent[:300],
        widget=app.widgets.known(body.widget),
    )
    conversation = await app.openings.open(user, token=token, now=app.clock())
    return ConversationOut(conversation_id=conversation.id, token=token)


@router.post("/conversations/{conversation_id}/identity", status_code=status.HTTP_204_NO_CONTENT)
async def prove(
    body: IdentityIn,
    conversation_id: OwnConversationId,
    app: AppServices,
    user_agent: Annotated[str, Header()] = "",
) -> None:
    """Give a conversation that began without a proof to the person who is proven now."""
    async with _counted(app, body.widget):
        proven = app.identities.check(
            body.identity, device=user_agent, now=app.clock(), key=body.widget
        )
        await app.openings.prove(
            conversation_id, proven.user, proof_id=proven.proof_id, now=app.clock()
        )


@router.post("/conversations/{conversation_id}/messages")
async def send_message(
    body: MessageIn, conversation_id: OwnConversationId, app: AppServices, response: Response
) -> MessageAccepted:
    """Accept a message: 202 when it is new, 200 with the same body when it is known."""
    limit = app.settings.web.max_message_chars
    if len(body.text) > limit:
        raise MessageTooLong(limit)
    recorded = await app.conversations.receive(
        conversation_id,
        external_id=body.client_msg_id,
        text=body.text,
        action=body.action.model_dump() if body.action else None,
    )
    response.status_code = 200 if recorded.duplicate else 202
    return MessageAccepted(message_id=recorded.message_id, seq=recorded.seq)


@router.get("/conversations/{conversation_id}/messages")
async def read_messages(
    conversation: OwnConversation,
    app: AppServices,
    after: Annotated[int, Query(ge=0, le=2_000_000_000)] = 0,
) -> MessagesOut:
    """Messages after a sequence number, at most 500 at once, oldest first."""
    async with app.database.glance() as session:
        rows = await repository.messages_after(session, conversation.id, after=after, staff=False)
    return MessagesOut(owner=conversation.owner, messages=[MessageOut.of(row) for row in rows])


@router.get("/conversations/{conversation_id}/events")
async def follow(
    conversation_id: OwnConversationId,
    app: AppServices,
    last_event_id: Annotated[str, Header()] = "",
    after: Annotated[int, Query(ge=0, le=2_000_000_000)] = 0,
) -> StreamingResponse:
    """Messages as they come, replayed from ``Last-Event-ID`` (or ``after``)."""
    seen = int(last_event_id) if last_event_id.isdecimal() and len(last_event_id) < 10 else after
    view = View(conversation_id, Sender.ENGINEER)
    return stream(conversation_events(app, view, seen))


@router.post("/conversations/{conversation_id}/typing", status_code=status.HTTP_204_NO_CONTENT)
async def typing(conversation_id: OwnConversationId, app: AppServices) -> None:
    """The user is typing."""
    until = asyncio.get_running_loop().time() + TYPING_S
    app.live.set_typing(conversation_id, Sender.USER.value, until)


@router.post("/conversations/{conversation_id}/seen", status_code=status.HTTP_204_NO_CONTENT)
async def seen(body: SeenIn, conversation_id: OwnConversationId, app: AppServices) -> None:
    """Sequence numbers of the newest message received and of the newest one read."""
    async with app.database.transaction(quick=True) as session:
        moved = await message_repository.acknowledge(
            session, conversation_id, received=body.received, read=body.read
        )
    if moved:
        app.live.publish(conversation_id)


@router.get("/conversations/{conversation_id}/suggestions")
async def suggestions(
    conversation: OwnConversation,
    app: AppServices,
    q: Annotated[str, Query(max_length=100)] = "",
) -> list[str]:
    """Questions that begin like what is being typed, at most five, as far as they hold."""
    async with app.database.peek() as session:
        known = await repository.users_by_id(session, [conversation.user_id])
    user = known.get(conversation.user_id)
    suggest = partial(
        app.knowledge.suggest,
        q,
        region=user.region if user else None,
        audience=groups(user.audience) if user else (),
        now=app.clock(),
    )
    return await asyncio.to_thread(suggest)
