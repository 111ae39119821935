"""Decisions about faults that are known: tell at once, let follow, never stand in a person's way.

Pure. What a fault is called and what is said of it was written by people.
"""

from dataclasses import replace

from bot.dialogue.decision import AddToTicket, Decision, FollowFault, Part, Say, ShowFault
from bot.dialogue.state import DialogueState
from bot.dialogue.turn import KnownFault, Turn, UserAction
from nlu.types import Intent

#: How alike a report, and a mere question, must read to a fault's tickets to be about it. A
#: question is rather answered from the knowledge base; see bench/incidents.py.
REPORT_ALIKE, QUESTION_ALIKE = 0.45, 0.65
_REPORTS = frozenset({Intent.REPORT_FAULT, Intent.COMPLAIN, Intent.URGE, Intent.NOT_SOLVED})


def asked_about(turn: Turn) -> KnownFault | None:
    """The open fault that the message is about, if any."""
    fault = turn.fault
    if fault is None:
        return None
    reports = turn.understanding.intent in _REPORTS
    incident = turn.triage is not None and turn.triage.incident
    enough = REPORT_ALIKE if reports or incident else QUESTION_ALIKE
    return fault if fault.likeness >= enough else None


def show(state: DialogueState, turn: Turn, fault: KnownFault, *, topic: str) -> Decision:
    """What is known of it; what the user adds goes to their own ticket about it."""
    same = next((ticket for ticket in turn.tickets if ticket.same_problem), None)
    added: tuple[Part, ...] = (
        (AddToTicket(same.number, "ticket.same_problem"),) if same is not None else ()
    )
    told = replace(state.about(topic), fault=fault.number)
    return Decision((ShowFault(fault), *added), told, "known_fault")


def follow(state: DialogueState, number: str) -> Decision:
    """The user wants to hear of its end."""
    if not number:
        return Decision((Say("incident.over"),), state, "fault_gone")
    return Decision((FollowFault(number),), state, "fault_followed")


def follow_by_button(state: DialogueState, action: UserAction) -> Decision:
    """The button of a fault's card, which may be an old one."""
    return follow(state, action.number)
