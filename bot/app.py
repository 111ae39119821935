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
    admin_alerts,
    admin_audit,
    admin_calendar,
    admin_fields,
    admin_line_accounts,
    admin_lines,
    admin_notification_rules,
    admin_notifications,
    admin_phrases,
    admin_rule_trials,
    admin_rules,
    admin_sla,
    admin_staff,
    admin_units,
    attachments_api,
    bulk_pages,
    chat_api,
    console_incidents,
    dead_letters,
    h5_pages,
    health,
    incidents_api,
    media,
    presence_pages,
    problems,
    revisit_pages,
    search_pages,
    search_views,
    staff_api,
    staff_dispatch_api,
    staff_pages,
    webhooks_alerts,
    webhooks_telegram,
    webhooks_wecom,
    webhooks_wecom_bot,
    widget_pages,
    workbench_answer_verbs,
    workbench_answers,
    workbench_editor,
    workbench_files,
    workbench_gaps,
    workbench_gate,
    workbench_golden,
    workbench_guide_imports,
    workbench_guides,
    workbench_home,
    workbench_lexicon,
    workbench_proposals,
    workbench_quality,
    workbench_sheets,
    workbench_staleness,
    workbench_try,
    workbench_views,
)
from bot.web.cross_origin import CrossOrigin
from bot.web.middleware import Guard, Uploads
from bot.web.rendering import STATIC
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
        uploads=Uploads(
            attachments_api.UPLOADS,
            # The words that come along and the frame of the form need room too.
            services.settings.attachments.max_bytes + 4 * web.max_message_chars + 20_000,
            problems.told_early(services.phrases, AttachmentTooLarge),
        ),
    )
    for router in (
        chat_api,
        attachments_api,
        staff_api,
        staff_dispatch_api,
        console_incidents,
        incidents_api,
        dead_letters,
        admin_notifications,
        admin_notification_rules,
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
