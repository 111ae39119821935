"""The page of a rule's trial: how far it has got, and what would have happened."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from bot.rules.admin import LOOK_ROLES
from bot.web.admin.access import Framed, frame
from bot.web.admin.rules import ADDRESS, RowId
from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices
from handoff.rule_repository import rule_of
from handoff.rule_tables import RuleTrial

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class TrialPage(Framed):
    """A trial; ``does`` are the rule's steps in words, ``at`` of each ticket instants."""

    trial: RuleTrial
    silent: bool
    because: str
    does: list[str]
    moments: list[datetime]


@router.get(f"{ADDRESS}/trials/{{trial_id}}")
async def trial(trial_id: RowId, staff: PageStaff, app: AppServices) -> Response:
    """How a trial stands."""
    outer = frame(app, staff, "rules", *LOOK_ROLES)
    found = await app.rules.trials.trial(staff, trial_id)
    told = (await app.rules.admin.named(staff)).words(app.phrases)
    rule = rule_of(found.rule["id"], found.rule)
    page = TrialPage(
        outer,
        found,
        app.rules.runs.is_silent(found),
        told.reasons(rule.conditions),
        [told.step(step) for step in rule.steps],
        [datetime.fromisoformat(one["at"]) for one in found.result.get("tickets", ())],
    )
    headers = refreshing(found, silent=page.silent)
    return app.pages.page("admin/rule_trial.html", {"page": page}, headers=headers)


def refreshing(trial: RuleTrial, *, silent: bool) -> Mapping[str, str]:
    """Headers of a trial's page: it looks again by itself while somebody works on it."""
    return {**FRESH, "Refresh": "2"} if trial.state == "running" and not silent else FRESH
