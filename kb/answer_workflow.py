"""The life of an answer as one table: which verb leads from which state to which.

Pure. Refuses to know who may do it, and what becomes of the content (`kb.answer_editing`).
"""

from collections.abc import Mapping
from enum import StrEnum

from kb.errors import AnswerVerbRefused


class AnswerState(StrEnum):
    """Where the newest version of an answer stands; an older one may be live meanwhile."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class AnswerVerb(StrEnum):
    """What can be done to an answer."""

    SAVE = "save"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    SEND_BACK = "send_back"
    APPROVE = "approve"
    SCHEDULE = "schedule"
    PUBLISH_DUE = "publish_due"
    HOLD_BACK = "hold_back"
    ARCHIVE = "archive"
    ROLL_BACK = "roll_back"
    ROLL_BACK_LIVE = "roll_back_live"


_S, _V = AnswerState, AnswerVerb

TRANSITIONS: Mapping[tuple[AnswerState, AnswerVerb], AnswerState] = {
    (_S.DRAFT, _V.SAVE): _S.DRAFT,
    (_S.PUBLISHED, _V.SAVE): _S.DRAFT,
    (_S.ARCHIVED, _V.SAVE): _S.DRAFT,
    (_S.DRAFT, _V.SUBMIT): _S.IN_REVIEW,
    (_S.IN_REVIEW, _V.WITHDRAW): _S.DRAFT,
    (_S.SCHEDULED, _V.WITHDRAW): _S.DRAFT,
    (_S.IN_REVIEW, _V.SEND_BACK): _S.DRAFT,
    (_S.SCHEDULED, _V.SEND_BACK): _S.DRAFT,
    (_S.IN_REVIEW, _V.APPROVE): _S.PUBLISHED,
    (_S.IN_REVIEW, _V.SCHEDULE): _S.SCHEDULED,
    (_S.SCHEDULED, _V.PUBLISH_DUE): _S.PUBLISHED,
    (_S.SCHEDULED, _V.HOLD_BACK): _S.IN_REVIEW,
    (_S.DRAFT, _V.ARCHIVE): _S.ARCHIVED,
    (_S.PUBLISHED, _V.ARCHIVE): _S.ARCHIVED,
    (_S.DRAFT, _V.ROLL_BACK): _S.DRAFT,
    (_S.PUBLISHED, _V.ROLL_BACK): _S.DRAFT,
    (_S.ARCHIVED, _V.ROLL_BACK): _S.DRAFT,
    (_S.DRAFT, _V.ROLL_BACK_LIVE): _S.PUBLISHED,
    (_S.PUBLISHED, _V.ROLL_BACK_LIVE): _S.PUBLISHED,
    (_S.ARCHIVED, _V.ROLL_BACK_LIVE): _S.PUBLISHED,
}


def after(state: AnswerState, verb: AnswerVerb) -> AnswerState:
    """The next state; raises AnswerVerbRefused where the table has none."""
    following = TRANSITIONS.get((state, verb))
    if following is None:
        raise AnswerVerbRefused(state.value, verb.value)
    return following


def verbs_of(state: AnswerState) -> frozenset[AnswerVerb]:
    """Everything that could be done now, by somebody."""
    return frozenset(verb for known, verb in TRANSITIONS if known is state)
