"""What an engineer can put into a reply by typing ``/`` and a few words: answers and phrases.

Answers are searched as the user's own question would be, for the user's region and audience, and
come with their score and source. Refuses to send anything: the engineer reads it first.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bot import repository
from bot.accounts.service import Principal
from bot.cards import answer_text
from bot.changes.repository import kept
from bot.clock import Clock
from bot.dialogue.turn import Found
from bot.knowledge import SearchedKnowledge
from bot.phrases import Phrases
from bot.tables import User
from bot.tickets.canned import offered
from bot.tickets.canned_tables import CannedPhrase
from bot.tickets.console import CANNED, requester, ticket_row
from bot.tickets.work import visible_ticket
from kb.answers import answer_card
from kb.applicability import groups
from store.session import Database

#: Answers and phrases offered at once; one can take them in at a glance.
ANSWERS, PHRASES = 5, 5
#: Below this likeness an answer has nothing to do with the words.
LEAST_SCORE = 0.05


@dataclass(frozen=True, slots=True)
class Insertion:
    """A text for the reply box. A canned phrase has neither a score (0-1) nor a source."""

    title: str
    text: str
    score: float | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class ReplyInsertions:
    """The search behind ``/`` in the reply box."""

    database: Database
    knowledge: SearchedKnowledge
    phrases: Phrases
    clock: Clock

    async def find(self, staff: Principal, number: str, words: str) -> Sequence[Insertion]:
        """Phrases with all of the words, then answers, best first; without words the phrases.

        Raises ``TicketNotFound`` for a ticket outside of the account's scope.
        """
        wanted = words.strip()
        async with self.database.glance() as session:
            ticket = await visible_ticket(session, staff, number)
            people = await repository.users_by_id(session, [ticket.requester_id or ""])
            said = await kept(session, CannedPhrase)
        person = people.get(ticket.requester_id or "")
        row = {**ticket_row(ticket), "requester": requester(person)}
        canned = offered(said, row, staff.name) if said else self.phrases.lines(CANNED)
        matching = [Insertion("", text) for text in canned if _has(text, wanted)][:PHRASES]
        return [*matching, *await self._answers(wanted, person)]

    async def _answers(self, words: str, person: User | None) -> Sequence[Insertion]:
        if not words:
            return ()
        search = partial(
            self.knowledge.search,
            words,
            region=person.region if person else None,
            audience=groups(person.audience) if person else (),
            now=self.clock(),
        )
        result = await asyncio.to_thread(search)
        likely = [one for one in result.found if one.score >= LEAST_SCORE][:ANSWERS]
        return await self._written(likely)

    async def _written(self, found: Sequence[Found]) -> Sequence[Insertion]:
        """Answers in full; one that was withdrawn since the index was built is left out."""
        written = []
        async with self.database.glance() as session:
            for one in found:
                content = await answer_card(session, one.answer_id)
                if content is None:
                    continue
                place = (content.source.guide, content.source.section_path)
                source = " › ".join(part for part in place if part)
                text = answer_text(content, self.phrases)
                written.append(Insertion(one.title, text, one.score, source))
        return written


def _has(text: str, words: str) -> bool:
    folded = text.casefold()
    return all(word in folded for word in words.casefold().split())
