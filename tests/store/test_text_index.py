"""Words in texts, found on real databases exactly where they stand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from bot.tables import MESSAGE_WORDS
from store.session import Database
from store.text_index import MAX_RUNS, Refusal, TextIndex, Words, excerpt, fold, parse

TEXTS = (
    "支付申请送审后怎么撤回",
    "UKey插上没有反应，换了ＵＳＢ口也不行",
    "电子票据冲红，原票号 0441-2026",
    "先冲。红字发票再说",
    "a" * 3_000 + "末尾的词",
    "",
    "，。！",
)


@pytest.fixture
async def indexed(database: Database) -> Database:
    async with database.transaction() as session:
        await MESSAGE_WORDS.add_many(session, enumerate(TEXTS, start=1))
    return database


async def found(database: Database, query: str, before: int | None = None) -> list[int]:
    words = parse(query)
    assert isinstance(words, Words)
    async with database.reading() as session:
        return list(await MESSAGE_WORDS.newest(session, words, before=before, most=10))


FINDS: tuple[tuple[str, list[int]], ...] = (
    ("支付", [1]),
    ("ukey", [2]),
    ("UKEY 反应", [2]),
    ("usb", [2]),
    ("冲红", [3]),
    ("0441-2026", [3]),
    ("44", [3]),
    ("撤回 冲红", []),
    ("末尾的词", [5]),
    ("aaaa", [5]),
    ("撤销", []),
)


async def test_words_are_found_where_they_stand(indexed: Database) -> None:
    for query, rows in FINDS:
        assert await found(indexed, query) == rows, query


async def test_the_newest_first_below_a_mark(indexed: Database) -> None:
    async with indexed.transaction() as session:
        await MESSAGE_WORDS.add_many(session, [(n, "退付申请") for n in range(20, 40)])
    assert await found(indexed, "退付") == list(range(39, 29, -1))
    assert await found(indexed, "退付", before=22) == [21, 20]
    assert await found(indexed, "退付", before=20) == []


async def test_operators_are_plain_text(indexed: Database) -> None:
    for hostile in (
        '"支付" OR *',
        "支付' OR 1=1 --",
        "支付\\",
        "NEAR(支付 申请)",
        "支付:*&|!<->",
    ):
        async with indexed.reading() as session:
            words = parse(hostile)
            assert isinstance(words, Words)
            assert await MESSAGE_WORDS.newest(session, words, before=None, most=9) in ([], [1])


async def test_a_write_that_is_rolled_back_is_not_found(database: Database) -> None:
    async def half_way() -> None:
        async with database.transaction() as session:
            await MESSAGE_WORDS.add(session, 1, "支付申请")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await half_way()
    assert await found(database, "支付") == []


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ("", Refusal.EMPTY),
        (" ，。 ", Refusal.EMPTY),
        ("票", Refusal.SHORT),
        ("票 据", Refusal.SHORT),
        ("支" * 101, Refusal.LONG),
        (" ".join(f"词{n:02}" for n in range(MAX_RUNS + 1)), Refusal.MANY),
    ],
)
def test_what_cannot_be_looked_for(query: str, refusal: Refusal) -> None:
    assert parse(query) is refusal


def test_a_single_character_narrows_nothing_beside_words() -> None:
    assert parse("票 冲红 冲红") == Words(("冲红",))


def test_the_excerpt_shows_the_word_as_it_was_written() -> None:
    words = parse("ukey")
    assert isinstance(words, Words)
    pieces = excerpt("前" * 60 + "ＵＫｅｙ坏了" + "后" * 200, words)
    assert ("ＵＫｅｙ", True) in pieces
    shown = "".join(piece for piece, _ in pieces)
    assert shown.startswith("…前")
    assert shown.endswith("后…")
    assert excerpt("没有", words) == []


@given(
    st.text(alphabet="支付申请aAＢ1２ ，", max_size=40),
    st.text(alphabet="支付申aＢ2", min_size=2, max_size=5),
)
def test_excerpts_are_part_of_the_text(original: str, query: str) -> None:
    words = parse(query)
    assert isinstance(words, Words)
    pieces = excerpt(original, words)
    held = fold(query).text in fold(original).text
    assert any(hit for _, hit in pieces) == held
    for piece, hit in pieces:
        assert not hit or fold(piece).text in words.runs


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.text(alphabet="支付申请ab1 ，", max_size=12), max_size=12),
    st.text(alphabet="支付a1", min_size=2, max_size=4),
)
async def test_the_index_agrees_with_looking_at_every_text(texts: list[str], query: str) -> None:
    words = parse(query)
    assert isinstance(words, Words)
    memory = create_async_engine("sqlite+aiosqlite://")
    index = TextIndex("trial")
    async with AsyncSession(memory) as session:
        for statement in index.definition("sqlite"):
            await session.execute(text(statement))
        await index.add_many(session, enumerate(texts))
        rows = await index.newest(session, words, before=None, most=99)
    await memory.dispose()
    assert sorted(rows) == [n for n, one in enumerate(texts) if words.runs[0] in fold(one).text]
