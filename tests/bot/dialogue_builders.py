"""Builders of dialogue values for tests: short to write, plain to read."""

from bot.dialogue.turn import Band, Found, OpenTicket, Search, Turn
from nlu.triage_types import Triage
from nlu.types import Entity, EntityName, Intent, Understanding
from store.vocabulary import Category, Severity


def make_understanding(
    text: str, intent: Intent = Intent.ASK_QUESTION, confidence: float = 0.95, **entities: str
) -> Understanding:
    """What an interpreter would say; ``entities`` by name."""
    found = tuple(Entity(EntityName(name), value, 0, 0) for name, value in entities.items())
    return Understanding(text, intent, confidence, ((intent, confidence),), found, "test")


def make_found(answer_id: str = "a1", **over: object) -> Found:
    """A candidate."""
    values: dict[str, object] = {"title": f"标题{answer_id}", "score": 0.9, **over}
    return Found(answer_id=answer_id, **values)  # type: ignore[arg-type]  # built from keywords


def make_search(query: str, band: Band, *found: Found) -> Search:
    """A search and what it found."""
    return Search(query, band, found)


def make_triage(
    severity: Severity = Severity.GENERAL,
    *,
    incident: bool = False,
    category: Category = Category.HOW_TO,
    question: str | None = None,
) -> Triage:
    """A judgement."""
    return Triage(
        incident=incident,
        category=category,
        severity=severity,
        module=None,
        reasons=(),
        question=question,  # type: ignore[arg-type]  # any phrase key will do
        confidence=0.9,
    )


def make_ticket(number: str = "CW20261120-0001", **over: object) -> OpenTicket:
    """An open ticket of the user."""
    values: dict[str, object] = {"status": "新建", "title": "登不上", **over}
    return OpenTicket(number=number, **values)  # type: ignore[arg-type]  # built from keywords


def make_turn(
    text: str = "支付申请怎么撤回",
    intent: Intent = Intent.ASK_QUESTION,
    *,
    confidence: float = 0.95,
    searches: tuple[Search, ...] = (),
    **over: object,
) -> Turn:
    """A turn; nothing is found unless ``searches`` say so."""
    values: dict[str, object] = {
        "understanding": make_understanding(text, intent, confidence),
        "searches": searches or (Search(text, Band.NONE),),
        "triage": make_triage(),
        **over,
    }
    return Turn(text=text, seq=3, **values)  # type: ignore[arg-type]  # built from keywords
