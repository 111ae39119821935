"""The verbs on answers, on both databases: review, versions, locks, dates, imports in between."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from kb import answer_editing as editing
from kb import answer_repository as rows
from kb import repository
from kb.answer_editing import Done, Step
from kb.answer_text import AnswerText
from kb.answer_versions import IMPORT, Author, article_text, open_answer
from kb.answer_workflow import AnswerState
from kb.errors import (
    AnswerChanged,
    AnswerInvalid,
    AnswerLocked,
    AnswerMissing,
    AnswerOwnReview,
    AnswerVerbRefused,
)
from kb.service import answer_card, load_corpus, store_faq
from store import audit
from store.session import Database
from tests.kb.samples import NOW, make_table

HE, LIANG = Author("a" * 32, "何编辑"), Author("b" * 32, "梁审核")
TEXT = AnswerText(
    "支付令怎么补打", "1. 打开查询。\n2. 点击补打。", ("补打支付令",), module="集中支付"
)


def step(done: Done, who: Author = HE, *, note: str = "", later: int = 0) -> Step:
    return Step(done.article_id, done.version, who, NOW + timedelta(minutes=later), note)


async def make(database: Database, text: AnswerText = TEXT) -> Done:
    async with database.transaction() as session:
        return await editing.create(session, text, HE, now=NOW)


async def submitted(database: Database) -> Done:
    done = await make(database)
    async with database.transaction() as session:
        return await editing.submit(session, step(done))


async def published(database: Database) -> Done:
    done = await submitted(database)
    async with database.transaction() as session:
        return await editing.approve(session, step(done, LIANG), allow_own=False)


async def save(database: Database, done: Done, answer: str, who: Author = HE) -> Done:
    async with database.transaction() as session:
        return await editing.save(session, step(done, who), replace(TEXT, answer=answer))


async def told(database: Database, article_id: str) -> str | None:
    """What users are shown."""
    async with database.reading() as session:
        card = await answer_card(session, article_id)
    return card.text if card is not None else None


async def test_a_draft_is_shown_to_nobody_until_somebody_else_approves(database: Database) -> None:
    done = await submitted(database)
    assert await told(database, done.article_id) is None
    with pytest.raises(AnswerOwnReview):
        async with database.transaction() as session:
            await editing.approve(session, step(done, HE), allow_own=False)
    async with database.transaction() as session:
        done = await editing.approve(session, step(done, LIANG), allow_own=False)
    assert done.is_live_changed
    assert await told(database, done.article_id) == TEXT.answer
    async with database.reading() as session:
        (answer,) = (await load_corpus(session)).answers
        entries = await audit.entries_of(session, f"answer:{done.article_id}")
    assert answer.questions == (TEXT.question, *TEXT.similar)
    assert [e.action for e in entries] == ["answer.created", "answer.submit", "answer.approve"]
    assert entries[-1].actor == f"staff:{LIANG.id}"


async def test_a_team_of_one_may_approve_its_own_and_it_is_written_down(database: Database) -> None:
    done = await submitted(database)
    async with database.transaction() as session:
        await editing.approve(session, step(done, HE), allow_own=True)
    async with database.reading() as session:
        entries = await audit.entries_of(session, f"answer:{done.article_id}")
    assert entries[-1].detail["own_review"] is True


async def test_who_wrote_any_part_of_what_is_new_does_not_review_it(database: Database) -> None:
    done = await save(database, await published(database), "甲", LIANG)
    done = await save(database, done, "乙", HE)
    async with database.transaction() as session:
        done = await editing.submit(session, step(done))
    with pytest.raises(AnswerOwnReview):
        async with database.transaction() as session:
            await editing.approve(session, step(done, LIANG), allow_own=False)


async def test_users_keep_the_old_version_while_the_new_one_is_in_work(database: Database) -> None:
    first = await published(database)
    done = await save(database, first, "新的说法。")
    assert (done.state, done.number, done.is_live_changed) == (AnswerState.DRAFT, 2, False)
    assert await told(database, done.article_id) == TEXT.answer
    async with database.transaction() as session:
        done = await editing.submit(session, step(done))
        done = await editing.approve(session, step(done, LIANG), allow_own=False)
    assert await told(database, done.article_id) == "新的说法。"


async def test_the_live_version_is_what_the_article_says(database: Database) -> None:
    done = await published(database)
    done = await save(database, done, "二")
    async with database.transaction() as session:
        done = await editing.submit(session, step(done))
        done = await editing.approve(session, step(done, LIANG), allow_own=False)
        done = await editing.roll_back(session, step(done, LIANG), 1, may_publish=True)
    async with database.reading() as session:
        work = await rows.work(session, done.article_id)
        article = await repository.article(session, done.article_id)
        assert work is not None
        assert article is not None
        found = await rows.version(session, done.article_id, work.live or 0)
        assert found is not None
        assert (found.number, found.restored_from) == (3, 1)
        own = await article_text(session, article, owner=work.owner)
        assert AnswerText.from_json(found.content) == replace(own, owner=work.owner)
        numbers = [row.number for row in await rows.versions(session, done.article_id)]
    assert numbers == [3, 2, 1]


async def test_rolling_back_to_what_was_never_reviewed_goes_through_review(
    database: Database,
) -> None:
    done = await save(database, await published(database), "没有人看过")
    done = await save(database, done, "也没有")
    async with database.transaction() as session:
        done = await editing.roll_back(session, step(done, LIANG), 2, may_publish=True)
    assert done.state is AnswerState.DRAFT
    assert await told(database, done.article_id) == TEXT.answer


async def test_an_editor_rolls_back_into_a_draft(database: Database) -> None:
    done = await published(database)
    async with database.transaction() as session:
        done = await editing.roll_back(session, step(done), 1, may_publish=False)
    assert done.state is AnswerState.DRAFT
    with pytest.raises(AnswerMissing):
        async with database.transaction() as session:
            await editing.roll_back(session, step(done), 99, may_publish=False)


async def test_the_second_of_two_who_saw_the_same_version_is_refused(database: Database) -> None:
    done = await make(database)
    outcomes = await asyncio.gather(
        save(database, done, "甲"), save(database, done, "乙"), return_exceptions=True
    )
    refused = [one for one in outcomes if isinstance(one, AnswerChanged)]
    assert len(refused) == 1
    assert (refused[0].seen, refused[0].found) == (1, 2)


async def test_sending_back_needs_words_and_the_author_reads_them(database: Database) -> None:
    done = await submitted(database)
    with pytest.raises(AnswerInvalid):
        async with database.transaction() as session:
            await editing.send_back(session, step(done, LIANG, note="  "))
    async with database.transaction() as session:
        back = await editing.send_back(session, step(done, LIANG, note="请补截图"))
    assert back.state is AnswerState.DRAFT
    async with database.reading() as session:
        (comment,) = await rows.comments(session, done.article_id)
    assert (comment.author, comment.text, comment.number) == ("梁审核", "请补截图", 1)


async def test_in_review_nothing_is_changed_under_the_reviewers_eyes(database: Database) -> None:
    done = await submitted(database)
    with pytest.raises(AnswerVerbRefused):
        await save(database, done, "偷偷改")
    async with database.transaction() as session:
        done = await editing.withdraw(session, step(done))
    assert (await save(database, done, "公开改")).number == 2


async def test_a_lock_holds_expires_and_can_be_taken_over(database: Database) -> None:
    done = await make(database)
    async with database.transaction() as session:
        await editing.lock(session, step(done, HE))
    with pytest.raises(AnswerLocked) as locked:
        async with database.transaction() as session:
            await editing.lock(session, step(done, LIANG, later=9))
    assert (locked.value.by, locked.value.since) == ("何编辑", NOW)
    with pytest.raises(AnswerLocked):
        await save(database, done, "挤进来", LIANG)
    async with database.transaction() as session:
        await editing.lock(session, step(done, LIANG, later=9), take_over=True)
    with pytest.raises(AnswerLocked):
        await save(database, done, "被接管了", HE)
    async with database.transaction() as session:
        await editing.lock(session, step(done, HE, later=25))
        entries = await audit.entries_of(session, f"answer:{done.article_id}")
    assert [e.action for e in entries][-1] == "answer.lock_taken_over"
    async with database.transaction() as session:
        await editing.release(session, step(done, HE, later=26))
    assert (await save(database, done, "现在可以", LIANG)).number == 2


async def test_a_date_publishes_once_however_often_it_is_asked(database: Database) -> None:
    done = await submitted(database)
    at = NOW + timedelta(hours=2)
    async with database.transaction() as session:
        done = await editing.approve(session, step(done, LIANG), allow_own=False, publish_at=at)
    assert done.state is AnswerState.SCHEDULED
    async with database.transaction() as session:
        assert await editing.due(session, now=at - timedelta(seconds=1)) == []
    assert await told(database, done.article_id) is None

    async def due() -> int:
        async with database.transaction() as session:
            return len(await editing.publish_due(session, await editing.due(session, now=at)))

    assert sorted(await asyncio.gather(due(), due())) == [0, 1]
    assert await due() == 0
    assert await told(database, done.article_id) == TEXT.answer


async def test_archived_answers_are_not_shown_and_come_back(database: Database) -> None:
    done = await save(database, await published(database), "草稿")
    async with database.transaction() as session:
        done = await editing.archive(session, step(done))
    assert done.is_live_changed
    assert await told(database, done.article_id) is None
    async with database.transaction() as session:
        opened = await open_answer(session, done.article_id, now=NOW)
        assert opened.work.head == 2
        done = await editing.roll_back(session, step(done, LIANG), 1, may_publish=True)
    assert await told(database, done.article_id) == TEXT.answer


async def test_an_imported_answer_has_a_first_version_and_a_new_import_another(
    database: Database,
) -> None:
    async with database.transaction() as session:
        await store_faq(
            session, make_table(("打印凭证",)), source_name="a.csv", publish=True, now=NOW
        )
        (answer,) = (await load_corpus(session)).answers
        opened = await open_answer(session, answer.answer_id, now=NOW)
        assert (opened.work.head, opened.work.live, opened.work.state) == (1, 1, "published")
        done = Done(answer.answer_id, opened.work.version, 1, AnswerState.PUBLISHED, False)
        mine = replace(opened.text, answer="我改的。", category="")
        done = await editing.save(session, step(done), mine)
    table = make_table(("打印凭证",))
    table = replace(table, entries=tuple(replace(e, answer="新表。") for e in table.entries))
    async with database.transaction() as session:
        await store_faq(session, table, source_name="a.csv", publish=True, now=NOW)
    async with database.transaction() as session:
        opened = await open_answer(session, answer.answer_id, now=NOW)
        versions = await rows.versions(session, answer.answer_id)
    assert opened.text.answer == "我改的。"
    assert (opened.work.state, opened.work.live) == ("draft", 3)
    assert [row.author_id for row in versions] == [HE.id, IMPORT.id, HE.id, IMPORT.id]
    assert await told(database, answer.answer_id) == "新表。"


@pytest.mark.parametrize(
    ("change", "name", "reason"),
    [
        ({"question": " \x00"}, "question", "empty"),
        ({"answer": ""}, "answer", "empty"),
        ({"question": "问" * 501}, "question", "too_long"),
        ({"answer": "答" * 50_001}, "answer", "too_long"),
        ({"similar": ("问" * 501,)}, "similar", "too_long"),
        ({"similar": tuple(map(str, range(301)))}, "similar", "too_many"),
        ({"regions": tuple(map(str, range(101)))}, "regions", "too_many"),
        ({"module": "模" * 201}, "module", "too_long"),
        ({"category": "类" * 33}, "category", "too_long"),
        (
            {"valid_from": NOW.date(), "valid_until": NOW.date() - timedelta(days=1)},
            "valid_until",
            "before_start",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused_by_field(
    change: dict[str, object], name: str, reason: str
) -> None:
    with pytest.raises(AnswerInvalid) as refused:
        replace(TEXT, **change).checked()  # type: ignore[arg-type]
    assert (refused.value.field, refused.value.reason) == (name, reason)


async def test_hostile_text_is_kept_as_it_was_written(database: Database) -> None:
    hostile = replace(TEXT, answer="<script>alert(1)</script>\ud800\x00'; DROP TABLE articles")
    done = await make(database, hostile)
    async with database.transaction() as session:
        opened = await open_answer(session, done.article_id, now=NOW)
    assert opened.text.answer == "<script>alert(1)</script>\ufffd'; DROP TABLE articles"
    assert AnswerText.from_json(opened.text.to_json()) == opened.text


async def test_the_list_is_paged_by_key_and_narrowed(database: Database) -> None:
    for number in range(5):
        await make(database, replace(TEXT, question=f"问题{number}", module=f"模块{number % 2}"))
    seen: list[str] = []
    async with database.reading() as session:
        after = None
        while found := await rows.listed(session, rows.Wanted(after=after, limit=2)):
            seen += [article.question for article, _ in found]
            article, work = found[-1]
            after = (work.updated_at if work else article.updated_at, article.id)
        assert sorted(seen) == [f"问题{n}" for n in range(5)]
        one = await rows.listed(session, rows.Wanted(module="模块1", text="问题3", state="draft"))
        assert [article.question for article, _ in one] == ["问题3"]
        assert await rows.listed(session, rows.Wanted(text="100%_")) == []
        assert await rows.counts(session) == {"draft": 5}
        assert list(await rows.modules(session)) == ["模块0", "模块1"]
        assert list(await rows.owners(session)) == ["何编辑"]
