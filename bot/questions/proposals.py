"""Similar questions proposed to editors: from what people really asked, and by rules.

A proposal is never added by itself: an editor takes it into the form, sees what it would take
from other answers, and a reviewer publishes it. Refuses whatever holds long numbers or was masked.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.accounts.service import Principal
from bot.clock import Clock
from bot.questions import repository as rows
from bot.questions.collecting import collect_questions
from bot.questions.repository import Led
from bot.questions.tables import DeclinedQuestionRow, LedHow
from bot.workbench.service import EDITING_ROLES
from kb import repository
from kb.errors import AnswerMissing, IndexMissing
from kb.fresh_index import FreshIndex
from kb.lexicon import Lexicon
from kb.normalise import Normaliser
from kb.paraphrases import Rule, paraphrases
from store import audit
from store.session import Database

#: Proposals shown at once of each origin.
SHOWN_ASKED, SHOWN_BY_RULE = 12, 8
#: What the audit calls it.
DECLINED = "proposal_declined"
_FORM = 500
_NUMBER = re.compile(r"\d{5,}|\*{3,}")


class Origin(StrEnum):
    """Where a proposal comes from, the strongest first."""

    CHOSEN = "chosen"
    USEFUL = "useful"
    ANSWERED = "answered"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class Proposal:
    """Another way of asking. ``people`` is how many have asked so."""

    text: str
    origin: Origin
    people: int = 0


@dataclass(frozen=True, slots=True)
class QuestionProposals:
    """The verbs on proposals."""

    database: Database
    index: FreshIndex
    rules: Sequence[Rule]
    clock: Clock

    async def collect(self) -> int:
        """Note what led to answers since the last time."""
        return await collect_questions(self.database)

    async def proposed(
        self, staff: Principal, article_id: str, questions: Sequence[str]
    ) -> list[Proposal]:
        """What else could be asked; ``questions`` are the answer's own, as they are typed now."""
        staff.require(*EDITING_ROLES)
        led: Sequence[Led] = ()
        declined: set[str] = set()
        if article_id:
            async with self.database.reading() as session:
                led = await rows.led_to(session, article_id)
                declined = await rows.declined(session, article_id)
        return await asyncio.to_thread(self._proposed, questions, led, declined)

    async def decline(self, staff: Principal, article_id: str, text: str) -> None:
        """Never propose this for the answer again. Raises AnswerMissing."""
        staff.require(*EDITING_ROLES)
        form = (await asyncio.to_thread(self._form, text))[:_FORM]
        async with self.database.transaction() as session:
            if await repository.article(session, article_id) is None:
                raise AnswerMissing(article_id)
            if not form or form in await rows.declined(session, article_id):
                return
            session.add(
                DeclinedQuestionRow(
                    article_id=article_id,
                    form=form,
                    declined_by=staff.name,
                    declined_at=self.clock(),
                )
            )
            await audit.record(
                session,
                actor=f"staff:{staff.staff_id}",
                action=f"answer.{DECLINED}",
                subject=f"answer:{article_id}",
                detail={"form": form},
                now=self.clock(),
            )

    def _form(self, text: str) -> str:
        return self._normaliser().query(text)

    def _normaliser(self) -> Normaliser:
        try:
            return self.index.current().normaliser
        except IndexMissing:
            return Normaliser(Lexicon())

    def _proposed(
        self, questions: Sequence[str], led: Sequence[Led], declined: set[str]
    ) -> list[Proposal]:
        normaliser = self._normaliser()
        known = {normaliser.query(one) for one in questions} | declined
        asked = [
            proposal
            for form, proposal in _gathered(led, normaliser)
            if form and form[:_FORM] not in known
        ][:SHOWN_ASKED]
        written = [*questions, *(one.text for one in asked)]
        by_rule = [
            Proposal(text, Origin.RULE)
            for text in paraphrases(
                written, self.rules, normaliser, limit=SHOWN_BY_RULE + len(declined)
            )
            if normaliser.query(text)[:_FORM] not in declined
        ][:SHOWN_BY_RULE]
        return asked + by_rule


def _gathered(led: Sequence[Led], normaliser: Normaliser) -> list[tuple[str, Proposal]]:
    """Questions that search reads the same as one, the surest and most asked first."""
    alike: dict[str, list[Led]] = {}
    for one in led:
        if not _NUMBER.search(one.text):
            alike.setdefault(normaliser.query(one.text), []).append(one)
    found = [(form, _proposal(some)) for form, some in alike.items()]
    order = list(Origin)
    found.sort(key=lambda one: (order.index(one[1].origin), -one[1].people, one[1].text))
    return found


def _proposal(alike: Sequence[Led]) -> Proposal:
    """The newest wording, with the best that is known of any of them."""
    if any(one.how == LedHow.CHOSEN for one in alike):
        origin = Origin.CHOSEN
    elif any(one.useful for one in alike):
        origin = Origin.USEFUL
    else:
        origin = Origin.ANSWERED
    return Proposal(alike[0].text, origin, len({one.user_id for one in alike}))
