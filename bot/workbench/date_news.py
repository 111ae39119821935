"""What became of answers at their date, as news that notification rules can choose.

Told in the transaction that published or held back: the news rests exactly when that does.
Refuses to know who wants to hear it; rules and channels do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import local_time
from bot.notifications.events import Happened, NoticeEvent
from bot.notifications.planning import Planner
from bot.phrases import Phrases
from kb import repository
from kb.answer_editing import Done
from store.vocabulary import Severity

#: Questions that one piece of news names; the rest are counted.
NAMED = 20


@dataclass(frozen=True, slots=True)
class DateNews:
    """Plans notifications by the rules as they are now."""

    planner: Planner
    phrases: Phrases

    async def went_live(self, session: AsyncSession, done: Sequence[Done], now: datetime) -> None:
        """What one look at the clock has published is one piece of news."""
        first = done[0]
        if len(done) == 1:
            await self._tell(session, first, NoticeEvent.ANSWER_PUBLISHED, now)
            return
        questions = [(await _question(session, one.article_id))[0] for one in done[:NAMED]]
        several = self.phrases.say("notify.answers", question=questions[0], count=len(done))
        detail = "\n".join(questions)
        await self._tell(
            session, first, NoticeEvent.ANSWER_PUBLISHED, now, title=several, detail=detail
        )

    async def held_back(self, session: AsyncSession, done: Done, why: str, now: datetime) -> None:
        """It waits for its reviewer again; ``why`` is what its author reads too."""
        await self._tell(session, done, NoticeEvent.ANSWER_HELD_BACK, now, detail=why)

    async def _tell(
        self,
        session: AsyncSession,
        done: Done,
        event: NoticeEvent,
        now: datetime,
        *,
        title: str = "",
        detail: str = "",
    ) -> None:
        question, module, ref = await _question(session, done.article_id)
        happened = Happened(
            key=f"answer:{done.article_id}:{done.version}",
            event=event,
            at=now,
            severity=Severity.GENERAL,
            subject=ref,
            path="/workbench" if title else f"/workbench/answers/{done.article_id}",
            thread=f"answer:{done.article_id}",
            values={
                "title": title or question,
                "module": module,
                "opened": local_time(now),
                "detail": detail,
            },
        )
        await self.planner.plan(session, happened, now=now)


async def _question(session: AsyncSession, article_id: str) -> tuple[str, str, str]:
    """An answer's question, module and number."""
    article = await repository.article(session, article_id)
    return (article.question, article.module, article.ref) if article else ("", "", "")
