"""Whatever people do to an answer, its versions replay to the row that users are answered from."""

from collections.abc import Awaitable
from dataclasses import replace
from random import Random

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from kb import answer_editing as editing
from kb import answer_repository as rows
from kb import repository
from kb.answer_editing import Done, Step
from kb.answer_text import AnswerText
from kb.answer_versions import article_text
from kb.errors import AnswerChanged, AnswerInvalid, AnswerMissing, AnswerVerbRefused
from kb.tables import Status
from store.session import Database
from tests.kb.samples import NOW
from tests.kb.test_answer_editing import HE, LIANG, TEXT, make

#: Not every verb fits every state; what does not fit must change nothing.
REFUSED = (AnswerVerbRefused, AnswerMissing, AnswerInvalid, AnswerChanged)
VERBS = 30


def act(session: AsyncSession, seen: Done, chance: Random, turn: int) -> Awaitable[Done]:
    """One verb, mostly one that moves things on."""
    mine = Step(seen.article_id, seen.version, HE, NOW, f"第{turn}步")
    theirs = replace(mine, who=LIANG)
    text = replace(TEXT, answer=f"第{turn}版", similar=(f"问法{turn}",))
    match chance.choice(["save", "save", "submit", "approve", "approve", "back", "roll", "drop"]):
        case "save":
            return editing.save(session, mine, text)
        case "submit":
            return editing.submit(session, mine)
        case "approve":
            return editing.approve(session, theirs, allow_own=True)
        case "back":
            return editing.send_back(session, theirs)
        case "roll":
            number = chance.randint(1, turn + 1)
            return editing.roll_back(session, theirs, number, may_publish=chance.random() < 0.5)
        case _:
            return editing.archive(session, theirs)


@pytest.mark.parametrize("seed", range(5))
async def test_versions_replay_to_the_current_row(database: Database, seed: int) -> None:
    chance, done = Random(seed), await make(database)
    for turn in range(1, VERBS):
        try:
            async with database.transaction() as session:
                done = await act(session, done, chance, turn)
        except REFUSED:
            pass
        await check(database, done)


async def check(database: Database, done: Done) -> None:
    async with database.reading() as session:
        work = await rows.work(session, done.article_id)
        article = await repository.article(session, done.article_id)
        versions = {row.number: row for row in await rows.versions(session, done.article_id)}
        assert work is not None
        assert article is not None
        own = await article_text(session, article, owner=work.owner)
    texts = {number: AnswerText.from_json(row.content) for number, row in versions.items()}
    assert sorted(versions) == list(range(1, work.head + 1))
    assert work.version == done.version
    for number, row in versions.items():
        if row.restored_from:
            assert replace(texts[number], owner="") == replace(texts[row.restored_from], owner="")
    assert (work.live is not None) is (article.status == Status.PUBLISHED)
    current = texts[work.live if work.live is not None else work.head]
    if work.live is not None:
        assert versions[work.live].published_at is not None
    if work.live is not None or article.status == Status.DRAFT:
        assert replace(own, owner="") == replace(current, owner="")
