"""The asker's verdict on a resolved ticket, given by a button of its card. Pure.

The button names its ticket, so with several open tickets the right one is meant. Only the asker's
own tickets are moved: a number that is not among them changes nothing that exists.
"""

from bot.dialogue.decision import (
    AddToTicket,
    ConfirmSolved,
    Decision,
    RaiseTicket,
    RequestRating,
    Say,
)
from bot.dialogue.state import DialogueState
from bot.dialogue.turn import ActionKind, Turn, UserAction


def verdict(state: DialogueState, turn: Turn, action: UserAction) -> Decision:
    """Close the ticket as agreed, or open it again and wait for its engineer."""
    own = next((one for one in turn.tickets if one.number == action.number), None)
    if action.kind is ActionKind.CONFIRM:
        if own is None:
            return Decision((Say("ticket.over"),), state, "confirmed_late")
        done = (ConfirmSolved(own.number), RequestRating(own.number))
        return Decision(done, state.settled(), "confirmed")
    if own is None:
        # Closed for good meanwhile: what goes on is a ticket of its own that names the old one.
        problem = f"{action.number} {turn.text}".strip()
        ticket = RaiseTicket(problem=problem, reason="not_solved", triage=turn.triage)
        return Decision((ticket,), state, "still_unsolved")
    again = AddToTicket(own.number, "ticket.still_unsolved", queue=True)
    return Decision((again,), state, "still_unsolved")
