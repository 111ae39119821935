"""How severe a fault is, from the signs in a message.

The levels are those of the service contract: 重大 when a core task stands still for a unit or more
and cannot be restored at once, when the whole is paralysed or unbearably slow, or when the network
or hardware fails; 紧急 when something else stands still for more than one person, or when it can be
restored at once; 一般 otherwise. Where two levels are close the higher is taken, and the question
that would decide is named. Refuses to decide whether there is a fault at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from nlu.triage_rules import Finding, Sign, clause_start
from nlu.triage_types import Answers, Question, Scope
from store.vocabulary import Severity

_SCOPES = {
    Sign.SELF: Scope.SELF,
    Sign.ITEM: Scope.ITEM,
    Sign.GROUP: Scope.GROUP,
    Sign.UNIT: Scope.UNIT,
    Sign.MANY: Scope.MANY,
    Sign.CITY: Scope.CITY,
}
#: Signs that something does not work, wherever they stand.
FAILURES = frozenset(
    {
        Sign.PARALYSED,
        Sign.STOPPED,
        Sign.SHARED,
        Sign.SYSTEM_ERROR,
        Sign.INTERFACE,
        Sign.NETWORK,
        Sign.HARDWARE,
    }
)


class Damage(IntEnum):
    """How badly the affected work suffers, slowness apart."""

    NONE = 0
    DISPLAY = 1
    STOPPED = 2
    PARALYSED = 3


class Slowness(IntEnum):
    """How slow it is."""

    NONE = 0
    SLOW = 1
    UNBEARABLE = 2


@dataclass(frozen=True, slots=True)
class Situation:
    """What the signs add up to. ``core`` and ``restorable`` are None where nothing tells.

    ``systemic`` means that the words come from the system's side (an error, an interface, a whole
    batch) and not from one person's screen.
    """

    scope: Scope
    damage: Damage
    slowness: Slowness
    core: bool | None
    restorable: bool | None
    infrastructure: bool = False
    systemic: bool = False
    lasting: bool = False
    for_days: bool = False
    own_terminal: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """A level, how sure it is (0-1), and the question that would decide when it is close."""

    severity: Severity
    confidence: float
    question: Question | None = None


def situation(folded: str, findings: Sequence[Finding], answers: Answers) -> Situation:
    """What the findings in a folded text, and the user's answers, add up to."""
    signs = {finding.rule.sign for finding in findings}
    restorable = True if Sign.RESTORABLE in signs else None
    if restorable is None and Sign.LASTING in signs:
        restorable = False
    return Situation(
        scope=_scope(signs) if answers.scope is None else answers.scope,
        damage=_damage(signs),
        slowness=_slowness(signs),
        core=_core(folded, findings) if answers.core is None else answers.core,
        restorable=restorable if answers.restorable is None else answers.restorable,
        infrastructure=bool(signs & {Sign.NETWORK, Sign.HARDWARE}),
        systemic=bool(signs & {Sign.SYSTEM_ERROR, Sign.INTERFACE, Sign.BATCH}),
        lasting=bool(signs & {Sign.LASTING, Sign.DAYS}),
        for_days=Sign.DAYS in signs,
        own_terminal=Sign.TERMINAL in signs,
    )


def failing(seen: Situation) -> Situation:
    """The situation of a known fault: what several people report, nameless, stands still."""
    quiet = seen.damage is Damage.NONE and seen.slowness is Slowness.NONE
    if quiet and seen.scope >= Scope.GROUP and not seen.infrastructure:
        return replace(seen, damage=Damage.STOPPED)
    return seen


def judge(seen: Situation) -> Verdict:
    """The level of a situation: of all that suffers, what is worst."""
    if seen.scope <= Scope.ITEM:
        return Verdict(Severity.GENERAL, 0.9)
    if seen.own_terminal and seen.scope is Scope.UNKNOWN and seen.damage is not Damage.PARALYSED:
        return Verdict(Severity.GENERAL, 0.7, Question.SCOPE)
    if seen.infrastructure or seen.damage is Damage.PARALYSED:
        return _whole(seen)
    verdicts = [Verdict(Severity.GENERAL, 0.9)]
    if seen.slowness is not Slowness.NONE:
        verdicts.append(_slow(seen))
    if seen.damage is Damage.STOPPED:
        verdicts.append(_stopped(seen))
    return max(reversed(verdicts), key=lambda verdict: verdict.severity.rank)


def judge_data(seen: Situation) -> Verdict:
    """The level of a problem with data: several units, a whole batch or an interface are urgent."""
    if seen.scope <= Scope.ITEM:
        return Verdict(Severity.GENERAL, 0.9)
    if seen.scope >= Scope.MANY or seen.systemic:
        return Verdict(Severity.URGENT, 0.75)
    return Verdict(Severity.GENERAL, 0.85)


def _whole(seen: Situation) -> Verdict:
    """The whole system is down, or what carries it."""
    if seen.restorable:
        return Verdict(Severity.URGENT, 0.7, Question.SCOPE)
    if seen.scope is Scope.UNKNOWN:
        return Verdict(Severity.MAJOR, 0.7, Question.SCOPE)
    return Verdict(Severity.MAJOR, 0.9)


def _slow(seen: Situation) -> Verdict:
    severe = seen.slowness is Slowness.UNBEARABLE
    if seen.scope >= Scope.MANY:
        if seen.core is False or seen.restorable:
            return Verdict(Severity.URGENT, 0.8)
        return Verdict(Severity.MAJOR, 0.85 if severe else 0.6, None if severe else Question.CORE)
    if seen.scope >= Scope.GROUP:
        return Verdict(Severity.URGENT, 0.8)
    if seen.restorable or not severe:
        return Verdict(Severity.GENERAL, 0.7, None if seen.restorable else Question.SCOPE)
    return Verdict(Severity.URGENT, 0.6, Question.SCOPE)


def _stopped(seen: Situation) -> Verdict:
    if seen.core is False:
        return _minor_task_stopped(seen)
    if seen.scope >= Scope.UNIT:
        return _core_task_stopped(seen)
    if seen.core and seen.systemic and seen.for_days and not seen.restorable:
        return Verdict(Severity.MAJOR, 0.6, Question.SCOPE)
    if seen.scope is Scope.GROUP:
        return Verdict(Severity.URGENT, 0.7, Question.SCOPE)
    return _stopped_for_someone(seen)


def _stopped_for_someone(seen: Situation) -> Verdict:
    """Nobody said for how many. An error of the system's own is taken for more than one."""
    if seen.restorable:
        return Verdict(Severity.GENERAL, 0.8)
    if seen.systemic or (seen.core and seen.lasting):
        return Verdict(Severity.URGENT, 0.6, Question.SCOPE)
    return Verdict(Severity.GENERAL, 0.6, Question.SCOPE)


def _core_task_stopped(seen: Situation) -> Verdict:
    """For a whole unit or more. What several units cannot do, unnamed, is taken for a core task."""
    if seen.restorable:
        return Verdict(Severity.URGENT, 0.8)
    if seen.core is None:
        level = Severity.MAJOR if seen.scope >= Scope.MANY else Severity.URGENT
        return Verdict(level, 0.6, Question.CORE)
    sure = seen.scope >= Scope.MANY or seen.lasting
    return Verdict(Severity.MAJOR, 0.9 if sure else 0.7, None if sure else Question.RESTORABLE)


def _minor_task_stopped(seen: Situation) -> Verdict:
    """Not a core task; once it has stood still for days, or everywhere for hours, it is as grave.

    What is still to be asked then is whether it can be helped: the task has been named.
    """
    long = seen.for_days or (seen.scope is Scope.CITY and seen.lasting)
    if seen.scope >= Scope.UNIT and long and not seen.restorable:
        question = Question.RESTORABLE if seen.restorable is None else None
        return Verdict(Severity.MAJOR, 0.6, question)
    if seen.scope >= Scope.GROUP:
        return Verdict(Severity.URGENT, 0.85)
    return _stopped_for_someone(seen)


def _scope(signs: set[Sign]) -> Scope:
    """The widest scope said; but "only me" and "only this one" outweigh a unit."""
    said = [scope for sign, scope in _SCOPES.items() if sign in signs]
    if not said:
        return Scope.UNKNOWN
    narrow = [scope for scope in said if scope <= Scope.ITEM]
    if narrow and max(said) <= Scope.UNIT:
        return min(narrow)
    return max(said)


def _damage(signs: set[Sign]) -> Damage:
    if Sign.PARALYSED in signs:
        return Damage.PARALYSED
    if Sign.DISPLAY in signs and not signs & {Sign.SYSTEM_ERROR, Sign.INTERFACE}:
        return Damage.DISPLAY
    return Damage.STOPPED if signs & FAILURES else Damage.NONE


def _slowness(signs: set[Sign]) -> Slowness:
    if Sign.SLOW_SEVERE in signs:
        return Slowness.UNBEARABLE
    return Slowness.SLOW if Sign.SLOW in signs else Slowness.NONE


def _core(folded: str, findings: Sequence[Finding]) -> bool | None:
    """Is the task that fails a core one? Looks at each clause in which something fails.

    A clause that names no task speaks of the task named last before it, or first after it. Getting
    in at all, or "the system", is a core task where no other is named.
    """
    named = _tasks_byclause_start(folded, findings)
    if not named:
        return True if any(f.rule.sign is Sign.ACCESS for f in findings) else None
    failing = {clause_start(folded, f.start) for f in findings if f.rule.sign in FAILURES}
    told = [_nearest(named, clause) for clause in failing or named]
    return any(told)


def _tasks_byclause_start(folded: str, findings: Sequence[Finding]) -> dict[int, bool]:
    """For each clause that names a task, by its start: is it a core one? The lesser task leads."""
    named: dict[int, bool] = {}
    for finding in findings:
        if finding.rule.sign is Sign.CORE:
            named.setdefault(clause_start(folded, finding.start), True)
        elif finding.rule.sign is Sign.NON_CORE:
            named[clause_start(folded, finding.start)] = False
    return named


def _nearest(named: dict[int, bool], clause: int) -> bool:
    if clause in named:
        return named[clause]
    before = [start for start in named if start < clause]
    return named[max(before)] if before else named[min(named)]
