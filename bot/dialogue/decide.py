"""The one pure function that decides what the bot does about a message."""

from dataclasses import replace

from bot.dialogue import answering, confirming, known_fault, pictured, talk
from bot.dialogue.decision import (
    AddToTicket,
    Decision,
    Part,
    RecordFeedback,
    RecordRating,
    Say,
    ShowAnswer,
)
from bot.dialogue.queries import asks_on, has_words
from bot.dialogue.state import Awaiting, DialogueState
from bot.dialogue.turn import ActionKind, Turn, UserAction
from bot.tables import Owner
from nlu.types import MAX_TEXT_CHARS, Intent

#: Above this an intent is believed against what the search says.
SURE = 0.6

_TALK = frozenset(
    {
        Intent.GREET,
        Intent.THANKS,
        Intent.GOODBYE,
        Intent.PRAISE,
        Intent.COMPLAIN,
        Intent.ABUSE,
        Intent.ASK_CAPABILITY,
        Intent.OUT_OF_SCOPE,
    }
)


def decide(state: DialogueState, turn: Turn) -> Decision:
    """Decide about one user message.

    Deterministic in its arguments. Never returns words for a conversation in an engineer's
    hands: the caller does not ask then, and the ownership check at sending is the last guard.
    """
    decision = _decide(state, turn)
    if len(turn.text) > MAX_TEXT_CHARS:
        decision = replace(decision, parts=(Say("input.too_long"), *decision.parts))
    if turn.masked and not state.warned:
        parts: tuple[Part, ...] = (*decision.parts, Say(_masked_key(turn.masked)))
        return replace(decision, parts=parts, state=replace(decision.state, warned=True))
    return decision


def _masked_key(found: frozenset[str]) -> str:
    return "privacy.password" if "password" in found else "privacy.masked"


def _decide(state: DialogueState, turn: Turn) -> Decision:
    if turn.action is not None:
        return _act_on(state, turn, turn.action)
    if not has_words(turn.text):
        return Decision((Say("input.unreadable"),), state, "unreadable")
    if turn.picture is not None and not turn.picture.captioned:
        shown = pictured.reply(state, turn, turn.picture)
        if shown is not None:
            return shown
    if turn.owner is Owner.QUEUE:
        return _while_queued(state, turn)
    awaited = _awaited(state, turn)
    return awaited if awaited is not None else _by_intent(state, turn)


def _act_on(  # noqa: C901  # one arm per button
    state: DialogueState, turn: Turn, action: UserAction
) -> Decision:
    match action.kind:
        case ActionKind.CHOOSE:
            return answering.show_chosen(state, turn)
        case ActionKind.NONE_OF_THESE:
            return answering.next_best(state, turn, "none_of_these")
        case ActionKind.HELPFUL:
            parts = (RecordFeedback(action.seq, helpful=True), Say("feedback.helpful"))
            return Decision(parts, state, "feedback_helpful")
        case ActionKind.UNHELPFUL:
            return _unhelpful(state, turn, action)
        case ActionKind.HUMAN:
            return answering.hand_off(state, turn)
        case ActionKind.RATE:
            parts_rated = (RecordRating(action.stars, action.comment), Say("rating.thanks"))
            return Decision(parts_rated, replace(state, awaiting=Awaiting.NOTHING), "rated")
        case ActionKind.CONFIRM | ActionKind.REOPEN:
            return confirming.verdict(state, turn, action)
        case ActionKind.FOLLOW:
            return known_fault.follow_by_button(state, action)


def _unhelpful(state: DialogueState, turn: Turn, action: UserAction) -> Decision:
    following = answering.next_best(state, turn, "unhelpful")
    parts: tuple[Part, ...] = (RecordFeedback(action.seq, helpful=False), *following.parts)
    return replace(following, parts=parts)


def _awaited(state: DialogueState, turn: Turn) -> Decision | None:
    """The decision when the message answers what the bot asked, else ``None``."""
    intent = turn.understanding.intent
    if state.awaiting is Awaiting.NOTHING or intent in (Intent.REQUEST_HUMAN, Intent.CANCEL):
        return None
    if state.awaiting is Awaiting.SEVERITY:
        return _severity_reply(state, turn)
    if state.awaiting in (Awaiting.CLARIFICATION, Awaiting.DESCRIPTION):
        return answering.answer(state, turn, topic=f"{state.topic} {turn.text}".strip())
    return None


def _severity_reply(state: DialogueState, turn: Turn) -> Decision | None:
    own = next((ticket for ticket in turn.tickets if ticket.same_conversation), None)
    settled = replace(state, awaiting=Awaiting.NOTHING)
    if own is None or answering.is_new_question(turn):
        return None
    return Decision(
        (AddToTicket(own.number, "ticket.severity_noted", turn.triage),), settled, "severity_reply"
    )


def _while_queued(state: DialogueState, turn: Turn) -> Decision:
    """In the queue the bot helps on, but what it cannot answer goes to the waiting ticket."""
    if turn.understanding.intent is Intent.REPORT_FAULT and answering.is_another_matter(turn):
        return answering.answer(state, turn, topic=turn.text)
    if state.awaiting is Awaiting.SEVERITY:
        replied = _severity_reply(state, turn)
        if replied is not None:
            return replied
    return _queued_intent(state, turn)


def _queued_intent(state: DialogueState, turn: Turn) -> Decision:
    intent = turn.understanding.intent
    if intent in (Intent.TICKET_STATUS, Intent.URGE, Intent.REQUEST_HUMAN):
        return answering.queue_status(state, turn)
    if intent is Intent.SOLVED:
        return answering.solved(state, turn)
    if intent is Intent.CANCEL:
        return answering.leave_queue(state, turn)
    if intent in (Intent.THANKS, Intent.GREET, Intent.AFFIRM, Intent.GOODBYE):
        return Decision((Say("queue.patience"),), state, "queued_talk")
    if intent in (Intent.ASK_QUESTION, Intent.POLICY_QUESTION) and answering.is_new_question(turn):
        return answering.answer(state, turn, topic=turn.text)
    return answering.add_to_ticket(state, turn)


def _by_intent(state: DialogueState, turn: Turn) -> Decision:
    intent, sure = turn.understanding.intent, turn.understanding.confidence >= SURE
    # A reply as short as this one sounds like yes, no or thanks to an interpreter.
    outweighed = answering.outweighs_talk(turn, sure=sure) or asks_on(state, turn.text)
    if intent in _TALK and not outweighed:
        return talk.reply(state, turn, intent)
    if intent in (Intent.AFFIRM, Intent.DENY) and not outweighed:
        return _yes_or_no(state, turn, intent)
    about_matter = _about_matter(state, turn)
    return about_matter or answering.answer(state, turn, topic=turn.text)


def _about_matter(state: DialogueState, turn: Turn) -> Decision | None:
    """The decision when the message is about the matter at hand rather than a new question."""
    intent = turn.understanding.intent
    match intent:
        case Intent.REQUEST_HUMAN:
            return answering.hand_off(state, turn)
        case Intent.TICKET_STATUS | Intent.URGE if turn.tickets or not answering.found(turn):
            return answering.about_tickets(state, turn, urging=intent is Intent.URGE)
        case Intent.CHOOSE_CANDIDATE if state.offered:
            return answering.choose(state, turn)
        case Intent.SOLVED if answering.is_open(state, turn) and not _asks(turn):
            return answering.solved(state, turn)
        case Intent.NOT_SOLVED if state.topic or turn.tickets:
            return answering.next_best(state, turn, "not_solved")
        case Intent.CANCEL:
            return Decision((Say("talk.cancelled"),), state.settled(), "cancelled")
        case Intent.ADD_INFORMATION if any(not t.resolved for t in turn.tickets):
            return answering.add_to_ticket(state, turn)
        case _:
            return None


def _asks(turn: Turn) -> bool:
    """Whether the knowledge base hears a question where the interpreter does not."""
    return answering.outweighs_talk(turn, sure=turn.understanding.confidence >= SURE)


def _yes_or_no(state: DialogueState, turn: Turn, intent: Intent) -> Decision:
    if intent is Intent.DENY and state.offered:
        return answering.next_best(state, turn, "none_of_these")
    if intent is Intent.AFFIRM and len(state.offered) == 1:
        only = state.offered[0]
        shown = replace(state, answer_id=only.answer_id, offered=())
        return Decision((ShowAnswer(only.answer_id),), shown, "affirmed")
    if intent is Intent.AFFIRM and state.fault:
        return known_fault.follow(state, state.fault)
    key = "talk.affirm" if intent is Intent.AFFIRM else "talk.deny"
    return Decision((Say(key),), state, "yes_or_no")
