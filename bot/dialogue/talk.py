"""Small talk, thanks, complaints, abuse and what is none of our business: one polite line each."""

from bot.dialogue.decision import Decision, Part, Say, ShowTickets
from bot.dialogue.state import DialogueState
from bot.dialogue.turn import Turn
from nlu.types import Intent

_LINES = {
    Intent.GREET: "talk.greet",
    Intent.THANKS: "talk.thanks",
    Intent.GOODBYE: "talk.goodbye",
    Intent.PRAISE: "talk.praise",
    Intent.COMPLAIN: "talk.complain",
    Intent.ABUSE: "talk.abuse",
    Intent.ASK_CAPABILITY: "talk.capability",
    Intent.OUT_OF_SCOPE: "talk.out_of_scope",
}


def reply(state: DialogueState, turn: Turn, intent: Intent) -> Decision:
    """One line. A complaint also shows where the user's own matters stand."""
    parts: tuple[Part, ...] = (Say(_LINES[intent]),)
    if intent is Intent.COMPLAIN and turn.tickets:
        parts = (*parts, ShowTickets(tuple(ticket.number for ticket in turn.tickets[:3])))
    return Decision(parts, state, intent.value)
