"""Pages of notification rules: make, change, look at what they would say, remove."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.changes.service import Change
from bot.errors import InvalidInput
from bot.notifications.admin import LOOK_ROLES
from bot.notifications.errors import NotificationInvalid
from bot.notifications.events import NoticeEvent
from bot.notifications.forms import RuleForm
from bot.notifications.kinds import KINDS, ChannelKind
from bot.notifications.starters import starters
from bot.notifications.tables import NotificationChannel
from bot.notifications.templates import PLACEHOLDERS
from bot.notifications.trial import sample
from bot.web.admin.access import Starter
from bot.web.admin.forms import rule_form, texts, told
from bot.web.admin.notifications import ADDRESS as CHANNELS
from bot.web.admin.notifications import AdminPage, RowId
from bot.web.admin.refusals import or_refused
from bot.web.navigation import places
from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices
from store.vocabulary import Severity

router = APIRouter(include_in_schema=False)

ADDRESS = "/console/admin/rules"


@dataclass(frozen=True, slots=True)
class Choice:
    """A channel to choose, and what a list of people means to it."""

    id: str
    name: str
    reach: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What the rule would say."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class RulePage(AdminPage):
    """One rule's form; ``id`` is empty for a new one."""

    id: str
    form: RuleForm
    channels: Sequence[Choice]
    events: Sequence[str]
    severities: Sequence[str]
    placeholders: Sequence[str]
    preview: Preview | None
    history: Sequence[Change]
    error: str


@router.get(f"{ADDRESS}/new")
async def new(staff: PageStaff, app: AppServices, starter: Starter = "") -> Response:
    """An empty form, or one that is filled to begin with."""
    return await _form(app, staff, starters(app.phrases).get(starter, RuleForm()))


@router.get(f"{ADDRESS}/{{rule_id}}")
async def edit(rule_id: RowId, staff: PageStaff, app: AppServices) -> Response:
    """The form of a rule."""
    return await _kept(app, staff, rule_id)


@router.post(f"{ADDRESS}/new")
async def add(staff: PageStaff, app: AppServices, request: Request) -> Response:
    """Make a rule, or show what it would say."""
    return await _save(app, staff, request, "")


@router.post(f"{ADDRESS}/{{rule_id}}")
async def save(rule_id: RowId, staff: PageStaff, app: AppServices, request: Request) -> Response:
    """Save a rule, or show what it would say."""
    return await _save(app, staff, request, rule_id)


async def _save(app: Services, staff: Principal, request: Request, rule_id: str) -> Response:
    typed = await texts(request)
    form, admin = rule_form(typed), app.notifications.admin
    try:
        if typed.get("do") == ["preview"]:
            news = sample(app.phrases, form, app.clock())
            title, text = await admin.preview(staff, form, news)
            return await _form(app, staff, form, rule_id=rule_id, preview=Preview(title, text))
        if typed.get("do") == ["try"]:
            trial_id = await app.rules.notification_trials.start(staff, rule_id, form)
            return RedirectResponse(f"{ADDRESS}/trials/{trial_id}", 303)
        await admin.save_rule(staff, rule_id or None, form)
    except NotificationInvalid as invalid:
        error = told(app.phrases, invalid)
        return await _form(app, staff, form, rule_id=rule_id, error=error)
    except InvalidInput as busy:
        error = app.phrases.say(busy.reason)
        return await _form(app, staff, form, rule_id=rule_id, error=error)
    return RedirectResponse(CHANNELS, 303)


@router.post(f"{ADDRESS}/{{rule_id}}/remove")
async def remove(rule_id: RowId, staff: PageStaff, app: AppServices) -> Response:
    """Remove a rule."""
    await app.notifications.admin.remove_rule(staff, rule_id)
    return RedirectResponse(CHANNELS, 303)


@router.post(f"{ADDRESS}/{{rule_id}}/restore/{{change_id}}")
async def restore(rule_id: RowId, change_id: RowId, staff: PageStaff, app: AppServices) -> Response:
    """Make a rule as it was."""
    verb = app.notifications.admin.restore_rule(staff, rule_id, change_id)
    page = partial(_kept, app, staff, rule_id)
    return await or_refused(verb, NotificationInvalid, page, then=f"{ADDRESS}/{rule_id}")


async def _kept(
    app: Services, staff: Principal, rule_id: str, refused: NotificationInvalid | None = None
) -> Response:
    """The form of a rule as it is kept."""
    rule = await app.notifications.admin.rule(staff, rule_id)
    error = told(app.phrases, refused) if refused else ""
    return await _form(app, staff, RuleForm.of(rule), rule_id=rule_id, error=error)


async def _form(
    app: Services,
    staff: Principal,
    form: RuleForm,
    *,
    rule_id: str = "",
    preview: Preview | None = None,
    error: str = "",
) -> Response:
    staff.require(*LOOK_ROLES)
    found = await app.notifications.admin.overview(staff)
    shown = RulePage(
        staff=staff,
        places=places(app.phrases, staff),
        may_change=staff.may(),
        id=rule_id,
        form=form,
        channels=[_choice(one.channel) for one in found.channels],
        events=[event.value for event in NoticeEvent],
        severities=[severity.value for severity in Severity],
        placeholders=PLACEHOLDERS,
        preview=preview,
        history=await app.notifications.admin.history(staff, rule_id) if rule_id else (),
        error=error,
    )
    status = 422 if error else 200
    return app.pages.page("admin/rule.html", {"page": shown}, status=status, headers=FRESH)


def _choice(channel: NotificationChannel) -> Choice:
    reach = KINDS[ChannelKind(channel.kind)].reach.value
    return Choice(channel.id, channel.name, reach)
