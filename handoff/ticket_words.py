"""What of a ticket's history can be found by its words.

Every event is found by what was said in it; the first also by what the ticket is called. Refuses
to search: who may see what is the business of who asks.
"""

from collections.abc import Mapping
from typing import Any

from handoff.tables import Ticket, TicketEvent
from handoff.ticket import Action
from store.text_index import TextIndex

#: Keys of an event's detail that hold people's words.
_SPOKEN = (
    "text",
    "why",
    "plan",
    "cause",
    "solution",
    "impact",
    "measures",
    "prevention",
    "note",
    "external_number",
    "release",
)

INDEX = TextIndex("ticket_events")
INDEX.follow(TicketEvent)


def text_of(ticket: Ticket, action: str, detail: Mapping[str, Any]) -> str:
    """The words of one event, a line for each thing said."""
    lines = [str(detail[key]) for key in _SPOKEN if detail.get(key)]
    if action == Action.OPEN.value:
        lines = [ticket.number, ticket.title, ticket.description, ticket.unit, *lines]
    return "\n".join(line for line in lines if line)
