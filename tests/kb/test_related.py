"""Related words: what is marked, what stays as it was, and that a guide is found by them."""

import json
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kb.articles import AnswerKind, AnswerOrigin, Corpus, IndexedAnswer, Source
from kb.fresh_index import FreshIndex
from kb.golden import OneIndex
from kb.index_holder import IndexHolder
from kb.lexicon import Lexicon, lexicon_to_json, load_lexicon
from kb.lexicon_store import lexicon_file
from kb.ngrams import pairs, sounds, tokens
from kb.normalise import Normaliser
from kb.related import MOST_LINES, RelatedWords, is_mark
from kb.retriever import Retriever
from kb.settings import KnowledgeSettings
from kb.train import build_index

DATA = Path(__file__).parents[2] / "data" / "lexicon"
LINES = (("批量", "一起"), ("删除", "删掉"), ("过滤器", "筛选"))


def related(*lines: tuple[str, ...]) -> RelatedWords:
    return RelatedWords(lines, str)


def test_words_of_a_line_leave_the_same_mark() -> None:
    words = related(*LINES)
    one, other = words.marked("想一起删掉"), words.marked("批量删除")
    assert one.split()[1:] == other.split()[1:]
    assert len(one.split()) == 3
    assert words.marked("没有关系") == "没有关系"
    assert related().marked("一起") == "一起"


def test_more_lines_than_marks_and_single_characters_are_left_out() -> None:
    words = related(*[("挑", f"词{number}号") for number in range(MOST_LINES + 1)])
    assert words.marked("挑") == "挑"
    assert words.marked("词0号") != "词0号"
    assert words.marked(f"词{MOST_LINES}号") == f"词{MOST_LINES}号"


@given(st.text(max_size=40))
def test_what_is_written_never_looks_like_a_mark(text: str) -> None:
    normaliser = Normaliser(Lexicon(related=LINES))
    folded = normaliser.query(text + "\ue000一起")
    assert not any(map(is_mark, tokens(folded)))
    assert normaliser.marked(folded).startswith(folded)


def test_a_mark_has_neither_neighbours_nor_a_sound() -> None:
    units = tokens(related(*LINES).marked("一起"))
    assert len(units) == 3
    assert list(pairs(units)) == ["一\t起"]
    assert len(sounds(units)) == 2


def test_the_shipped_lines_hold_words_that_can_be_met() -> None:
    lexicon = load_lexicon(DATA)
    normaliser = Normaliser(lexicon)
    assert len(lexicon.related) > 100
    for line in lexicon.related:
        assert len(set(line)) == len(line) > 1
        for word in line:
            assert any(map(is_mark, tokens(normaliser.marked(normaliser.text(word)))))


def built(home: Path, lines: tuple[tuple[str, ...], ...]) -> IndexHolder:
    """A workspace with three passages, its lexicon only these lines."""
    texts = {
        "过滤器": "在过滤器页面设定条件后保存。",
        "删除": "选中记录后点击删除按钮。",
        "打印": "点击打印按钮输出凭证。",
    }
    answers = tuple(
        IndexedAnswer(
            answer_id=name,
            origin=AnswerOrigin.PASSAGE,
            kind=AnswerKind.ANSWER,
            title=name,
            text=text,
            source=Source("手册", (name,)),
        )
        for name, text in texts.items()
    )
    build_index(
        home,
        Corpus(answers),
        KnowledgeSettings(),
        lexicon=Lexicon(related=lines),
        negatives=(),
        now=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return IndexHolder(home, KnowledgeSettings())


def test_a_guide_is_found_by_a_word_that_it_does_not_have(tmp_path: Path) -> None:
    scores = {}
    for name, lines in (("with", LINES), ("without", ())):
        holder = built(tmp_path / name, lines)
        assert holder.current().normaliser.lexicon.related == lines
        result = Retriever(holder).search("筛选")
        assert result.query == "筛选"
        scores[name] = {one.answer_id: one.lexical for one in result.candidates}
    assert max(scores["with"], key=lambda one: scores["with"][one]) == "过滤器"
    assert scores["with"]["过滤器"] > scores["without"].get("过滤器", 0.0)


def test_what_editors_write_leaves_the_lines_of_the_build_in_force(tmp_path: Path) -> None:
    holder = built(tmp_path, LINES)
    written = lexicon_to_json(Lexicon({"筛一筛": "筛选"}, related=(("别的", "东西"),)))
    lexicon_file(tmp_path).write_text(json.dumps({"lexicon": written}), encoding="utf-8")
    index = FreshIndex(tmp_path, holder, refresh_seconds=0.0).current()
    assert index.normaliser.lexicon.related == LINES
    assert index.normaliser.query("筛一筛") == "筛选"
    found = Retriever(OneIndex(index)).search("筛一筛").candidates
    assert max(found, key=lambda one: one.lexical).answer_id == "过滤器"
