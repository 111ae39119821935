"""Parts of a ticket as its page and the API show them, read from its events and rows."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bot.phrases import Phrases
from bot.rules.words import RuleWords
from handoff import problem_report, work_orders
from handoff.incident_tables import Incident
from handoff.lifecycle import Event
from handoff.rule_tables import RuleFiring
from handoff.work_orders import WorkOrder


def report_of(events: Sequence[Event]) -> dict[str, str] | None:
    """What was handed in, as it stands now."""
    handed_in = problem_report.latest(events)
    return asdict(handed_in.report) if handed_in else None


def incident_of(incident: Incident | None) -> dict[str, str] | None:
    """The incident that a ticket belongs to."""
    if incident is None:
        return None
    return {"number": incident.number, "title": incident.title, "status": incident.status}


def order_of(order: WorkOrder | None) -> dict[str, Any] | None:
    """The province's work order."""
    if order is None:
        return None
    return {
        "kind": order.kind.value,
        "status": order.status.value,
        "external_number": order.external_number,
        "release": order.release,
        "note": order.note,
        "ended": order.status in work_orders.ENDS,
    }


def firing_of(firing: RuleFiring, phrases: Phrases) -> dict[str, Any]:
    """What a rule did to the ticket, why, and what came of each step."""
    words = RuleWords(phrases)
    return {
        "rule_id": firing.rule_id,
        "rule": firing.rule_name,
        "version": firing.rule_version,
        "at": firing.at,
        "reasons": phrases.say("rules.and").join(firing.reasons) or phrases.say("rules.every"),
        "outcomes": [words.outcome(one) for one in firing.outcomes],
    }
