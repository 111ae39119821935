"""Comparing before the transaction finds the same as inside it, and what came up in between."""

from datetime import timedelta
from pathlib import Path

import pytest

from kb import answer_editing as editing
from kb import guide_repository, stale, stale_ahead, stale_repository
from kb.answer_editing import Step
from kb.answer_text import AnswerText
from kb.answer_versions import Author
from kb.guide_store import StoredGuide, publish_version, store_guide
from kb.section_matching import SectionMatch, SectionText
from kb.stale_ahead import Ahead, gather, reckon
from store.session import Database
from tests.kb.samples import NOW, make_guide

WEN, LI = Author("1" * 32, "温编辑"), Author("2" * 32, "李审核")
LATER = NOW + timedelta(days=1)
ENTER = "1.1 录入支付申请"


async def keep(database: Database, step: str, tmp_path: Path, *, publish: bool) -> StoredGuide:
    async with database.transaction() as session:
        return await store_guide(
            session,
            make_guide(step=step),
            source_name="指南.docx",
            publish=publish,
            now=NOW,
            media_dir=tmp_path / "m",
        )


async def answer(database: Database, **fields: str | None) -> str:
    text = AnswerText("支付申请怎么录入", "进入支付管理，点击新增。", **fields)  # type: ignore[arg-type]
    async with database.transaction() as session:
        done = await editing.create(session, text, WEN, now=NOW)
        done = await editing.submit(session, Step(done.article_id, done.version, WEN, NOW))
        step = Step(done.article_id, done.version, LI, NOW)
        return (await editing.approve(session, step, allow_own=False)).article_id


async def entering(database: Database, stored: StoredGuide) -> str:
    async with database.reading() as session:
        found = await guide_repository.sections(session, stored.version_id)
    return next(one.id for one in found if one.heading == ENTER)


async def reckoned(database: Database, stored: StoredGuide) -> Ahead:
    async with database.reading() as session:
        version = await guide_repository.version(session, stored.version_id)
        assert version is not None
        return reckon(await gather(session, version))


async def publish(database: Database, stored: StoredGuide, ahead: Ahead | None) -> int:
    async with database.transaction() as session:
        version = await guide_repository.version(session, stored.version_id)
        assert version is not None
        return await publish_version(session, version, now=LATER, ahead=ahead)


def refuse(_old: tuple[SectionText, ...], _new: tuple[SectionText, ...]) -> dict[str, SectionMatch]:
    raise AssertionError("compared inside the transaction")


async def test_nothing_is_compared_inside_the_transaction(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await keep(database, "点击“新增”按钮。", tmp_path, publish=True)
    drawn = await answer(database, source_section_id=await entering(database, first))
    named = await answer(database, source_title=f"支付申请操作指南 {ENTER}")
    second = await keep(database, "点击“新建”按钮。", tmp_path, publish=False)
    ahead = await reckoned(database, second)
    monkeypatch.setattr(stale, "fates_of", refuse)
    monkeypatch.setattr(stale, "find_sections", refuse)
    assert await publish(database, second, ahead) == 2
    async with database.reading() as session:
        assert await stale_repository.doubted(session, [drawn, named]) == {drawn, named}


async def test_what_came_up_in_between_is_compared_all_the_same(
    database: Database, tmp_path: Path
) -> None:
    first = await keep(database, "点击“新增”按钮。", tmp_path, publish=True)
    second = await keep(database, "点击“新建”按钮。", tmp_path, publish=False)
    ahead = await reckoned(database, second)
    assert not ahead.found
    drawn = await answer(database, source_section_id=await entering(database, first))
    named = await answer(database, source_title=f"支付申请操作指南 {ENTER}")
    assert await publish(database, second, ahead) == 2
    async with database.reading() as session:
        assert await stale_repository.doubted(session, [drawn, named]) == {drawn, named}


async def test_an_answer_rewritten_in_between_is_found_by_its_new_words(
    database: Database, tmp_path: Path
) -> None:
    await keep(database, "点击“新增”按钮。", tmp_path, publish=True)
    named = await answer(database, source_title="支付申请操作指南 别的章节")
    second = await keep(database, "点击“新建”按钮。", tmp_path, publish=False)
    ahead = await reckoned(database, second)
    async with database.transaction() as session:
        opened = await editing.open_answer(session, named, now=NOW)
        opened.article.source_title = f"支付申请操作指南 {ENTER}"
    assert await publish(database, second, ahead) == 1


async def test_with_and_without_it_the_same_is_found(database: Database, tmp_path: Path) -> None:
    first = await keep(database, "点击“新增”按钮。", tmp_path, publish=True)
    await answer(database, source_section_id=await entering(database, first))
    second = await keep(database, "点击“新建”按钮。", tmp_path, publish=False)
    ahead = await reckoned(database, second)
    async with database.reading() as session:
        version = await guide_repository.version(session, second.version_id)
        assert version is not None
        again = stale_ahead.reckon(await gather(session, version))
    assert again == ahead
    assert [key[1] for key in ahead.fates] == [second.version_id]
