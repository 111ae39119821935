"""Silence of an asker: when the time to object is over, the ticket closes and they are told so.

Closing, the line in the conversation and the request for stars are one transaction, so a crash
leaves either all of it or none. Refuses to decide when the time is over: ``handoff.service`` wrote
it on the ticket when it was resolved.
"""

from dataclasses import dataclass

from bot import repository
from bot.conversations.live import STAFF
from bot.tickets.work import TicketWork, Work
from handoff import repository as rows
from handoff import service
from handoff.timers import TIMER


@dataclass(frozen=True, slots=True)
class Confirmations(TicketWork):
    """Closes what nobody objected to."""

    async def close_silent(self, ticket_id: str) -> bool:
        """Close the ticket if its time to object has passed; ``False`` when it has not.

        Raises ``ReportRequired`` for a ticket whose report is missing, and writes nothing then.
        The conversation is held before the ticket, as everywhere: two orders would deadlock.
        """
        now = self.clock()
        async with self.database.transaction() as session:
            seen = await rows.by_id(session, ticket_id)
            talk = None
            if seen.conversation_id is not None:
                talk = await repository.lock_conversation(session, seen.conversation_id)
            ticket = await rows.by_id(session, ticket_id, lock=True)
            if ticket.confirm_until is None or ticket.confirm_until > now:
                return False
            await service.close(session, ticket, actor=TIMER, now=now, terms=self.terms)
            await self.tell_closed(
                Work(session, ticket, talk, TIMER, now), "ticket.closed_silently"
            )
        self.live.publish(STAFF, *([talk.id] if talk is not None else []))
        return True
