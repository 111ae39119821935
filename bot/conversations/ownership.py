"""Who speaks: the only place that changes a conversation's owner, or lends the word for one turn.

While an engineer has the word, ``pending_seq`` is the message that the bot was told to answer.
"""

from datetime import datetime

from bot.tables import Conversation, Owner


def give_to(
    conversation: Conversation, owner: Owner, now: datetime, *, staff_id: str | None = None
) -> None:
    """Make ``owner`` the one speaker. The new version voids whatever is being thought.

    The caller holds the conversation's lock. Raises ``ValueError`` for an engineer without
    an account, or an account without an engineer.
    """
    if (owner is Owner.ENGINEER) != (staff_id is not None):
        raise ValueError("exactly an engineer has a staff id")
    leaving_engineer = conversation.owner == Owner.ENGINEER.value
    conversation.owner = owner.value
    conversation.owner_version += 1
    conversation.staff_id = staff_id
    conversation.queued_at = now if owner is Owner.QUEUE else None
    if owner is Owner.ENGINEER:
        # The bot has nothing to say any more; a thought in flight becomes a draft.
        conversation.pending_seq = None
    elif leaving_engineer:
        # What was said to the engineer is not for the bot to answer afterwards.
        conversation.handled_seq = conversation.last_seq
        conversation.pending_seq = None


def lend_turn(conversation: Conversation, seq: int) -> None:
    """The bot answers the message ``seq`` once; the engineer keeps the word."""
    conversation.handled_seq = seq - 1
    conversation.pending_seq = seq


def end_turn(conversation: Conversation) -> None:
    """The bot has answered; what else the user said is for the engineer."""
    conversation.handled_seq = conversation.last_seq
    conversation.pending_seq = None


def take_turn_back(conversation: Conversation) -> None:
    """The engineer speaks. A turn that was lent ends: what is in flight becomes a draft."""
    if conversation.pending_seq is not None:
        conversation.owner_version += 1
        conversation.pending_seq = None
