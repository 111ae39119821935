"""All tables together: the only place that knows every package's, for migrations and tests."""

from sqlalchemy import MetaData

import bot.alert_tables
import bot.attachments.tables
import bot.canned_tables
import bot.change_tables
import bot.channel_tables
import bot.gap_tables
import bot.golden_tables
import bot.guides_tables
import bot.notification_tables
import bot.question_tables
import bot.saved_view_tables
import bot.tables
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
import store.outbox
from store.base import Base

#: Imported for their side effect of declaring tables.
DECLARED_IN = (
    bot.alert_tables,
    bot.saved_view_tables,
    bot.attachments.tables,
    bot.canned_tables,
    bot.change_tables,
    bot.channel_tables,
    bot.gap_tables,
    bot.golden_tables,
    bot.guides_tables,
    bot.notification_tables,
    bot.question_tables,
    bot.tables,
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
    store.outbox,
)


def metadata() -> MetaData:
    """The whole schema."""
    return Base.metadata
