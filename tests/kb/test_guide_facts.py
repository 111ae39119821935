"""What editors say about guides, drafts from sections, and release notes."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import guide_repository, stale_release, stale_repository
from kb.answer_difference import Change
from kb.answer_markup import pictures
from kb.answer_text import AnswerText
from kb.answer_versions import Author
from kb.answers import answer_card, load_corpus, valid_on
from kb.errors import AnswerInvalid, GuideInvalid, GuideMissing
from kb.guide_cover import cover_facts
from kb.guide_difference import paragraph_changes
from kb.guide_draft import draft_of_section
from kb.guide_facts import GuideFacts, set_facts
from kb.guide_sections import section_texts
from kb.guide_store import store_guide
from kb.normalise import Normaliser
from kb.sections import Guide, Paragraph, Section, Table
from kb.stale_release import Known, flag, proposals
from store import audit
from store.session import Database
from tests.kb.samples import NOW, lexicon, make_guide, png
from tests.kb.test_stale import LATER, WEN, keep, open_marks, published

DAY = NOW.date()


async def test_a_guide_answers_only_while_and_where_it_holds(
    database: Database, tmp_path: Path
) -> None:
    stored = await keep(database, make_guide(), tmp_path)
    facts = GuideFacts(
        document_number="财库〔2026〕7号",
        version="V1.2",
        effective_from=DAY,
        effective_until=DAY + timedelta(days=30),
        fiscal_year=2026,
        regions=("荔湾区", "荔湾区", " "),
        audience=("预算单位",),
    )
    async with database.transaction() as session:
        assert await set_facts(session, stored.version_id, facts, WEN, now=NOW)
        assert not await set_facts(session, stored.version_id, facts, WEN, now=NOW)
    async with database.reading() as session:
        answer = (await load_corpus(session)).answers[0]
        card = await answer_card(session, answer.answer_id)
        entries = await audit.entries_of(session, f"guide:{stored.guide_id}")
    assert answer.regions == ("荔湾区",)
    assert answer.is_valid(DAY, "荔湾区")
    assert not answer.is_valid(DAY + timedelta(days=31), "荔湾区")
    assert not answer.is_valid(DAY - timedelta(days=1), None)
    assert not answer.is_valid(DAY, "越秀区")
    assert card is not None
    assert not valid_on(card, DAY + timedelta(days=31))
    assert entries[-1].detail["changed"]["fiscal_year"] == 2026


async def test_the_next_version_keeps_for_whom_it_is_but_no_dates(
    database: Database, tmp_path: Path
) -> None:
    stored = await keep(database, make_guide(), tmp_path)
    facts = GuideFacts(effective_until=DAY, regions=("荔湾区",), audience=("主管部门",))
    async with database.transaction() as session:
        await set_facts(session, stored.version_id, facts, WEN, now=NOW)
    second = await keep(database, make_guide(step="点击“新建”。"), tmp_path, at=LATER)
    async with database.reading() as session:
        version = await guide_repository.version(session, second.version_id)
    assert version is not None
    assert (version.regions, version.audience) == (["荔湾区"], ["主管部门"])
    assert version.effective_until is None


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        (GuideFacts(issued="去年"), "issued"),
        (GuideFacts(issued="2026-13"), "issued"),
        (GuideFacts(fiscal_year=26), "fiscal_year"),
        (
            GuideFacts(effective_from=DAY, effective_until=DAY - timedelta(days=1)),
            "effective_until",
        ),
        (GuideFacts(document_number="号" * 101), "document_number"),
        (GuideFacts(regions=("区" * 101,)), "regions"),
        (GuideFacts(audience=tuple(map(str, range(101)))), "audience"),
    ],
)
def test_senseless_facts_are_refused_by_name(facts: GuideFacts, field: str) -> None:
    with pytest.raises(GuideInvalid) as refused:
        facts.checked()
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("meta", "facts"),
    [
        ({}, GuideFacts()),
        ({"适用年度": "2026年度末、2027年度初"}, GuideFacts()),
        ({"适用年度": "2027年度预算编制"}, GuideFacts(fiscal_year=2027)),
        ({"适用对象": "持卡人、单位财务人员"}, GuideFacts(audience=("持卡人", "单位财务人员"))),
        ({"文号": " 粤财〔2026〕3号 "}, GuideFacts(document_number="粤财〔2026〕3号")),
        ({"施行日期": "2026年3月1日"}, GuideFacts(effective_from=date(2026, 3, 1))),
        ({"失效日期": "2026-02-30", "生效日期": "另行通知"}, GuideFacts()),
        ({"生效日期": "2026-03-01", "失效日期": "2020-01-01"}, GuideFacts()),
        ({"文号": "号" * 900, "适用对象": "、".join("甲" * 200)}, None),
    ],
)
def test_a_cover_tells_what_it_tells(meta: dict[str, str], facts: GuideFacts | None) -> None:
    found = cover_facts(meta)
    assert facts is None or found == facts


async def test_a_cover_is_kept_with_the_version(database: Database, tmp_path: Path) -> None:
    meta = {"适用年度": "2026年度", "适用对象": "预算单位经办人"}
    stored = await keep(database, replace(make_guide(), meta=meta), tmp_path)
    async with database.reading() as session:
        version = await guide_repository.version(session, stored.version_id)
    assert version is not None
    assert (version.fiscal_year, version.audience) == (2026, ["预算单位经办人"])


async def test_facts_of_no_guide_are_refused(database: Database) -> None:
    async with database.transaction() as session:
        with pytest.raises(GuideMissing):
            await set_facts(session, "0" * 32, GuideFacts(), WEN, now=NOW)


async def _draft(database: Database, guide: Guide, tmp_path: Path, heading: str) -> AnswerText:
    async with database.transaction() as session:
        stored = await store_guide(
            session, guide, source_name="a.docx", publish=True, now=NOW, media_dir=tmp_path
        )
        row = await guide_repository.guide(session, stored.guide_id)
        version = await guide_repository.version(session, stored.version_id)
        sections = await guide_repository.sections(session, stored.version_id)
        section = next(one for one in sections if one.heading == heading)
        assert row is not None
        assert version is not None
        found = await guide_repository.passages_of_section(session, section.id)
        return draft_of_section(row, version, section, found)


async def test_a_section_becomes_a_draft_with_steps_and_pictures(
    database: Database, tmp_path: Path
) -> None:
    text = await _draft(database, make_guide(picture=png()), tmp_path, "1.1 录入支付申请")
    assert text.question == "录入支付申请"
    assert text.answer.splitlines()[:2] == ["1. 进入“支付管理”。", "2. 点击“新增”按钮。"]
    assert len(list(pictures(text.answer))) == 1
    assert text.source_title == "支付申请操作指南"
    assert text.checked() == text


async def test_a_section_that_says_nothing_becomes_no_draft(
    database: Database, tmp_path: Path
) -> None:
    child = Section("1.1 送审", "1.1", level=2, blocks=(Paragraph("点击送审。"),))
    guide = Guide("空章", "docx", (Section("1 支付", "1", children=(child,)),))
    with pytest.raises(GuideInvalid):
        await _draft(database, guide, tmp_path, "1 支付")


async def test_a_long_table_is_one_table_again(database: Database, tmp_path: Path) -> None:
    rows = (("字段", "含义"), *((f"字段{n}", f"第{n}个字段的含义说明" * 3) for n in range(60)))
    guide = Guide("长表", "docx", (Section("一、字段", "一", blocks=(Table(rows),)),))
    stored = await keep(database, guide, tmp_path)
    assert stored.passages > 1
    async with database.reading() as session:
        (section,) = await section_texts(session, stored.version_id)
    assert len(section.paragraphs) == len(rows)


PARAGRAPHS = st.lists(st.text("甲乙丙。", max_size=6), max_size=6)


@given(PARAGRAPHS, PARAGRAPHS)
def test_a_difference_joins_back_to_both_texts(old: list[str], new: list[str]) -> None:
    changes = paragraph_changes(old, new)

    def side(left_out: Change) -> list[str]:
        return [
            "".join(piece.text for piece in one.pieces if piece.change is not left_out)
            for one in changes
            if one.change is not left_out
        ]

    assert side(Change.ADDED) == old
    assert side(Change.REMOVED) == new


def test_a_rewritten_paragraph_shows_its_words() -> None:
    (change,) = paragraph_changes(["点击新增按钮，填写金额。"], ["点击新建按钮，填写金额。"])
    assert change.is_rewritten
    assert {piece.change for piece in change.pieces} == set(Change)


def known(name: str, title: str, module: str = "", *similar: str) -> Known:
    return Known(name, title, module, similar)


ANSWERS = (
    known("a", "支付申请送审后怎么撤回", "单位资金支付", "请款单拿回来"),
    known("b", "公务卡怎么还款", "公务卡"),
    known("c", "公务卡额度怎么调", "公务卡"),
    known("d", "门户菜单是空的", "登录管理"),
)
FOLD = Normaliser(lexicon()).text


def test_answers_of_named_functions_are_proposed_and_those_of_the_module_after_them() -> None:
    note = "1. 优化付款申请单的录入\n2. 公务卡模块调整还款流程\n"
    found = proposals(note, ANSWERS, ["支付申请", "公务卡还款", "还款流程"], FOLD)
    assert [one.answer.article_id for one in found] == ["a", "b", "c"]
    assert all(one.is_close for one in found)
    assert found[0].line == "1. 优化付款申请单的录入"


def test_a_name_in_another_way_of_asking_is_less_sure() -> None:
    answers = (*ANSWERS, known("e", "收到实拨资金怎么做", "", "实拨要录支付申请吗"))
    found = proposals("优化支付申请", answers, ["支付申请"], FOLD)
    assert [(one.answer.article_id, one.is_close) for one in found] == [("a", True), ("e", False)]


def test_a_module_alone_proposes_its_answers_as_distant() -> None:
    (found,) = proposals("登录管理：修复若干问题", ANSWERS, [], FOLD)
    assert (found.answer.article_id, found.is_close, found.names) == ("d", False, ("登录管理",))


@pytest.mark.parametrize("note", ["", "\n\n", "修复若干问题", "<script>" * 100, "x" * 60_000])
def test_a_note_that_names_nothing_proposes_nothing(note: str) -> None:
    assert proposals(note, ANSWERS, ["支付申请"], FOLD) == ()


def test_names_that_stand_everywhere_name_nothing() -> None:
    many = tuple(known(str(n), f"支付申请的第{n}个问题") for n in range(100))
    assert proposals("优化支付申请", many, ["支付申请"], FOLD) == ()


async def test_chosen_answers_are_flagged_until_somebody_has_looked(database: Database) -> None:
    article_id = await published(database)
    async with database.transaction() as session:
        await flag(
            session,
            name=" 11月  升级 ",
            note="支付申请录入页改版",
            chosen={article_id: "支付申请录入页改版", "0" * 32: "没有这条"},
            who=WEN,
            now=LATER,
        )
    (mark,) = await open_marks(database, article_id)
    assert (mark.reason, mark.evidence) == ("release_note", "支付申请录入页改版")
    async with database.reading() as session:
        (note,) = await stale_repository.release_notes(session)
    assert (note.name, note.author, note.id) == ("11月 升级", WEN.name, mark.note_id)


@pytest.mark.parametrize(
    "change",
    [{"name": " "}, {"name": "名" * 201}, {"note": ""}, {"note": "x" * 50_001}, {"chosen": {}}],
)
async def test_a_note_without_substance_is_refused(
    database: Database, change: dict[str, object]
) -> None:
    given_ = {"name": "升级", "note": "内容", "chosen": {"0" * 32: "内容"}, **change}
    async with database.transaction() as session:
        with pytest.raises(AnswerInvalid):
            await flag(session, **given_, who=Author("1", "甲"), now=NOW)  # type: ignore[arg-type]


def test_a_note_is_read_to_its_last_allowed_line() -> None:
    lines = ["无关"] * stale_release.MAX_LINES + ["登录管理"]
    assert proposals("\n".join(lines), ANSWERS, [], FOLD) == ()
    assert proposals("\n".join(lines[1:]), ANSWERS, [], FOLD)


def test_date_is_kept_as_said() -> None:
    facts = GuideFacts(issued="2026-03", effective_from=date(2026, 3, 1))
    assert replace(facts, document_number=" 粤财 〔2026〕1号 ").checked().issued == "2026-03"
