"""The web application: routers, guards, static files, and the product's life around them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from bot.assembly import Services
from bot.attachments.errors import AttachmentTooLarge
from bot.errors import MessageTooLong
from bot.running import running
from bot.web import (
    attachments_api,
    chat_api,
    dead_letters,
    h5_pages,
    health,
    incidents_api,
    media,
    problems,
    staff_api,
    staff_dispatch_api,
    staff_pages,
    widget_pages,
)
from bot.web.admin import alerts as admin_alerts
from bot.web.admin import audit as admin_audit
from bot.web.admin import calendar as admin_calendar
from bot.web.admin import fields as admin_fields
from bot.web.admin import line_accounts as admin_line_accounts
from bot.web.admin import lines as admin_lines
from bot.web.admin import notification_rules as admin_notification_rules
from bot.web.admin import notification_trials as admin_notification_trials
from bot.web.admin import notifications as admin_notifications
from bot.web.admin import phrases as admin_phrases
from bot.web.admin import rule_trials as admin_rule_trials
from bot.web.admin import rules as admin_rules
from bot.web.admin import sla as admin_sla
from bot.web.admin import staff as admin_staff
from bot.web.admin import templates as admin_templates
from bot.web.admin import units as admin_units
from bot.web.console import (
    bulk_pages,
    figures,
    presence_pages,
    revisit_pages,
    search_pages,
    search_views,
)
from bot.web.console import incidents as console_incidents
from bot.web.console import insertions as console_insertions
from bot.web.cross_origin import CrossOrigin
from bot.web.middleware import Guard, Larger
from bot.web.rendering import STATIC
from bot.web.webhooks import alerts as webhooks_alerts
from bot.web.webhooks import telegram as webhooks_telegram
from bot.web.webhooks import wecom as webhooks_wecom
from bot.web.webhooks import wecom_bot as webhooks_wecom_bot
from bot.web.workbench import answer_verbs as workbench_answer_verbs
from bot.web.workbench import answers as workbench_answers
from bot.web.workbench import editor as workbench_editor
from bot.web.workbench import files as workbench_files
from bot.web.workbench import gaps as workbench_gaps
from bot.web.workbench import gate as workbench_gate
from bot.web.workbench import golden as workbench_golden
from bot.web.workbench import guide_imports as workbench_guide_imports
from bot.web.workbench import guides as workbench_guides
from bot.web.workbench import home as workbench_home
from bot.web.workbench import lexicon as workbench_lexicon
from bot.web.workbench import proposals as workbench_proposals
from bot.web.workbench import quality as workbench_quality
from bot.web.workbench import sheets as workbench_sheets
from bot.web.workbench import staleness as workbench_staleness
from bot.web.workbench import trial as workbench_try
from bot.web.workbench import views as workbench_views
from kb import answer_files
from kb.importer.limits import MIB


def create_app(services: Services, *, worker: bool = True) -> FastAPI:
    """The ASGI application that serves these services; it starts and stops them."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with running(services, worker=worker):
            yield

    app = FastAPI(
        title="财问 Caiwen",
        version="0.1.0",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    problems.install(app)
    web = services.settings.web
    app.add_middleware(GZipMiddleware, minimum_size=1_000)
    app.add_middleware(CrossOrigin, web=lambda: services.channels.settings.web)
    app.add_middleware(
        Guard,
        max_body_bytes=web.max_body_bytes,
        refusal=problems.told_early(services.phrases, MessageTooLong),
        larger={
            workbench_guide_imports.UPLOADS: web.max_import_bytes,
            workbench_staleness.NOTES: web.max_import_bytes,
            workbench_sheets.SHEETS: web.max_import_bytes,
            workbench_files.ATTACHMENTS: answer_files.MAX_BYTES + MIB,
        },
        families=(
            Larger(
                attachments_api.UPLOADS,
                # The words that come along and the frame of the form need room too.
                services.settings.attachments.max_bytes + 4 * web.max_message_chars + 20_000,
                problems.told_early(services.phrases, AttachmentTooLarge),
            ),
            # What is larger than may be is for the route to write down; what never ends is not.
            Larger(webhooks_alerts.PATHS, 16 * web.max_alert_bytes, b"{}", status=503),
        ),
    )
    for router in (
        chat_api,
        attachments_api,
        staff_api,
        staff_dispatch_api,
        console_incidents,
        console_insertions,
        incidents_api,
        dead_letters,
        admin_notifications,
        admin_notification_rules,
        admin_notification_trials,
        admin_alerts,
        presence_pages,
        admin_staff,
        bulk_pages,
        admin_calendar,
        admin_fields,
        admin_line_accounts,
        admin_lines,
        admin_units,
        admin_audit,
        admin_rule_trials,
        admin_phrases,
        admin_rules,
        admin_sla,
        admin_templates,
        figures,
        revisit_pages,
        search_pages,
        search_views,
        staff_pages,
        health,
        media,
        webhooks_alerts,
        webhooks_telegram,
        webhooks_wecom,
        webhooks_wecom_bot,
        h5_pages,
        widget_pages,
        workbench_home,
        workbench_answers,
        workbench_editor,
        workbench_files,
        workbench_proposals,
        workbench_answer_verbs,
        workbench_try,
        workbench_gaps,
        workbench_gate,
        workbench_golden,
        workbench_lexicon,
        workbench_guides,
        workbench_guide_imports,
        workbench_staleness,
        workbench_quality,
        workbench_sheets,
        workbench_views,
    ):
        app.include_router(router.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app
