"""The page of a notification rule's trial: how far it has got, and what would have gone to whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from bot.notifications.admin import LOOK_ROLES
from bot.web.admin.notification_rules import ADDRESS
from bot.web.admin.notifications import AdminPage, RowId
from bot.web.admin.rule_trials import refreshing
from bot.web.navigation import places
from bot.web.page_access import PageStaff
from bot.web.security import AppServices
from handoff.rule_tables import RuleTrial

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Message:
    """One message that would have been sent."""

    told: dict[str, Any]
    at: datetime
    leaves: datetime


@dataclass(frozen=True, slots=True)
class TrialPage(AdminPage):
    """A trial with its samples."""

    trial: RuleTrial
    silent: bool
    messages: Sequence[Message]


@router.get(f"{ADDRESS}/trials/{{trial_id}}")
async def trial(trial_id: RowId, staff: PageStaff, app: AppServices) -> Response:
    """How a trial stands."""
    staff.require(*LOOK_ROLES)
    found = await app.rules.notification_trials.trial(staff, trial_id)
    page = TrialPage(
        staff=staff,
        places=places(app.phrases, staff),
        may_change=staff.may(),
        trial=found,
        silent=app.rules.runs.is_silent(found),
        messages=[
            Message(one, datetime.fromisoformat(one["at"]), datetime.fromisoformat(one["leaves"]))
            for one in found.result.get("messages", ())
        ],
    )
    headers = refreshing(found, silent=page.silent)
    return app.pages.page("admin/notification_trial.html", {"page": page}, headers=headers)
