"""Guides in the database: versions, answer ids, pictures, and hostile content."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from kb.sections import Guide, Paragraph, Section
from kb.service import StoredAs, StoredGuide, answer_card, load_corpus, store_guide
from store.session import Database
from tests.kb.samples import NOW, make_guide, png


async def _store(
    database: Database,
    guide: Guide,
    tmp_path: Path,
    *,
    name: str = "指南.docx",
    publish: bool = True,
) -> StoredGuide:
    async with database.transaction() as session:
        return await store_guide(
            session, guide, source_name=name, publish=publish, now=NOW, media_dir=tmp_path / "media"
        )


async def test_a_guide_is_stored_with_sections_passages_and_pictures(
    database: Database, tmp_path: Path
) -> None:
    picture = png()
    stored = await _store(database, make_guide(picture=picture), tmp_path)
    assert (stored.stored_as, stored.published) == (StoredAs.CREATED, True)
    assert (stored.sections, stored.images, stored.tables) == (3, 1, 1)
    assert stored.passages > 0
    sha256 = hashlib.sha256(picture).hexdigest()
    assert (tmp_path / "media" / sha256[:2] / f"{sha256}.png").read_bytes() == picture


async def test_an_answer_card_shows_steps_pictures_and_the_source(
    database: Database, tmp_path: Path
) -> None:
    await _store(database, make_guide(picture=png()), tmp_path)
    async with database.reading() as session:
        corpus = await load_corpus(session)
        found = next(answer for answer in corpus.passages if "新增" in answer.text)
        card = await answer_card(session, found.answer_id)
    assert card is not None
    assert [step.text for step in card.steps] == ["进入“支付管理”。", "点击“新增”按钮。"]
    assert [image.caption for image in card.images] == ["新增按钮"]
    assert card.source.guide == "支付申请操作指南"
    assert card.source.section_path == "1 支付申请 > 1.1 录入支付申请"
    assert (card.source.version, card.source.file, card.source.page) == ("V1.2", "指南.docx", 3)


async def test_the_same_guide_again_changes_nothing(database: Database, tmp_path: Path) -> None:
    first = await _store(database, make_guide(), tmp_path)
    again = await _store(database, make_guide(), tmp_path, name="换了名字.docx")
    assert again.stored_as is StoredAs.UNCHANGED
    assert again.version_id == first.version_id
    async with database.reading() as session:
        assert len((await load_corpus(session)).answers) == first.passages


async def test_a_new_version_replaces_the_old_and_keeps_answer_ids(
    database: Database, tmp_path: Path
) -> None:
    await _store(database, make_guide(), tmp_path, name="指南V1.0.docx")
    async with database.reading() as session:
        before = {a.title: a.answer_id for a in (await load_corpus(session)).answers}
    changed = make_guide(step="点击“新建”按钮。")
    stored = await _store(database, changed, tmp_path, name="指南V1.1（修订）.docx")
    assert stored.stored_as is StoredAs.UPDATED
    async with database.reading() as session:
        corpus = await load_corpus(session)
    assert {a.title: a.answer_id for a in corpus.answers} == before
    assert any("新建" in answer.text for answer in corpus.answers)
    assert not any("新增" in answer.text for answer in corpus.answers)


async def test_guides_with_the_same_title_but_other_files_stay_apart(
    database: Database, tmp_path: Path
) -> None:
    first = await _store(database, make_guide(title="操作手册"), tmp_path, name="支付.docx")
    other = make_guide(title="操作手册", step="点击“登记”。")
    second = await _store(database, other, tmp_path, name="票据.docx")
    assert second.stored_as is StoredAs.CREATED
    assert second.guide_id != first.guide_id


async def test_a_draft_is_never_searched_or_shown(database: Database, tmp_path: Path) -> None:
    await _store(database, make_guide(), tmp_path, publish=False)
    async with database.reading() as session:
        assert (await load_corpus(session)).answers == ()
    published = await _store(database, make_guide(), tmp_path)
    assert (published.stored_as, published.published) == (StoredAs.UNCHANGED, True)
    async with database.reading() as session:
        assert (await load_corpus(session)).answers != ()


async def test_a_draft_of_a_published_guide_leaves_the_published_version_alone(
    database: Database, tmp_path: Path
) -> None:
    await _store(database, make_guide(), tmp_path)
    await _store(database, make_guide(step="点击“新建”按钮。"), tmp_path, publish=False)
    async with database.reading() as session:
        texts = [answer.text for answer in (await load_corpus(session)).answers]
    assert any("新增" in text for text in texts)
    assert not any("新建" in text for text in texts)


async def test_characters_that_no_database_takes_are_left_out(
    database: Database, tmp_path: Path
) -> None:
    section = Section(heading="一\x00、登录", blocks=(Paragraph("点\x00击\ud800登录"),))
    guide = Guide(title="怪\x00字", fmt="md", sections=(section,))
    await _store(database, guide, tmp_path)
    async with database.reading() as session:
        answer = (await load_corpus(session)).answers[0]
        card = await answer_card(session, answer.answer_id)
    assert card is not None
    assert card.text == "点击\ufffd登录"
    assert card.source.guide == "怪字"


async def test_overlong_titles_and_numbers_are_cut(database: Database, tmp_path: Path) -> None:
    guide = make_guide(title="长" * 2_000)
    section = replace(guide.sections[0], number="9" * 500, heading="标题" * 2_000)
    await _store(database, replace(guide, sections=(section,), version="v" * 999), tmp_path)
    async with database.reading() as session:
        assert (await load_corpus(session)).answers[0].source.guide == "长" * 500


async def test_bytes_that_do_not_match_their_hash_are_refused(
    database: Database, tmp_path: Path
) -> None:
    guide = replace(make_guide(), images={"../../etc/passwd": b"x"})
    with pytest.raises(ValueError, match="hash"):
        await _store(database, guide, tmp_path)
    async with database.reading() as session:
        assert (await load_corpus(session)).answers == ()


async def test_lost_media_files_come_back_with_the_next_import(
    database: Database, tmp_path: Path
) -> None:
    picture = png()
    guide = make_guide(picture=picture)
    await _store(database, guide, tmp_path)
    sha256 = hashlib.sha256(picture).hexdigest()
    path = tmp_path / "media" / sha256[:2] / f"{sha256}.png"
    path.unlink()
    await _store(database, guide, tmp_path)
    assert path.read_bytes() == picture
