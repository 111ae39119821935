"""Doubts about answers: a guide's new version raises them, new words or a person settle them."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kb import answer_editing as editing
from kb import answer_repository, guide_repository, stale, stale_repository
from kb.answer_editing import Step
from kb.answer_repository import Wanted
from kb.answer_text import AnswerText
from kb.answer_versions import Author
from kb.answers import answer_card
from kb.errors import AnswerInvalid, GuideMissing
from kb.guide_store import StoredGuide, publish_version, store_guide, withdraw_version
from kb.sections import Guide, Paragraph, Section
from kb.sections import Step as GuideStep
from kb.stale import Cleared, StaleReason
from kb.stale_tables import StaleMarkRow
from kb.tables import GuideVersionRow
from store import audit
from store.session import Database
from tests.kb.samples import NOW, make_guide

WEN, LI = Author("1" * 32, "温编辑"), Author("2" * 32, "李审核")
LATER = NOW + timedelta(days=1)
ENTER = "1.1 录入支付申请"


async def keep(
    database: Database,
    guide: Guide,
    tmp_path: Path,
    *,
    at: datetime = NOW,
    publish: bool = True,
    name: str = "指南.docx",
) -> StoredGuide:
    async with database.transaction() as session:
        return await store_guide(
            session, guide, source_name=name, publish=publish, now=at, media_dir=tmp_path / "m"
        )


async def section_id(database: Database, stored: StoredGuide, heading: str) -> str:
    async with database.reading() as session:
        found = await guide_repository.sections(session, stored.version_id)
    return next(one.id for one in found if one.heading == heading)


async def published(database: Database, *, at: datetime = NOW, **fields: str | None) -> str:
    """An answer by one person, approved by another."""
    text = AnswerText("支付申请怎么录入", "进入支付管理，点击新增。", **fields)  # type: ignore[arg-type]
    async with database.transaction() as session:
        done = await editing.create(session, text, WEN, now=at)
        done = await editing.submit(session, Step(done.article_id, done.version, WEN, at))
        step = Step(done.article_id, done.version, LI, at)
        return (await editing.approve(session, step, allow_own=False)).article_id


async def rewrite(database: Database, article_id: str, answer: str, at: datetime) -> None:
    async with database.transaction() as session:
        work = await answer_repository.work(session, article_id)
        assert work is not None
        head = await answer_repository.version(session, article_id, work.head)
        assert head is not None
        text = replace(AnswerText.from_json(head.content), answer=answer)
        done = await editing.save(session, Step(article_id, work.version, WEN, at), text)
        done = await editing.submit(session, Step(article_id, done.version, WEN, at))
        await editing.approve(session, Step(article_id, done.version, LI, at), allow_own=False)


async def open_marks(database: Database, article_id: str) -> list[StaleMarkRow]:
    async with database.reading() as session:
        return list(await stale_repository.marks(session, article_id))


async def reasons(database: Database, article_id: str) -> list[str]:
    return [one.reason for one in await open_marks(database, article_id)]


async def drawn(database: Database, tmp_path: Path) -> tuple[str, StoredGuide]:
    """An answer from section 1.1 of a published guide."""
    stored = await keep(database, make_guide(), tmp_path)
    source = await section_id(database, stored, ENTER)
    return await published(database, source_section_id=source), stored


async def test_a_changed_section_puts_its_answers_in_doubt(
    database: Database, tmp_path: Path
) -> None:
    article_id, first = await drawn(database, tmp_path)
    other = await published(
        database, source_section_id=await section_id(database, first, "1.2 字段说明")
    )
    second = await keep(database, make_guide(step="点击“新建”。"), tmp_path, at=LATER)
    (mark,) = await open_marks(database, article_id)
    assert (mark.reason, mark.evidence, mark.since) == ("section_changed", ENTER, LATER)
    assert mark.guide_id == first.guide_id
    assert mark.old_section_id == await section_id(database, first, ENTER)
    assert mark.new_section_id == await section_id(database, second, ENTER)
    assert await reasons(database, other) == []
    async with database.reading() as session:
        assert await stale_repository.count_doubted(session) == 1
        found = await answer_repository.listed(session, Wanted(stale=True))
        assert [article.id for article, _ in found] == [article_id]
        card = await answer_card(session, article_id)
        (guide,) = await guide_repository.listed(session, "支付")
    assert guide.stale == 1
    assert card is not None
    assert card.source.section_path.endswith(ENTER)


async def test_a_draft_of_a_guide_raises_no_doubt_until_it_answers(
    database: Database, tmp_path: Path
) -> None:
    article_id, _ = await drawn(database, tmp_path)
    changed = make_guide(step="点击“新建”。")
    stored = await keep(database, changed, tmp_path, at=LATER, publish=False)
    assert await reasons(database, article_id) == []
    async with database.transaction() as session:
        version = await session.get(GuideVersionRow, stored.version_id)
        assert version is not None
        assert await publish_version(session, version, now=LATER) == 1
        assert await publish_version(session, version, now=LATER) == 0
    assert await reasons(database, article_id) == ["section_changed"]


async def test_a_moved_section_takes_its_answers_along(database: Database, tmp_path: Path) -> None:
    article_id, _ = await drawn(database, tmp_path)
    guide = make_guide()
    chapter = guide.sections[0]
    first, *rest = chapter.children
    moved = replace(first, heading="1.3 录入支付申请", number="1.3")
    chapter = replace(chapter, children=(*rest, moved))
    await keep(database, replace(guide, sections=(chapter,), version="V2"), tmp_path, at=LATER)
    assert await reasons(database, article_id) == []
    async with database.reading() as session:
        card = await answer_card(session, article_id)
    assert card is not None
    assert (card.source.section[-1], card.source.version) == ("1.3 录入支付申请", "V2")


async def test_a_vanished_section_is_missed_once(database: Database, tmp_path: Path) -> None:
    article_id, _ = await drawn(database, tmp_path)
    other = Section("9 附录", "9", blocks=(Paragraph("联系电话与办公时间见门户首页公告栏。"),))
    gone = replace(make_guide(), sections=(other,))
    await keep(database, gone, tmp_path, at=LATER)
    assert await reasons(database, article_id) == ["section_vanished"]
    await rewrite(database, article_id, "改为线下办理。", LATER + timedelta(hours=1))
    assert await reasons(database, article_id) == []
    third = replace(gone, version="V3")
    await keep(database, third, tmp_path, at=LATER + timedelta(days=1))
    assert await reasons(database, article_id) == []


async def test_a_split_section_is_told_apart(database: Database, tmp_path: Path) -> None:
    one, two = "进入支付管理，点击新增并填写收款人。", "勾选支付申请，点击送审并等待审核结果。"

    def guide(*sections: Section) -> Guide:
        return Guide("拆分指南", "docx", sections)

    whole = Section("一、录入和送审", "一", blocks=(Paragraph(one), Paragraph(two)))
    stored = await keep(database, guide(whole), tmp_path)
    source = await section_id(database, stored, "一、录入和送审")
    article_id = await published(database, source_section_id=source)
    parts = (
        Section("一、录入", "一", blocks=(Paragraph(one),)),
        Section("二、送审", "二", blocks=(Paragraph(two),)),
    )
    await keep(database, guide(*parts), tmp_path, at=LATER)
    assert await reasons(database, article_id) == ["section_split"]


async def test_new_words_settle_it_and_going_back_opens_it_again(
    database: Database, tmp_path: Path
) -> None:
    article_id, _ = await drawn(database, tmp_path)
    await keep(database, make_guide(step="点击“新建”。"), tmp_path, at=LATER)
    await rewrite(database, article_id, "进入支付管理，点击新建。", LATER + timedelta(hours=1))
    assert await reasons(database, article_id) == []
    async with database.transaction() as session:
        work = await answer_repository.work(session, article_id)
        assert work is not None
        step = Step(article_id, work.version, LI, LATER + timedelta(hours=2))
        await editing.roll_back(session, step, 1, may_publish=True)
    assert await reasons(database, article_id) == ["section_changed"]
    async with database.reading() as session:
        entries = await audit.entries_of(session, f"answer:{article_id}")
    actions = [one.action for one in entries if "stale" in one.action]
    assert actions == ["answer.stale_settled", "answer.stale_again"]


async def test_words_written_before_the_change_settle_nothing(
    database: Database, tmp_path: Path
) -> None:
    """A draft from before the new version, approved after it."""
    article_id, _ = await drawn(database, tmp_path)
    async with database.transaction() as session:
        work = await answer_repository.work(session, article_id)
        assert work is not None
        text = AnswerText("支付申请怎么录入", "旧办法的新写法。")
        done = await editing.save(session, Step(article_id, work.version, WEN, NOW), text)
        done = await editing.submit(session, Step(article_id, done.version, WEN, NOW))
    await keep(database, make_guide(step="点击“新建”。"), tmp_path, at=LATER)
    async with database.transaction() as session:
        step = Step(article_id, done.version, LI, LATER + timedelta(hours=1))
        await editing.approve(session, step, allow_own=False)
    assert await reasons(database, article_id) == ["section_changed"]


async def test_a_person_may_say_that_it_is_still_right(database: Database, tmp_path: Path) -> None:
    article_id, _ = await drawn(database, tmp_path)
    await keep(database, make_guide(step="点击“新建”。"), tmp_path, at=LATER)
    async with database.transaction() as session:
        with pytest.raises(AnswerInvalid):
            await stale.still_right(session, article_id, LI, "x" * 2_001, now=LATER)
        assert await stale.still_right(session, article_id, LI, "按钮改名而已", now=LATER) == 1
        assert await stale.still_right(session, article_id, LI, "", now=LATER) == 0
    async with database.reading() as session:
        (mark,) = await stale_repository.marks(session, article_id, only_open=False)
        assert (mark.cleared_how, mark.cleared_by) == (Cleared.STILL_RIGHT, LI.name)
        entries = await audit.entries_of(session, f"answer:{article_id}")
    assert entries[-1].action == "answer.still_right"
    assert entries[-1].detail["note"] == "按钮改名而已"
    third = replace(make_guide(step="点击“新建”。"), version="V3")
    await keep(database, third, tmp_path, at=LATER + timedelta(days=1))
    assert await reasons(database, article_id) == []


async def test_a_guide_back_at_its_old_words_leaves_no_doubt(
    database: Database, tmp_path: Path
) -> None:
    article_id, first = await drawn(database, tmp_path)
    await keep(database, make_guide(step="点击“新建”。"), tmp_path, at=LATER)
    async with database.transaction() as session:
        version = await session.get(GuideVersionRow, first.version_id)
        assert version is not None
        await publish_version(session, version, now=LATER + timedelta(hours=1))
    assert await reasons(database, article_id) == []
    async with database.reading() as session:
        (mark,) = await stale_repository.marks(session, article_id, only_open=False)
    assert mark.cleared_how == Cleared.RESTORED


async def test_a_withdrawn_guide_puts_its_answers_in_doubt(
    database: Database, tmp_path: Path
) -> None:
    article_id, stored = await drawn(database, tmp_path)
    async with database.transaction() as session:
        version = await session.get(GuideVersionRow, stored.version_id)
        assert version is not None
        assert await withdraw_version(session, version, now=LATER) == 1
        assert await withdraw_version(session, version, now=LATER) == 0
    assert await reasons(database, article_id) == [StaleReason.GUIDE_WITHDRAWN]
    async with database.transaction() as session:
        version = await session.get(GuideVersionRow, stored.version_id)
        assert version is not None
        await publish_version(session, version, now=LATER + timedelta(hours=1))
    assert await reasons(database, article_id) == []


@pytest.mark.parametrize(
    ("source", "stale_after"),
    [
        ("支付申请操作指南 > 录入支付申请", True),
        ("《支付申请操作指南》1.1节", True),
        ("支付申请操作指南 字段说明", False),
        ("票据操作指南 录入支付申请", False),
        ("", False),
    ],
)
async def test_a_source_that_is_only_a_line_of_text_is_resolved(
    database: Database, tmp_path: Path, source: str, stale_after: bool
) -> None:
    await keep(database, make_guide(), tmp_path)
    article_id = await published(database, source_title=source)
    await keep(database, make_guide(step="点击“新建”。"), tmp_path, at=LATER)
    assert bool(await reasons(database, article_id)) == stale_after


async def test_a_chosen_guide_gets_the_version_whatever_the_file_is_called(
    database: Database, tmp_path: Path
) -> None:
    stored = await keep(database, make_guide(), tmp_path)
    other = make_guide(title="完全不同的标题", step="点击“登记”。")
    async with database.transaction() as session:
        again = await store_guide(
            session,
            other,
            source_name="别的名字.pdf",
            publish=True,
            now=LATER,
            media_dir=tmp_path,
            guide_id=stored.guide_id,
        )
        assert again.guide_id == stored.guide_id
        versions = await guide_repository.versions(session, stored.guide_id)
        assert [one.number for one in versions] == [2, 1]
        with pytest.raises(GuideMissing):
            await store_guide(
                session,
                make_guide(step="没有"),
                source_name="x.docx",
                publish=False,
                now=LATER,
                media_dir=tmp_path,
                guide_id="0" * 32,
            )


async def test_version_marks_in_the_title_do_not_make_another_guide(
    database: Database, tmp_path: Path
) -> None:
    first = await keep(database, make_guide(title="支付操作手册V1.0"), tmp_path)
    changed = make_guide(title="支付操作手册V2.0", step="点击“新建”。")
    second = await keep(database, changed, tmp_path, name="指南V2.docx")
    assert second.guide_id == first.guide_id


async def test_steps_are_compared_with_their_numbers(database: Database, tmp_path: Path) -> None:
    def guide(number: str) -> Guide:
        steps = (GuideStep(number, "点击送审按钮并确认提示信息。"),)
        return Guide("步骤指南", "docx", (Section("一、送审", "一", blocks=steps),))

    stored = await keep(database, guide("1."), tmp_path)
    source = await section_id(database, stored, "一、送审")
    article_id = await published(database, source_section_id=source)
    await keep(database, guide("2."), tmp_path, at=LATER)
    assert await reasons(database, article_id) == ["section_changed"]
