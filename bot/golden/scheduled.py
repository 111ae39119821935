"""Golden questions asked once more when the date of a publication has come.

What a reviewer has let pass with a reason when the date was set stays let pass. Refuses to publish
or to hold back; it says what speaks against it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from bot.golden.service import GATE, Gate, Golden, gate_subject, summary_json
from bot.phrases import Phrases
from bot.workbench.publishing import Objection
from kb.answer_editing import MAX_NOTE
from kb.answer_workflow import AnswerVerb
from store import audit
from store.audit import AuditEntry

#: Golden questions that the comment names; the audit trail has all of them.
NAMED = 20
_SUBMITTED = f"answer.{AnswerVerb.SUBMIT.value}"


@dataclass(frozen=True, slots=True)
class ScheduledGate:
    """The gate of what goes live with nobody looking."""

    golden: Golden
    phrases: Phrases

    async def objection(self, article_ids: Sequence[str]) -> Objection | None:
        """What gets worse beyond the limit; None when nobody needs to look."""
        gate = await self.golden.foresee_all(article_ids)
        if not gate.blocked:
            return None
        passed: set[str] = set()
        for article_id in article_ids:
            passed |= await self._let_pass(article_id)
        return None if passed.issuperset(gate.comparison.broken) else self._said(gate)

    def _said(self, gate: Gate) -> Objection:
        found = gate.comparison
        questions = "、".join(gate.texts(found.broken[:NAMED]))
        return Objection(
            note=self.phrases.say("workbench.golden.held_back", questions=questions)[:MAX_NOTE],
            by=self.phrases.say("audit.actor.system"),
            detail={
                "broken": list(found.broken),
                "before": summary_json(found.before),
                "after": summary_json(found.after),
            },
        )

    async def _let_pass(self, article_id: str) -> set[str]:
        """The questions that a reviewer has given a reason for, since this was submitted."""
        async with self.golden.database.reading() as session:
            asked = await _newest(session, gate_subject(article_id), GATE)
            submitted = await _newest(session, f"answer:{article_id}", _SUBMITTED)
        if asked is None or submitted is None or asked.id < submitted.id:
            return set()
        return set(asked.detail["broken"]) if asked.detail["override"] else set()


async def _newest(session: AsyncSession, subject: str, action: str) -> AuditEntry | None:
    wanted = audit.Wanted(subjects=[subject], actions=[action])
    return next(iter(await audit.newest(session, wanted, limit=1)), None)
