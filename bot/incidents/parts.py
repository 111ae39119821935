"""Puts the parts of incidents together for the product: board, watch, news, verbs."""

from dataclasses import dataclass
from pathlib import Path

from bot.clock import Clock
from bot.conversations.live import Live
from bot.incidents.board import IncidentBoard
from bot.incidents.gathering import Gathering
from bot.incidents.likeness import Reader, Readings
from bot.incidents.news import IncidentNews
from bot.incidents.service import Incidents
from bot.incidents.watch import IncidentWatch
from bot.phrases import Phrases
from handoff.contract import Terms
from handoff.incident_rules import load_rules
from handoff.settings import HandoffSettings
from store.session import Database


@dataclass(frozen=True, slots=True)
class IncidentParts:
    """Everything about incidents that the product holds."""

    board: IncidentBoard
    verbs: Incidents
    news: IncidentNews


@dataclass(frozen=True, slots=True)
class Foundation:
    """What the parts stand on."""

    database: Database
    terms: Terms
    settings: HandoffSettings
    phrases: Phrases
    live: Live
    clock: Clock


def build(on: Foundation, reader: Reader, data: Path) -> IncidentParts:
    """The parts. Raises ``InvalidTerms`` for a file of numbers that cannot be used."""
    zone = on.terms.calendar(on.settings.calendar).zone
    rules = load_rules(on.settings.incident_rules or data / "incidents.yml", zone=zone)
    gathering = Gathering(on.terms, on.phrases)
    board = IncidentBoard(on.database, reader, on.clock)
    watch = IncidentWatch(on.database, rules, gathering, Readings(reader), on.clock)
    news = IncidentNews(
        on.database, on.terms, on.settings, on.phrases, on.live, on.clock, board, watch
    )
    return IncidentParts(board, Incidents(on.database, rules, gathering, on.live, on.clock), news)
