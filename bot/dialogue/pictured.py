"""Decisions about pictures and files that came without a word. Pure."""

from bot.dialogue import answering
from bot.dialogue.decision import AddToTicket, Ask, Decision, Part, Say, ShowAnswer
from bot.dialogue.state import Awaiting, DialogueState
from bot.dialogue.turn import Band, OpenTicket, Picture, Turn
from bot.tables import Owner


def reply(state: DialogueState, turn: Turn, picture: Picture) -> Decision | None:
    """The decision, or ``None`` where the picture's text is to be answered like typed words."""
    own = next((t for t in turn.tickets if t.same_conversation and not t.resolved), None)
    if own is not None and (turn.owner is Owner.QUEUE or not _is_answered(turn)):
        return _add(state, turn, own)
    if not picture.has_words:
        return _ask(state, picture)
    if not picture.shows_error and not answering.found(turn):
        # A menu alone is no question, and no ticket is opened about one.
        return _ask(state.about(turn.text), picture)
    return None


def _is_answered(turn: Turn) -> bool:
    search = turn.searches[0] if turn.searches else None
    return search is not None and search.band is Band.ANSWER


def _add(state: DialogueState, turn: Turn, own: OpenTicket) -> Decision:
    """It goes to the engineer with the ticket; what is known about it is shown meanwhile."""
    parts: tuple[Part, ...] = (AddToTicket(own.number, "attachment.added", turn.triage),)
    top = turn.searches[0].top if _is_answered(turn) else None
    if top is not None and not top.collect:
        parts = (*parts, ShowAnswer(top.answer_id, lead="answer.meanwhile"))
    return Decision(parts, state, "picture_added")


def _ask(state: DialogueState, picture: Picture) -> Decision:
    """Ask once what it is about; it is kept in any case."""
    if "describe" in state.asked:
        return Decision((Say("attachment.kept"),), state, "picture_kept")
    asking = state.waiting_for(Awaiting.DESCRIPTION, *state.asked, "describe")
    key = "attachment.describe_file" if picture.is_document else "attachment.describe_picture"
    return Decision((Ask(key=key),), asking, "picture_unclear")
