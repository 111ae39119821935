"""Tells from what followed whether people found what they asked for without saying so. Pure.

A list that nobody chose from, and an answer after which the same was asked again, count as not
answered once people had `PATIENCE` to act. They do not count when the same answer was chosen, shown
for another wording, or called useful meanwhile, or when the matter was said to be solved. What
people typed and never sent is not looked at, nor kept anywhere: they have not said it.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.gaps.tables import GapReason
from bot.tables import Feedback, Turn

#: How long people have to choose, to rate, or to ask in other words.
PATIENCE = timedelta(minutes=30)
_OFFERED, _ANSWERED, _CHOSEN, _SOLVED = "offered", "answered", "chosen", "solved"
#: So many candidates of a search are what a list can show, at once and as the next best.
_SHOWN = 6


def judge(
    turn: Turn, later: Sequence[Turn], verdicts: Sequence[Feedback]
) -> tuple[GapReason, Turn] | None:
    """Why ``turn`` was not answered and the turn that shows it; None when it was, or is unclear.

    ``later``: what followed in its conversation, in order. ``verdicts``: ratings in it.
    """
    until = turn.at + PATIENCE
    followed = [one for one in later if one.seq > turn.seq and one.at <= until]
    if _was_pleased(turn, followed, verdicts):
        return None
    match _reason(turn):
        case "offered":
            return _unchosen(turn, followed)
        case "answered":
            return _asked_again(turn, followed)
    return None


def _was_pleased(turn: Turn, followed: Sequence[Turn], verdicts: Sequence[Feedback]) -> bool:
    useful = any(
        one.helpful and one.message_seq > turn.seq and one.at <= turn.at + PATIENCE
        for one in verdicts
    )
    return useful or any(_reason(one) == _SOLVED for one in followed)


def _unchosen(turn: Turn, followed: Sequence[Turn]) -> tuple[GapReason, Turn] | None:
    """Nobody chose, and no other wording led to one of the candidates."""
    listed = set(_candidates(turn))
    for one in followed:
        if _reason(one) == _CHOSEN:
            return None
        if _reason(one) == _ANSWERED and _top(one) in listed:
            return None
    return GapReason.UNCHOSEN, next((one for one in followed if one.search), turn)


def _asked_again(turn: Turn, followed: Sequence[Turn]) -> tuple[GapReason, Turn] | None:
    """The next question got the very same answer: it was not what the person meant."""
    again = next((one for one in followed if one.search), None)
    if again is None or _reason(again) != _ANSWERED or _top(again) != _top(turn):
        return None
    return (GapReason.ASKED_AGAIN, again) if _top(turn) else None


def _reason(turn: Turn) -> str:
    return str(turn.decision.get("reason", ""))


def _candidates(turn: Turn) -> Iterator[str]:
    for search in turn.search:
        for one in search.get("found", ())[:_SHOWN]:
            yield str(one.get("answer_id", ""))


def _top(turn: Turn) -> str:
    """The answer that was shown: the best of the search that was sure enough."""
    sure = [search for search in turn.search if search.get("band") == "answer"]
    tops = [search["found"][0] for search in sure if search.get("found")]
    if not tops:
        return ""
    return str(max(tops, key=lambda one: float(one.get("score", 0.0))).get("answer_id", ""))
