"""The parts of rules, wired: what administrators do, trials, and the runner."""

from dataclasses import dataclass

from bot.incidents.parts import Foundation
from bot.notifications.admin import NotificationAdmin
from bot.rules.acting import RuleActing
from bot.rules.admin import RuleAdmin
from bot.rules.monthly_figures import MonthlyFigures
from bot.rules.notification_trials import NotificationTrials
from bot.rules.running import RuleRunner
from bot.rules.trial_runs import TrialRuns
from bot.rules.trials import RuleTrials
from bot.tickets.presence import Presences
from bot.tickets.revisits import Revisits


@dataclass(frozen=True, slots=True)
class RuleParts:
    """Everything about rules in one process."""

    admin: RuleAdmin
    trials: RuleTrials
    notification_trials: NotificationTrials
    figures: MonthlyFigures
    runs: TrialRuns
    runner: RuleRunner


def build(base: Foundation, presences: Presences, notices: NotificationAdmin) -> RuleParts:
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
        planner=notices.planner,
        revisits=Revisits(base.database, base.terms, base.settings, base.clock),
    )
    runs = TrialRuns(base.database, base.clock)
    return RuleParts(
        admin,
        RuleTrials(base.terms, admin, runs),
        NotificationTrials(base.terms, notices, runs),
        MonthlyFigures(base.terms, runs),
        runs,
        RuleRunner(acting),
    )
