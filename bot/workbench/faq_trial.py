"""A table of questions and answers tried on the index before any of it is kept.

Says which entries would take questions from other answers, and, where nobody else is going to look
at them, whether golden questions would get worse. Refuses to decide what is kept.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bot.errors import GoldenGateClosed
from bot.golden.service import Golden
from kb.answer_sheet_repository import current_texts
from kb.answer_text import AnswerText
from kb.answers import indexed_text
from kb.articles import IndexedAnswer
from kb.errors import AnswerInvalid, IndexMissing
from kb.faq_review import FaqPlan, Review, over
from kb.question_thefts import Fresh, Theft, Thefts, thefts_of
from store.session import Database

#: Thefts that a record names; each of its entries is a draft to be looked at in any case.
TOLD = 100
#: Stands before the place of an entry that is no answer yet.
_NEW_ENTRY = "entry:"


@dataclass(frozen=True, slots=True)
class Trial:
    """What was found. `contested` are the thefts by the place of their entry in the plan.

    `broken` are golden questions that get worse than allowed, so that nothing may be published.
    """

    contested: Mapping[int, Sequence[Theft]] = field(default_factory=dict)
    unasked: int = 0
    broken: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """What people are told of it, as JSON; nothing where there is nothing to tell."""
        told = [asdict(one) for thefts in self.contested.values() for one in thefts]
        found = {"thefts": told[:TOLD], "unasked": self.unasked, "broken": list(self.broken)}
        return {name: value for name, value in found.items() if value}


async def try_table(golden: Golden, database: Database, plan: FaqPlan, review: Review) -> Trial:
    """Ask the index as it is, and as it would be with the table."""
    try:
        live = await asyncio.to_thread(golden.index.current)
    except IndexMissing:
        return Trial()
    known = {one.answer_id: frozenset(one.questions) for one in live.published}
    places = await _changed(database, plan)
    fresh = [_fresh(one, known.get(one.answer_id, frozenset())) for one in places]
    found = await asyncio.to_thread(thefts_of, golden.index, fresh)
    contested = _by_place(found, places)
    if not review.approve:
        return Trial(contested, found.unasked)
    changes: dict[str, IndexedAnswer | None] = dict.fromkeys(plan.gone)
    changes |= {one.answer_id: one for one, place in places.items() if place not in contested}
    try:
        await golden.guard(review.who, plan.source_name, changes)
    except GoldenGateClosed as closed:
        return Trial(contested, found.unasked, closed.broken)
    return Trial(contested, found.unasked)


async def _changed(database: Database, plan: FaqPlan) -> dict[IndexedAnswer, int]:
    """Each entry that can be kept, as search would have it, with its place."""
    async with database.reading() as session:
        known = await current_texts(session, [one for _, one in plan.entries if one])
    places: dict[IndexedAnswer, int] = {}
    for place, (entry, article_id) in enumerate(plan.entries):
        current = known.get(article_id or "")
        before = current.text if current else AnswerText("", "", source_title=plan.source_title)
        try:
            text = over(before, entry).checked()
        except AnswerInvalid:
            continue  # Refused when it is kept.
        places[indexed_text(article_id or f"{_NEW_ENTRY}{place}", text)] = place
    return places


def _fresh(answer: IndexedAnswer, known: frozenset[str]) -> Fresh:
    return Fresh(answer, [one for one in answer.questions if one not in known])


def _by_place(found: Thefts, places: Mapping[IndexedAnswer, int]) -> dict[int, list[Theft]]:
    place_of = {answer.answer_id: place for answer, place in places.items()}
    contested: dict[int, list[Theft]] = {}
    for theft in found.found:
        contested.setdefault(place_of[theft.taker], []).append(theft)
    return contested
