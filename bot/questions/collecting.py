"""Notes which questions led to which answers, out of what the bot did.

Reads turns after the last one it has seen, so that running it twice adds nothing. What was masked
in a message says that it is about a person: such a message is never noted. Refuses to judge
whether the answer was right; that is read off the user's verdict when it is needed.
"""

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.dialogue.queries import has_words
from bot.gaps import repository as gap_repository
from bot.questions import repository as rows
from bot.questions.tables import LedHow, LedQuestionRow
from bot.tables import Turn
from kb.paraphrases import LONGEST, SHORTEST
from store.session import Database

log = structlog.get_logger("bot.questions")

#: Turns that one transaction looks through.
TURNS = 500
_LED = frozenset(how.value for how in LedHow)
_OFFERED = frozenset({"offered", "clarify"})


async def collect_questions(database: Database) -> int:
    """Take in every turn since the last time; how many questions were noted."""
    noted = 0
    while True:
        async with database.transaction() as session:
            seen, found = await _take_in(session)
        noted += found
        if seen < TURNS:
            break
    if noted:
        log.info("questions_noted", questions=noted)
    return noted


async def _take_in(session: AsyncSession) -> tuple[int, int]:
    mark = await gap_repository.mark(session, gap_repository.LED)
    turns = await gap_repository.turns_after(session, mark.last_turn_id, limit=TURNS)
    noted = 0
    for turn, _ in turns:
        mark.last_turn_id = turn.id
        reason = str(turn.decision.get("reason", ""))
        if reason in _LED:
            noted += await _note(session, turn, LedHow(reason))
    return len(turns), noted


async def _note(session: AsyncSession, turn: Turn, how: LedHow) -> int:
    asked = turn if how is LedHow.ANSWERED else await _offered_before(session, turn)
    given = await rows.answers_after(session, turn.conversation_id, turn.seq)
    if asked is None or len(given) != 1 or not given[0]:
        return 0
    message = await rows.question(session, asked.conversation_id, asked.seq)
    if message is None or message.data.get("masked") or message.data.get("action"):
        return 0
    text = " ".join(message.text.split())
    if not SHORTEST <= len(text) <= LONGEST or not has_words(text):
        return 0
    known = await rows.known(session, asked.conversation_id, asked.seq)
    if known is not None:
        known.answer_id, known.how = given[0], how.value
        return 0
    session.add(
        LedQuestionRow(
            conversation_id=asked.conversation_id,
            seq=asked.seq,
            answer_id=given[0],
            text=text,
            how=how.value,
            asked_at=asked.at,
        )
    )
    await session.flush()
    return 1


async def _offered_before(session: AsyncSession, turn: Turn) -> Turn | None:
    """The turn whose candidates the user chose from."""
    earlier = await gap_repository.turns_until(session, turn.conversation_id, turn.seq - 1, limit=1)
    offered = earlier[0] if earlier else None
    if offered is None or str(offered.decision.get("reason", "")) not in _OFFERED:
        return None
    return offered
