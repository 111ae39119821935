"""The parts of rules, wired: what administrators do, trials, and the runner."""

from dataclasses import dataclass

from bot.incidents.parts import Foundation
from bot.notifications.planning import Planner
from bot.rules.acting import RuleActing
from bot.rules.admin import RuleAdmin
from bot.rules.running import RuleRunner
from bot.rules.trials import RuleTrials
from bot.tickets.presence import Presences
from bot.tickets.revisits import Revisits


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
