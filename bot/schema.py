"""All tables together: the only place that knows every package's, for migrations and tests."""

from sqlalchemy import MetaData

import bot.alerts.tables
import bot.attachments.tables
import bot.changes.tables
import bot.channels.tables
import bot.gaps.tables
import bot.golden.tables
import bot.guides.tables
import bot.notifications.tables
import bot.questions.tables
import bot.saved_views.tables
import bot.tables
import bot.tickets.canned_tables
import bot.tickets.template_tables
import bot.workbench.origin_tables
import connectors.bot_stream_tables
import connectors.media_tables
import connectors.send_tables
import handoff.calendar_tables
import handoff.callbacks_tables
import handoff.incident_tables
import handoff.mark_tables
import handoff.presence_tables
import handoff.rule_tables
import handoff.tables
import kb.answer_tables
import kb.lexicon_tables
import kb.stale_tables
import kb.tables
import store.audit
import store.inbox
import store.leases
import store.outbox
from store.base import Base

#: Imported for their side effect of declaring tables.
DECLARED_IN = (
    bot.alerts.tables,
    bot.saved_views.tables,
    bot.attachments.tables,
    bot.tickets.canned_tables,
    bot.changes.tables,
    bot.channels.tables,
    bot.gaps.tables,
    bot.golden.tables,
    bot.guides.tables,
    bot.notifications.tables,
    bot.questions.tables,
    bot.tables,
    bot.tickets.template_tables,
    bot.workbench.origin_tables,
    connectors.bot_stream_tables,
    connectors.media_tables,
    connectors.send_tables,
    handoff.calendar_tables,
    handoff.callbacks_tables,
    handoff.incident_tables,
    handoff.mark_tables,
    handoff.presence_tables,
    handoff.rule_tables,
    handoff.tables,
    kb.answer_tables,
    kb.lexicon_tables,
    kb.stale_tables,
    kb.tables,
    store.audit,
    store.inbox,
    store.leases,
    store.outbox,
)


def metadata() -> MetaData:
    """The whole schema."""
    return Base.metadata
