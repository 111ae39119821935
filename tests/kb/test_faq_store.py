"""Question tables in the database: updates in place, drafts, and hostile content."""

from dataclasses import replace

import pytest

from kb.articles import AnswerKind, Corpus
from kb.sections import FaqEntry, FaqTable
from kb.service import StoredFaq, answer_card, load_corpus, store_faq
from store.session import Database
from tests.kb.samples import NOW, make_entry, make_table

TWO = ("打印凭证", "登录门户")


async def _store(
    database: Database, table: FaqTable, *, name: str = "faq.csv", publish: bool = True
) -> StoredFaq:
    async with database.transaction() as session:
        return await store_faq(session, table, source_name=name, publish=publish, now=NOW)


async def _corpus(database: Database) -> Corpus:
    async with database.reading() as session:
        return await load_corpus(session)


async def test_a_table_becomes_articles(database: Database) -> None:
    stored = await _store(database, make_table(TWO))
    assert (stored.entries, stored.created, stored.similar) == (2, 2, 12)
    answer = (await _corpus(database)).answers[0]
    assert answer.ref == "F01"
    assert answer.title == "怎样打印凭证？"
    assert len(answer.questions) == 7
    async with database.reading() as session:
        card = await answer_card(session, answer.answer_id)
    assert card is not None
    assert [step.number for step in card.steps] == ["1.", "2."]
    assert (card.ref, card.source.guide, card.source.file) == ("F01", "常见问题", "faq.csv")


async def test_the_same_table_again_changes_nothing(database: Database) -> None:
    await _store(database, make_table(TWO))
    before = await _corpus(database)
    again = await _store(database, make_table(TWO))
    assert (again.created, again.updated, again.unchanged, again.archived) == (0, 0, 2, 0)
    assert (await _corpus(database)).revision == before.revision


async def test_a_changed_answer_and_a_changed_question_keep_the_answer_id(
    database: Database,
) -> None:
    await _store(database, make_table(TWO))
    ids = [answer.answer_id for answer in (await _corpus(database)).answers]
    first, second = make_table(TWO).entries
    changed = FaqTable(
        "常见问题", (replace(first, answer="新办法。"), replace(second, question="门户登录办法"))
    )
    stored = await _store(database, changed)
    assert (stored.created, stored.updated, stored.archived) == (0, 2, 0)
    corpus = await _corpus(database)
    assert [answer.answer_id for answer in corpus.answers] == ids
    assert corpus.answers[0].text == "新办法。"
    assert corpus.answers[1].title == "门户登录办法"


async def test_an_entry_gone_from_the_table_is_archived_and_can_return(
    database: Database,
) -> None:
    await _store(database, make_table(TWO))
    ids = {answer.answer_id for answer in (await _corpus(database)).answers}
    stored = await _store(database, make_table(TWO[:1]))
    assert stored.archived == 1
    assert len((await _corpus(database)).answers) == 1
    await _store(database, make_table(TWO))
    assert {answer.answer_id for answer in (await _corpus(database)).answers} == ids


async def test_entries_that_share_a_reference_stay_apart(database: Database) -> None:
    table = FaqTable("t", (make_entry("打印凭证", ref="A"), make_entry("登录门户", ref="A")))
    await _store(database, table)
    stored = await _store(database, table)
    assert (stored.created, stored.unchanged) == (0, 2)


async def test_tables_of_different_files_do_not_touch_each_other(database: Database) -> None:
    await _store(database, make_table(TWO), name="a.csv")
    stored = await _store(database, make_table(TWO[:1]), name="b.csv")
    assert (stored.created, stored.archived) == (1, 0)
    assert len((await _corpus(database)).answers) == 3


async def test_an_unpublished_change_waits_beside_the_published_article(
    database: Database,
) -> None:
    await _store(database, make_table(TWO))
    before = await _corpus(database)
    changed = FaqTable("常见问题", tuple(replace(e, answer="改") for e in make_table(TWO).entries))
    draft = await _store(database, changed, publish=False)
    assert (draft.created, draft.archived) == (2, 0)
    assert (await _corpus(database)).revision == before.revision
    again = await _store(database, changed, publish=False)
    assert (again.created, again.unchanged) == (0, 2)
    await _store(database, changed)
    corpus = await _corpus(database)
    assert [answer.answer_id for answer in corpus.answers] == [a.answer_id for a in before.answers]
    assert {answer.text for answer in corpus.answers} == {"改"}


async def test_drafts_are_not_searched_until_published(database: Database) -> None:
    await _store(database, make_table(TWO), publish=False)
    assert (await _corpus(database)).answers == ()
    await _store(database, make_table(TWO))
    assert len((await _corpus(database)).answers) == 2


async def test_an_entry_to_collect_says_so(database: Database) -> None:
    await _store(database, FaqTable("t", (make_entry("登录门户", kind="collect"),)))
    assert (await _corpus(database)).answers[0].kind is AnswerKind.COLLECT


async def test_duplicate_and_blank_questions_are_stored_once_or_not_at_all(
    database: Database,
) -> None:
    entries = (
        FaqEntry("同一问", "旧"),
        FaqEntry("同一问 ", "新", similar=("同一问", "换个说法", "换个说法", " ")),
        FaqEntry("  ", "没有问题"),
    )
    stored = await _store(database, FaqTable("t", entries))
    assert (stored.entries, stored.similar) == (1, 1)
    answer = (await _corpus(database)).answers[0]
    assert (answer.text, answer.questions) == ("新", ("同一问", "换个说法"))


async def test_hostile_text_is_stored_as_text(database: Database) -> None:
    entry = FaqEntry(
        "'; DROP TABLE articles;--\x00", "<script>alert(1)</script>\ud83d", ref="r" * 999
    )
    await _store(database, FaqTable("t" * 999, (entry,)))
    answer = (await _corpus(database)).answers[0]
    assert answer.title == "'; DROP TABLE articles;--"
    assert answer.text == "<script>alert(1)</script>\ufffd"


async def test_an_unknown_kind_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="kind"):
        await _store(database, FaqTable("t", (make_entry("登录门户", kind="kind"),)))


async def test_an_unknown_answer_has_no_card(database: Database) -> None:
    async with database.reading() as session:
        assert await answer_card(session, "0" * 32) is None
