"""Who is calling: conversation tokens for users, cookies or bearer tokens for staff.

A cookie needs the session's CSRF token for anything that changes; a bearer token does not,
because no browser sends it by itself.
"""

import hmac
from typing import Annotated

from fastapi import Depends, Request

from bot import repository
from bot.accounts.service import Principal, hash_token, principal_of
from bot.assembly import Services, services
from bot.errors import ConversationNotFound, CsrfRefused, NotAuthenticated
from bot.tables import Conversation

COOKIE = "caiwen_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


async def services_of(request: Request) -> Services:
    """The assembled product that serves this request.

    Asynchronous as every dependency: FastAPI sends the others to a thread, for each request.
    """
    return services(request.app)


AppServices = Annotated[Services, Depends(services_of)]


def bearer(request: Request) -> str | None:
    """The token of the Authorization header, if there is one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


async def current_staff(request: Request, app: AppServices) -> Principal:
    """The member of staff who asks; raises :class:`NotAuthenticated` or :class:`CsrfRefused`."""
    token = bearer(request)
    by_cookie = token is None
    if by_cookie:
        token = request.cookies.get(COOKIE)
    if not token:
        raise NotAuthenticated
    async with app.database.peek() as session:
        principal = await principal_of(session, token, now=app.clock())
    if principal is None:
        raise NotAuthenticated
    if by_cookie and request.method not in SAFE_METHODS:
        await _check_csrf(request, principal)
    return principal


async def _check_csrf(request: Request, principal: Principal) -> None:
    sent = request.headers.get("x-csrf-token")
    if sent is None and "form" in request.headers.get("content-type", ""):
        value = (await request.form()).get("csrf_token")
        sent = value if isinstance(value, str) else None
    if sent is None or not hmac.compare_digest(sent.encode(), principal.csrf_token.encode()):
        # Uploaded files would stay open: nobody else will look at this form.
        await request.close()
        raise CsrfRefused


CurrentStaff = Annotated[Principal, Depends(current_staff)]


async def own_conversation(
    conversation_id: str, request: Request, app: AppServices
) -> Conversation:
    """The conversation whose token the caller holds.

    A wrong token is answered like a wrong id: nobody learns which conversations exist.
    EventSource cannot send headers, so the stream alone may carry the token in its address.
    """
    token_hash = _conversation_token(request)
    async with app.database.peek() as session:
        conversation = await repository.conversation(session, conversation_id)
    expected = conversation.token_hash if conversation else None
    if not token_hash or not expected or not hmac.compare_digest(token_hash, expected):
        raise ConversationNotFound(conversation_id)
    assert conversation is not None  # noqa: S101  # an expected hash implies a row
    app.admitted.remember(conversation_id, token_hash)
    return conversation


async def own_conversation_id(conversation_id: str, request: Request, app: AppServices) -> str:
    """As `own_conversation`, for those who need only to know that the caller may.

    A token that was right stays right, so it is looked up once.
    """
    if not app.admitted.knows(conversation_id, _conversation_token(request)):
        await own_conversation(conversation_id, request, app)
    return conversation_id


def _conversation_token(request: Request) -> str:
    token = bearer(request)
    if token is None and request.url.path.endswith("/events"):
        token = request.query_params.get("token")
    return hash_token(token) if token else ""


OwnConversation = Annotated[Conversation, Depends(own_conversation)]
OwnConversationId = Annotated[str, Depends(own_conversation_id)]
