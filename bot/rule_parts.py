"""The parts of rules, wired: what administrators do, trials, and the runner."""

from dataclasses import dataclass

from bot.incident_parts import Foundation
from bot.notification_planning import Planner
from bot.presence import Presences
from bot.revisits import Revisits
from bot.rule_acting import RuleActing
from bot.rule_admin import RuleAdmin
from bot.rule_running import RuleRunner
from bot.rule_trials import RuleTrials


@dataclass(frozen=True, slots=True)
class RuleParts:
    """Everything about rules in one process."""

    admin: RuleAdmin
    trials: RuleTrials
    runner: RuleRunner


def build(base: Foundation, presences: Presences, planner: Planner) -> RuleParts:
    """The parts on one database."""
    admin = RuleAdmin(base.database, base.clock)
    acting = RuleActing(
        base.database,
        base.terms,
        base.settings,
        base.phrases,
        base.live,
        base.clock,
        presences=presences,
        planner=planner,
        revisits=Revisits(base.database, base.terms, base.settings, base.clock),
    )
    trials = RuleTrials(base.database, base.terms, admin, base.clock)
    return RuleParts(admin, trials, RuleRunner(acting))
