"""Answers drafted from solved tickets: made on resolving, and read with their conversation.

Refuses to publish anything: the engineer is the author, and the draft goes the way of every
answer. Refuses to show what staff said among themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.accounts.service import READING_ROLES, Principal
from bot.errors import InvalidInput
from bot.masking import mask
from bot.tables import Message
from bot.tickets.work import in_scope
from bot.workbench import origin_repository as rows
from bot.workbench.origin_tables import AnswerOriginRow
from bot.workbench.service import LOOKING_ROLES, author
from handoff.tables import Ticket
from kb import answer_editing
from kb.answer_text import MAX_QUESTION, AnswerText
from kb.errors import AnswerInvalid
from store import audit
from store.session import Database

#: Lines of the conversation that the editor sees; the newest ones of a longer one.
LINES = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """The ticket behind a draft, and what its asker, the bot and the engineer said."""

    ticket: Ticket
    lines: Sequence[Message]
    #: Whether this account may open the ticket itself.
    is_open: bool


@dataclass(frozen=True, slots=True)
class TicketDrafts:
    """Reads where a draft came from."""

    database: Database

    async def origin(self, staff: Principal, article_id: str) -> Origin | None:
        """The ticket that an answer was drafted from.

        ``None`` for any other answer, and for a ticket outside of the account's scope.
        """
        staff.require(*LOOKING_ROLES)
        async with self.database.glance() as session:
            ticket = await rows.ticket_of(session, article_id)
            if ticket is None or not in_scope(staff, ticket):
                return None
            lines = await _lines(session, ticket.conversation_id)
        return Origin(ticket, lines, staff.may(*READING_ROLES))


async def _lines(session: AsyncSession, conversation_id: str | None) -> list[Message]:
    if conversation_id is None:
        return []
    talk = await repository.conversation(session, conversation_id)
    after = max(0, talk.last_seq - LINES) if talk is not None else 0
    found = await repository.messages_after(
        session, conversation_id, after=after, staff=False, limit=LINES
    )
    return [line for line in found if line.text.strip()]


async def draft_of_ticket(
    session: AsyncSession, staff: Principal, ticket: Ticket, now: datetime
) -> str:
    """A draft of what a ticket asked and what solved it; its article id.

    A ticket that has a draft already gives that one, unchanged: an editor may have worked on it.
    Raises ``InvalidInput`` when the workbench does not take the words.
    """
    known = await rows.draft_of(session, ticket.id)
    if known:
        return known
    text = AnswerText(
        question=_question(ticket),
        answer=ticket.solution or "",
        module=ticket.module or "",
        category=ticket.category,
        source_title=ticket.number,
        owner=staff.name,
    )
    try:
        done = await answer_editing.create(session, text, author(staff), now=now)
    except AnswerInvalid as refused:
        raise InvalidInput(refused.field, "console.resolve.draft_refused") from refused
    session.add(
        AnswerOriginRow(
            article_id=done.article_id, ticket_id=ticket.id, staff_id=staff.staff_id, created_at=now
        )
    )
    await audit.record(
        session,
        actor=f"staff:{staff.staff_id}",
        action="answer_draft.made",
        subject=f"ticket:{ticket.number}",
        detail={"article_id": done.article_id, "conversation_id": ticket.conversation_id},
        now=now,
    )
    return done.article_id


def _question(ticket: Ticket) -> str:
    """The asker's own words without their secrets, short enough for a question."""
    asked = " ".join(mask(ticket.description or ticket.title).text.split())
    return asked if len(asked) <= MAX_QUESTION else f"{asked[: MAX_QUESTION - 1]}…"
