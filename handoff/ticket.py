"""A ticket's life as one table, and who may move it.

Pure. ``TRANSITIONS`` is the only statement of the rules: the console's buttons, the API and
``docs/reference/ticket-transitions.md`` are derived from it. Refuses to know storage and time.

新建 means that nobody has it, 已派单 that it was handed to an engineer or to a level's queue and
is not yet worked on. 已关闭 and 已合并 are final: only notes, marks and links can follow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from handoff.errors import IllegalTransition, NoHigherLevel, NotPermitted


class Status(StrEnum):
    """Where a ticket is."""

    NEW = "新建"
    DISPATCHED = "已派单"
    IN_PROGRESS = "处理中"
    SUSPENDED = "挂起"
    RESOLVED = "已解决"
    CLOSED = "已关闭"
    MERGED = "已合并"


class Action(StrEnum):
    """What can be done to a ticket. The values name API paths and phrase keys."""

    OPEN = "open"
    ASSIGN = "assign"
    CLAIM = "claim"
    RELEASE = "release"
    TRANSFER = "transfer"
    ESCALATE = "escalate"
    REPLY = "reply"
    NOTE = "note"
    ADD_INFORMATION = "add_information"
    PAUSE = "pause"
    RESUME = "resume"
    CHANGE_SEVERITY = "change_severity"
    CLASSIFY = "classify"
    MARK = "mark"
    ARRANGE = "arrange"
    REPORT = "report"
    RECALCULATE = "recalculate"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    MERGE = "merge"
    SPLIT = "split"
    LINK = "link"
    WORK_ORDER = "work_order"
    CLOSE = "close"


class Level(StrEnum):
    """Who works on it, from the nearest to the user up to the province."""

    FIRST = "一线"
    SECOND = "二线"
    CITY = "市运维中心"
    PROVINCE = "省厅研发组"

    @property
    def rank(self) -> int:
        """0 for the first line; a larger number is further up."""
        return tuple(Level).index(self)


class PauseReason(StrEnum):
    """Whom or what a suspended ticket waits for."""

    USER = "等用户"
    THIRD_PARTY = "等第三方"
    PROVINCE = "等省厅"
    VENDOR = "等厂商"
    APPOINTMENT = "约定时间"


class ActorKind(StrEnum):
    """Who can act on a ticket."""

    USER = "user"
    BOT = "bot"
    ENGINEER = "engineer"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """One who acts: a user's or staff member's id, or the name of a system part."""

    kind: ActorKind
    id: str
    name: str

    @property
    def reference(self) -> str:
        """``kind:id``, as the audit trail names an actor."""
        return f"{self.kind}:{self.id}"


#: The status that ``Action.OPEN`` brings a ticket into being with.
OPENED = Status.NEW

_N, _D, _P, _S = Status.NEW, Status.DISPATCHED, Status.IN_PROGRESS, Status.SUSPENDED
_R, _C, _M = Status.RESOLVED, Status.CLOSED, Status.MERGED

TRANSITIONS: Mapping[tuple[Status, Action], Status] = MappingProxyType(
    {
        (_N, Action.ASSIGN): _D,
        (_N, Action.CLAIM): _P,
        (_N, Action.TRANSFER): _D,
        (_N, Action.ESCALATE): _D,
        (_N, Action.NOTE): _N,
        (_N, Action.ADD_INFORMATION): _N,
        (_N, Action.CHANGE_SEVERITY): _N,
        (_N, Action.CLASSIFY): _N,
        (_N, Action.RECALCULATE): _N,
        (_N, Action.RESOLVE): _R,
        (_N, Action.WITHDRAW): _C,
        (_N, Action.MERGE): _M,
        (_D, Action.ASSIGN): _D,
        (_D, Action.CLAIM): _P,
        (_D, Action.RELEASE): _N,
        (_D, Action.TRANSFER): _D,
        (_D, Action.ESCALATE): _D,
        (_D, Action.NOTE): _D,
        (_D, Action.ADD_INFORMATION): _D,
        (_D, Action.CHANGE_SEVERITY): _D,
        (_D, Action.CLASSIFY): _D,
        (_D, Action.RECALCULATE): _D,
        (_D, Action.RESOLVE): _R,
        (_D, Action.WITHDRAW): _C,
        (_D, Action.MERGE): _M,
        (_P, Action.REPLY): _P,
        (_P, Action.RELEASE): _N,
        (_P, Action.TRANSFER): _D,
        (_P, Action.ESCALATE): _D,
        (_P, Action.NOTE): _P,
        (_P, Action.ADD_INFORMATION): _P,
        (_P, Action.CHANGE_SEVERITY): _P,
        (_P, Action.CLASSIFY): _P,
        (_P, Action.ARRANGE): _P,
        (_P, Action.REPORT): _P,
        (_P, Action.RECALCULATE): _P,
        (_P, Action.PAUSE): _S,
        (_P, Action.RESOLVE): _R,
        (_P, Action.WITHDRAW): _C,
        (_P, Action.MERGE): _M,
        (_S, Action.RESUME): _P,
        (_S, Action.REPLY): _S,
        (_S, Action.RELEASE): _N,
        (_S, Action.TRANSFER): _D,
        (_S, Action.ESCALATE): _D,
        (_S, Action.NOTE): _S,
        (_S, Action.ADD_INFORMATION): _S,
        (_S, Action.CHANGE_SEVERITY): _S,
        (_S, Action.CLASSIFY): _S,
        (_S, Action.ARRANGE): _S,
        (_S, Action.REPORT): _S,
        (_S, Action.RECALCULATE): _S,
        (_S, Action.RESOLVE): _R,
        (_S, Action.WITHDRAW): _C,
        (_S, Action.MERGE): _M,
        (_R, Action.REOPEN): _D,
        (_R, Action.CLOSE): _C,
        (_R, Action.NOTE): _R,
        (_R, Action.ADD_INFORMATION): _R,
        (_R, Action.CLASSIFY): _R,
        (_R, Action.REPORT): _R,
        (_R, Action.RECALCULATE): _R,
        (_C, Action.NOTE): _C,
        (_M, Action.NOTE): _M,
        **{(status, Action.SPLIT): status for status in (_N, _D, _P, _S)},
        **{(status, Action.WORK_ORDER): status for status in (_N, _D, _P, _S)},
        **{(status, Action.LINK): status for status in Status},
        **{(status, Action.MARK): status for status in Status},
    }
)

#: Statuses in which work is still to be done.
OPEN_STATUSES: frozenset[Status] = frozenset({_N, _D, _P, _S})

#: Statuses that no action leaves.
FINAL_STATUSES: frozenset[Status] = frozenset({_C, _M})

_STAFF = frozenset({ActorKind.ENGINEER, ActorKind.SYSTEM})

#: Which kinds of actor perform an action. Roles within the staff are the caller's business.
PERFORMERS: Mapping[Action, frozenset[ActorKind]] = MappingProxyType(
    {
        Action.OPEN: frozenset(ActorKind),
        Action.ASSIGN: _STAFF,
        Action.CLAIM: frozenset({ActorKind.ENGINEER}),
        Action.RELEASE: _STAFF,
        Action.TRANSFER: _STAFF,
        Action.ESCALATE: _STAFF,
        Action.REPLY: frozenset({ActorKind.ENGINEER}),
        Action.NOTE: _STAFF | {ActorKind.BOT},
        Action.ADD_INFORMATION: frozenset(ActorKind),
        Action.PAUSE: frozenset({ActorKind.ENGINEER}),
        Action.RESUME: _STAFF,
        Action.CHANGE_SEVERITY: _STAFF | {ActorKind.BOT},
        Action.CLASSIFY: _STAFF,
        Action.MARK: _STAFF,
        Action.ARRANGE: frozenset({ActorKind.ENGINEER}),
        Action.REPORT: frozenset({ActorKind.ENGINEER}),
        Action.RECALCULATE: frozenset({ActorKind.SYSTEM}),
        Action.RESOLVE: _STAFF | {ActorKind.USER},
        Action.REOPEN: frozenset(ActorKind) - {ActorKind.BOT},
        Action.WITHDRAW: frozenset({ActorKind.USER}),
        Action.MERGE: _STAFF,
        Action.SPLIT: _STAFF,
        Action.LINK: _STAFF,
        Action.WORK_ORDER: _STAFF,
        Action.CLOSE: _STAFF | {ActorKind.USER},
    }
)

#: What an engineer does only to a ticket that is assigned to them: speaking and deciding.
HOLDER_ACTIONS: frozenset[Action] = frozenset(
    {Action.REPLY, Action.PAUSE, Action.RESUME, Action.ARRANGE, Action.RESOLVE}
)

#: What the asker gets to know about; everything else stays among the staff.
VISIBLE_TO_USER: frozenset[Action] = frozenset(Action) - {
    Action.NOTE,
    Action.CLASSIFY,
    Action.MARK,
    Action.REPORT,
    Action.RECALCULATE,
    Action.SPLIT,
    Action.LINK,
    Action.WORK_ORDER,
}


def next_status(status: Status, action: Action) -> Status:
    """Where ``action`` leads from ``status``. Raises ``IllegalTransition`` when nowhere."""
    try:
        return TRANSITIONS[(status, action)]
    except KeyError:
        raise IllegalTransition(status, action) from None


def allowed_actions(status: Status, kind: ActorKind | None = None) -> tuple[Action, ...]:
    """What can be done in ``status``, by ``kind`` of actor if given, in the order of ``Action``."""
    return tuple(
        action
        for action in Action
        if (status, action) in TRANSITIONS and (kind is None or kind in PERFORMERS[action])
    )


def check_performer(action: Action, actor: Actor) -> None:
    """Raise ``NotPermitted`` when this kind of actor never performs ``action``."""
    if actor.kind not in PERFORMERS[action]:
        raise NotPermitted(action, actor.kind)


def level_above(level: Level, wanted: Level | None = None) -> Level:
    """``wanted``, or the next level up. Raises ``NoHigherLevel`` unless it is above ``level``."""
    levels = tuple(Level)
    if wanted is None and level is not levels[-1]:
        return levels[level.rank + 1]
    if wanted is None or wanted.rank <= level.rank:
        raise NoHigherLevel(level)
    return wanted
