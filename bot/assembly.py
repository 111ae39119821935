"""The composition root: picks the real parts and wires them. Nothing else builds anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, cast

import structlog
from fastapi import FastAPI

from bot import metrics as figures
from bot.accounts.administration import StaffAdmin
from bot.accounts.identity import Identities
from bot.admitted import Admitted
from bot.alerts.service import Alerts
from bot.alerts.sources import AlertDesk
from bot.attachments import cues
from bot.attachments.intake import AttachmentIntake
from bot.attachments.pictures import PictureReader, Pictures
from bot.attachments.preview import DocumentPreviewer
from bot.attachments.retention import Retention
from bot.attachments.service import Attachments
from bot.calendar_admin import CalendarAdmin
from bot.changes.keeping import Keeper
from bot.channels import persons
from bot.channels.accounts import ChannelAccounts
from bot.channels.bot_frames import BotFrames
from bot.channels.files import ChannelFiles
from bot.channels.h5_login import H5Login
from bot.channels.intake import ChannelIntake
from bot.channels.live import LiveChannels
from bot.channels.widgets import Widgets
from bot.clock import Clock, utc_now
from bot.conversations import greeting as greetings
from bot.conversations.acting import Actor
from bot.conversations.live import Live
from bot.conversations.opening import Openings
from bot.conversations.recording import Recorder
from bot.conversations.service import Conversations
from bot.conversations.thinking import Thinker
from bot.deliveries import handlers
from bot.dialogue import clarifications
from bot.evaluations.asking import Live as Answering
from bot.evaluations.service import Evaluations
from bot.evaluations.store import EvaluationStore
from bot.gaps.service import Gaps
from bot.golden.scheduled import ScheduledGate
from bot.golden.service import Golden
from bot.guides.imports import GuideImports
from bot.guides.service import Guides
from bot.incidents import parts as incident_parts
from bot.incidents.parts import IncidentParts
from bot.knowledge import SearchedKnowledge
from bot.metrics import Metrics
from bot.notifications.planning import PREFIX as NOTIFICATIONS
from bot.notifications.service import Notifications
from bot.phrases import Phrases
from bot.phrases import load as load_phrases
from bot.questions.proposals import QuestionProposals
from bot.rules import parts as rule_parts
from bot.rules.parts import RuleParts
from bot.saved_views.service import SavedViews, ViewedList
from bot.settings import Settings, data_dir
from bot.tickets.call_log import CallLog
from bot.tickets.canned import canned_phrases
from bot.tickets.canned_tables import CannedPhrase
from bot.tickets.confirmations import Confirmations
from bot.tickets.console import Console
from bot.tickets.desk import Desk
from bot.tickets.dispatching import Dispatch
from bot.tickets.engineers import Engineers
from bot.tickets.fields import TicketFields
from bot.tickets.presence import Presences
from bot.tickets.queue_times import QueueTimes
from bot.tickets.revisits import Revisits
from bot.tickets.routing import Router
from bot.tickets.searching import Searches
from bot.tickets.template_tables import TicketTemplate
from bot.tickets.templates import ticket_templates
from bot.understanding import build_interpreter, build_triager
from bot.workbench.date_news import DateNews
from bot.workbench.lexicons import Lexicons, LiveRules
from bot.workbench.lexicons import shipped as shipped_lexicon
from bot.workbench.publishing import Publishing
from bot.workbench.service import ANSWER_VIEWS, Workbench
from bot.workbench.sheets import AnswerSheets
from bot.workbench.staleness import Staleness
from bot.workbench.ticket_drafts import TicketDrafts
from bot.workspace import Workspace
from connectors.base import Channel
from connectors.relay import Relay
from connectors.speech import Speech
from handoff.contract import Terms
from handoff.current_terms import CurrentTerms
from handoff.holidays import published_holidays
from handoff.terms import load_terms
from kb.fresh_index import FreshIndex
from kb.importer import IsolatedImporter, limits_of
from kb.index_holder import IndexHolder
from kb.ocr import IsolatedTextReader, OcrLimits
from kb.paraphrases import load_rules
from nlu.types import Interpreter
from store.session import Database

if TYPE_CHECKING:
    from bot.web.rendering import Pages

log = structlog.get_logger("bot.assembly")


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that requests and commands use. One per process."""

    settings: Settings
    workspace: Workspace
    clock: Clock
    database: Database
    phrases: Phrases
    live: Live
    admitted: Admitted
    metrics: Metrics
    terms: Terms
    interpreter: Interpreter
    knowledge: SearchedKnowledge
    publishing: Publishing
    workbench: Workbench
    gaps: Gaps
    golden: Golden
    proposals: QuestionProposals
    guides: Guides
    guide_imports: GuideImports
    staleness: Staleness
    ticket_drafts: TicketDrafts
    answer_sheets: AnswerSheets
    answer_views: SavedViews
    lexicons: Lexicons
    evaluations: Evaluations
    openings: Openings
    identities: Identities
    h5_login: H5Login
    conversations: Conversations
    channel_intake: ChannelIntake
    channel_files: ChannelFiles
    channels: LiveChannels
    channel_accounts: ChannelAccounts
    widgets: Widgets
    console: Console
    engineers: Engineers
    dispatch: Dispatch
    searches: Searches
    fields: TicketFields
    canned: Keeper[CannedPhrase]
    templates: Keeper[TicketTemplate]
    incidents: IncidentParts
    call_log: CallLog
    confirmations: Confirmations
    notifications: Notifications
    attachments: Attachments
    retention: Retention
    alerts: Alerts
    alert_desk: AlertDesk
    presences: Presences
    queue_times: QueueTimes
    router: Router
    rules: RuleParts
    staff_admin: StaffAdmin
    calendar_admin: CalendarAdmin
    revisits: Revisits
    relay: Relay
    pages: "Pages"


def services(app: FastAPI) -> Services:
    """The product assembled in this application."""
    return cast("Services", app.state.services)


def load_all_terms(settings: Settings) -> Terms:
    """Contracts and calendars: the shipped ones, or the deployment's own folder."""
    folder = settings.handoff.terms_dir or data_dir()
    return load_terms(folder / "contracts", folder / "calendars", holidays=published_holidays())


def assemble(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    channels: Mapping[str, Channel] | None = None,
    interpreter: Interpreter | None = None,
    picture_reader: PictureReader | None = None,
) -> Services:
    """Build the product from settings; ``channels`` and what follows replace what they name."""
    from bot.web.rendering import Pages  # noqa: PLC0415  # pages need services in turn

    data = data_dir()
    workspace = Workspace(settings.home)
    database = Database(settings.effective_database_url)
    phrases = load_phrases(data / "locales" / f"{settings.locale}.yml")
    current_terms = CurrentTerms(load_all_terms(settings), published_holidays())
    terms = current_terms.terms
    live = Live()
    index = FreshIndex(
        settings.home,
        IndexHolder(settings.home, settings.kb),
        refresh_seconds=settings.kb.refresh_seconds,
    )
    knowledge = SearchedKnowledge(index)
    reader = partial(IsolatedImporter, limits_of(settings.kb.importing))
    golden = Golden(database, index, clock, settings.kb.gate_drop)
    understood = interpreter or build_interpreter(settings, workspace)
    desk = Desk(terms, settings.handoff, phrases)
    metrics = figures.create()
    triager = build_triager(workspace)
    base = incident_parts.Foundation(database, terms, settings.handoff, phrases, live, clock)
    incidents = incident_parts.build(base, knowledge, data)
    thinker = Thinker(
        database=database,
        interpreter=understood,
        knowledge=knowledge,
        triager=triager,
        rules=LiveRules(
            settings.home, clarifications.load(data / "dialogue" / "clarifications.yml")
        ),
        faults=incidents.board,
    )
    pictures = _pictures(settings, database, live, picture_reader)
    conversations = Conversations(
        database=database,
        recorder=Recorder(database),
        thinker=thinker,
        actor=Actor(database, desk, phrases),
        live=live,
        clock=clock,
        metrics=metrics,
        files=pictures,
    )
    engineers = Engineers(database, terms, settings.handoff, phrases, live, clock)
    sending = LiveChannels(settings, database, clock, channels or {})
    notifications = Notifications.create(
        database,
        settings.notify,
        settings.secrets.vault(),
        terms,
        phrases,
        clock=clock,
        application=lambda: sending.application,
    )
    publishing = Publishing(
        database,
        index,
        clock,
        ScheduledGate(golden, phrases),
        DateNews(notifications.planner, phrases),
    )
    openings = Openings(database, greetings.load(data / "dialogue" / "seasons.yml", phrases))
    presences = Presences(database, settings.handoff, live, clock)
    workbench = Workbench(
        database,
        publishing,
        clock,
        media_dir=workspace.media,
        own_review=settings.kb.own_review,
    )
    channel_files = ChannelFiles(
        ChannelIntake(database, openings, conversations, phrases, live, clock),
        Attachments(
            database,
            AttachmentIntake(settings.attachments, workspace.attachments),
            pictures,
            conversations,
            engineers,
            phrases,
            clock,
            settings.web.max_message_chars,
        ),
        sending.fetch,
        Speech(settings.speech) if settings.speech.url else None,
    )
    return Services(
        settings=settings,
        workspace=workspace,
        clock=clock,
        database=database,
        phrases=phrases,
        live=live,
        admitted=Admitted(),
        metrics=metrics,
        terms=terms,
        interpreter=understood,
        knowledge=knowledge,
        publishing=publishing,
        workbench=workbench,
        lexicons=Lexicons(database, shipped_lexicon(data), index, settings.home, clock),
        answer_sheets=AnswerSheets(
            database, workbench, phrases, clock, workspace.home / "answer-sheets"
        ),
        answer_views=SavedViews(database, clock, ViewedList.ANSWERS, ANSWER_VIEWS),
        gaps=Gaps(database, knowledge, phrases, live, clock),
        golden=golden,
        proposals=QuestionProposals(
            database, index, load_rules(data / "lexicon" / "paraphrases.yml"), clock
        ),
        guides=Guides(database, publishing, golden, clock),
        guide_imports=GuideImports(
            database,
            settings.effective_database_url,
            publishing,
            workspace,
            clock,
            reader=reader,
            own_review=settings.kb.own_review,
            gate_drop=settings.kb.gate_drop,
        ),
        staleness=Staleness(database, publishing, clock, reader),
        ticket_drafts=TicketDrafts(database),
        evaluations=Evaluations(
            database,
            Answering(index, understood, thinker),
            EvaluationStore(settings.home),
            data,
            clock,
        ),
        openings=openings,
        identities=Identities(sending.proofs, sending.former_proofs),
        h5_login=H5Login(sending, clock),
        conversations=conversations,
        channel_intake=channel_files.intake,
        channels=sending,
        channel_accounts=ChannelAccounts(database, notifications.vault, settings, sending, clock),
        widgets=Widgets(database, settings, sending, clock),
        searches=Searches.create(database, clock),
        fields=TicketFields(database, clock),
        canned=canned_phrases(database, clock),
        templates=ticket_templates(database, clock),
        console=Console(database, terms, desk, phrases, clock),
        engineers=engineers,
        attachments=channel_files.attachments,
        channel_files=channel_files,
        retention=Retention(database, workspace.attachments, clock, settings.attachments.keep_days),
        call_log=CallLog(database, terms, settings.handoff, phrases, triager, live, clock),
        incidents=incidents,
        dispatch=Dispatch(database, terms, settings.handoff, phrases, live, clock),
        confirmations=Confirmations(database, terms, settings.handoff, phrases, live, clock),
        notifications=notifications,
        alerts=Alerts(database, notifications.vault, notifications, live, clock),
        alert_desk=AlertDesk(database, notifications.vault, clock),
        presences=presences,
        queue_times=QueueTimes(database, terms, settings.handoff, live, clock),
        calendar_admin=CalendarAdmin(database, current_terms, settings.handoff, clock),
        revisits=Revisits(database, terms, settings.handoff, clock),
        rules=rule_parts.build(base, presences, notifications.admin),
        staff_admin=StaffAdmin(database, terms, settings.handoff, phrases, live, clock),
        router=Router(database, terms, settings.handoff, phrases, live, clock, presences),
        relay=Relay(
            database,
            {
                **handlers(database, live, sending.by_name, phrases),
                **persons.handlers(database, sending),
                **channel_files.handlers(),
                **BotFrames(channel_files, sending).handlers(),
                **incidents.news.handlers(),
            },
            clock,
            without=(NOTIFICATIONS,),
            lease=timedelta(seconds=settings.relay.lease_s),
        ),
        pages=Pages.create(phrases),
    )


def _pictures(
    settings: Settings, database: Database, live: Live, reader: PictureReader | None
) -> Pictures:
    chosen = settings.attachments
    limits = OcrLimits(
        image_bytes=chosen.max_bytes,
        pixels=chosen.max_pixels,
        seconds=chosen.read_s,
        memory_bytes=chosen.read_memory_mb * 1024 * 1024,
        threads=chosen.read_threads,
    )
    return Pictures(
        database,
        Workspace(settings.home).attachments,
        reader=reader or IsolatedTextReader(limits),
        previewer=DocumentPreviewer(),
        screens=cues.load(data_dir() / "dialogue" / "screens.yml"),
        live=live,
        settings=chosen,
    )
