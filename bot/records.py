"""Values of the dialogue as JSON, for the transcript of what the bot understood and found."""

from typing import Any

from bot.dialogue.turn import Search
from nlu.triage_types import Triage
from nlu.types import Understanding


def understanding_json(
    understanding: Understanding | None, triage: Triage | None
) -> dict[str, Any]:
    """Intent, entities, interpreter, and the judgement with its reasons."""
    record: dict[str, Any] = {}
    if understanding is not None:
        record = {
            "intent": understanding.intent.value,
            "confidence": round(understanding.confidence, 4),
            "entities": [
                {"name": entity.name.value, "value": entity.value}
                for entity in understanding.entities
            ],
            "interpreter": understanding.interpreter,
        }
    if triage is not None:
        record["triage"] = {
            "incident": triage.incident,
            "category": triage.category.value,
            "severity": triage.severity.value,
            "module": triage.module,
            "reasons": reasons_json(triage),
        }
    return record


def reasons_json(triage: Triage) -> list[dict[str, str]]:
    """Every rule that spoke, with the words it leans on."""
    return [
        {"rule": reason.rule, "evidence": reason.evidence, "effect": reason.effect}
        for reason in triage.reasons
    ]


def found_json(search: Search) -> dict[str, Any]:
    """One query and its candidates with scores."""
    return {
        "query": search.query,
        "band": search.band.value,
        "found": [
            {"answer_id": f.answer_id, "title": f.title, "score": round(f.score, 4)}
            for f in search.found
        ],
    }


def understanding_record(record_id: Any, understanding: Understanding) -> dict[str, Any]:
    """One output row of ``caiwen nlu parse --jsonl``; names never change without a release."""
    return {
        "id": record_id,
        "intent": understanding.intent.value,
        "confidence": round(understanding.confidence, 6),
        "entities": [
            {
                "entity": entity.name.value,
                "value": entity.value,
                "start": entity.start,
                "end": entity.end,
            }
            for entity in understanding.entities
        ],
        "interpreter": understanding.interpreter,
    }


def triage_record(record_id: Any, triage: Triage) -> dict[str, Any]:
    """One output row of ``caiwen triage --jsonl``."""
    return {
        "id": record_id,
        "incident": triage.incident,
        "category": triage.category.value,
        "severity": triage.severity.value,
        "module": triage.module,
        "reasons": reasons_json(triage),
    }
