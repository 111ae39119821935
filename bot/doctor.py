"""Everything that a deployment needs, examined: what is well, what is not, and what to do."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import httpx

from bot import migrate as migrations
from bot import repository
from bot.assembly import load_all_terms
from bot.attachments.clamd import Clamd, ScannerSilent
from bot.clock import utc_now
from bot.deployment import Deployment
from bot.notifications import repository as notification_repository
from bot.notifications.tables import NotificationChannel
from handoff.alarms import missing_years
from handoff.calendar_repository import newest_edits
from handoff.calendar_tables import CalendarEdit
from handoff.current_terms import CurrentTerms
from handoff.errors import InvalidTerms
from handoff.holidays import published_holidays
from kb.errors import IndexMismatch, IndexMissing
from kb.importer.converter import TARGETS, find_programs
from kb.index_holder import open_index
from kb.ocr import IsolatedTextReader
from store import outbox
from store.session import Database

#: Less free space than this endangers the database.
MIN_FREE_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing examined. Its phrase says what; ``KEY_fix`` says what to do."""

    key: str
    ok: bool
    needed: bool = True
    values: Mapping[str, object] = field(default_factory=dict)


async def examine(state: Deployment) -> list[Finding]:
    """Look at everything; never raises for what it finds."""
    database = state.database()
    try:
        found = [_disk(state), *await _database(state, database)]
        edits = await _calendar_edits(database)
    finally:
        await database.dispose()
    found += await _attachments(state)
    return [*found, _index(state), _calendar(state, edits), *_converters(), *await _rasa(state)]


def _disk(state: Deployment) -> Finding:
    state.workspace.create()
    free = shutil.disk_usage(state.workspace.home).free
    return Finding("doctor.disk", free >= MIN_FREE_BYTES, values={"free": free // 1024**2})


async def _database(state: Deployment, database: Database) -> list[Finding]:
    try:
        current, newest = await migrations.revision_of(database)
    except Exception as error:  # any failure to connect is the finding
        values = {"error": type(error).__name__}
        return [Finding("doctor.database", ok=False, values=values)]
    found = [
        Finding("doctor.database", ok=True),
        Finding("doctor.schema", current == newest, values={"current": current}),
    ]
    if current != newest:
        return found
    async with database.reading() as session:
        staff = await repository.all_staff(session)
        dead = len(await outbox.dead_letters(session))
        channels = await notification_repository.channels(session)
    return [
        *found,
        Finding("doctor.staff", bool(staff)),
        Finding("doctor.outbox", dead == 0, needed=False, values={"count": dead}),
        *_channels(state, channels),
    ]


def _channels(state: Deployment, channels: Sequence[NotificationChannel]) -> list[Finding]:
    """Whether the channels of notifications can be used: their secrets open, none is broken."""
    if not channels:
        return []
    vault = state.settings.secrets.vault()
    sealed = [text for channel in channels for text in channel.secrets.values()]
    broken = [channel.name for channel in channels if channel.state == "broken"]
    return [
        Finding("doctor.secrets", all(map(vault.has_key_of, sealed))),
        Finding("doctor.channels", not broken, needed=False, values={"names": ", ".join(broken)}),
    ]


async def _attachments(state: Deployment) -> list[Finding]:
    """Whether pictures can be read; and whether files are scanned, where that is asked for."""
    chosen = state.settings.attachments
    if not chosen.enabled:
        return []
    found = []
    if chosen.read_text:
        installed = IsolatedTextReader.is_installed()
        found.append(Finding("doctor.picture_text", installed, needed=False))
    if chosen.clamd:
        try:
            reached = await Clamd(chosen.clamd, timeout_s=5.0).is_clean(b"")
        except ScannerSilent:
            reached = False
        values = {"address": chosen.clamd}
        needed = chosen.clamd_required
        found.append(Finding("doctor.virus_scanner", reached, needed=needed, values=values))
    return found


def _index(state: Deployment) -> Finding:
    try:
        open_index(state.settings.home, state.settings.kb)
    except (IndexMissing, IndexMismatch, OSError, ValueError) as error:
        return Finding("doctor.index", ok=False, values={"error": type(error).__name__})
    return Finding("doctor.index", ok=True)


async def _calendar_edits(database: Database) -> Sequence[CalendarEdit]:
    """What administrators changed at calendars; nothing where that cannot be read."""
    try:
        async with database.reading() as session:
            return await newest_edits(session)
    except Exception:  # the database's own finding has told it
        return []


def _calendar(state: Deployment, edits: Sequence[CalendarEdit]) -> Finding:
    now = utc_now()
    try:
        current = CurrentTerms(load_all_terms(state.settings), published_holidays())
        terms = current.terms
        current.lay_over(
            (one.calendar_id, one.text) for one in edits if one.calendar_id in terms.calendars
        )
    except InvalidTerms as error:
        return Finding("doctor.terms", ok=False, values={"detail": str(error)})
    ahead = timedelta(days=state.settings.handoff.holiday_warning_days)
    missing = missing_years(terms, now=now, ahead=ahead)
    named = ", ".join(str(year) for year in sorted({found.year for found in missing}))
    return Finding("doctor.holidays", not missing, needed=False, values={"years": named})


def _converters() -> list[Finding]:
    """Whether guides in old formats can be read here."""
    programs = find_programs()
    ready = all(map(programs.can, TARGETS))
    return [Finding("doctor.converters", ready, needed=False)]


async def _rasa(state: Deployment) -> list[Finding]:
    if not state.settings.nlu.enabled:
        return []
    executable = state.rasa_executable()
    found = [
        Finding("doctor.rasa", executable is not None, needed=False),
        Finding("doctor.rasa_model", state.workspace.rasa_model.is_file(), needed=False),
    ]
    try:
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
            answered = (await client.get(state.settings.nlu.rasa_url)).status_code < 500
    except httpx.HTTPError:
        answered = False
    address = state.settings.nlu.rasa_url
    return [
        *found,
        Finding("doctor.rasa_server", answered, needed=False, values={"address": address}),
    ]
