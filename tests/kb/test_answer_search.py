"""Publishing without training: found at once, gone at once, everywhere, and not lost."""

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from kb.articles import AnswerKind, AnswerOrigin, Corpus, IndexedAnswer, Source
from kb.fresh_index import FreshIndex
from kb.fusion import Band
from kb.index_holder import IndexHolder, current_folder
from kb.retriever import Retriever
from kb.settings import KnowledgeSettings
from kb.train import build_index
from tests.kb.samples import NOW, SUBJECTS, lexicon, make_corpus

NEW = IndexedAnswer(
    answer_id="new-1",
    origin=AnswerOrigin.ARTICLE,
    kind=AnswerKind.ANSWER,
    title="政府采购合同备案后怎么变更金额",
    text="1. 打开采购合同备案。\n2. 点击变更申请并填写新的金额。",
    source=Source("问答"),
    questions=("政府采购合同备案后怎么变更金额", "采购合同金额改了怎么办", "合同备案变更"),
    ref="N01",
)


@pytest.fixture
def home(built_home: Path, tmp_path: Path) -> Path:
    shutil.copytree(built_home, tmp_path / "home")
    return tmp_path / "home"


def fresh(home: Path, settings: KnowledgeSettings) -> FreshIndex:
    return FreshIndex(home, IndexHolder(home, settings), refresh_seconds=0.0)


def refs(index: FreshIndex, query: str) -> list[str]:
    return [c.ref for c in Retriever(index).search(query).candidates]


def test_what_is_published_is_found_and_the_rest_as_before(
    home: Path, kb_settings: KnowledgeSettings
) -> None:
    index = fresh(home, kb_settings)
    assert "N01" not in refs(index, "采购合同金额要变更")
    assert index.apply({NEW.answer_id: NEW})
    result = Retriever(index).search("采购合同金额要变更")
    assert result.candidates[0].ref == "N01"
    assert result.band is Band.ANSWER
    found = [refs(index, f"请问{subject}要怎么做呀")[0] for subject in SUBJECTS]
    assert found == [f"F{n:02}" for n in range(1, 17)]


def test_nothing_laid_over_is_the_built_index_itself(
    home: Path, kb_settings: KnowledgeSettings
) -> None:
    holder = IndexHolder(home, kb_settings)
    assert FreshIndex(home, holder, refresh_seconds=0.0).current() is holder.current()


def test_it_ranks_as_an_index_built_with_it_does(
    home: Path, tmp_path: Path, kb_settings: KnowledgeSettings
) -> None:
    """Every answer taken out of the build and laid over it again is still found first."""
    corpus = make_corpus()
    kept = Corpus(tuple(a for a in corpus.answers if a.ref not in ("F03", "F07", "F11")))
    build_index(tmp_path / "less", kept, kb_settings, lexicon=lexicon(), negatives=(), now=NOW)
    index = fresh(tmp_path / "less", kb_settings)
    assert index.reconcile(corpus) == 3
    assert index.reconcile(corpus) == 0
    for number in (3, 7, 11):
        query = f"请问{SUBJECTS[number - 1]}要怎么做呀"
        assert refs(index, query)[0] == f"F{number:02}"


def test_a_changed_answer_is_found_by_its_new_words_and_once(
    home: Path, kb_settings: KnowledgeSettings
) -> None:
    index = fresh(home, kb_settings)
    index.apply({NEW.answer_id: NEW})
    other = replace(NEW, title="国库集中支付怎么退汇", questions=("国库集中支付怎么退汇",))
    index.apply({NEW.answer_id: other})
    hits = Retriever(index).search("国库集中支付退汇").candidates
    assert [c.title for c in hits if c.answer_id == NEW.answer_id] == [other.title]


def test_a_withdrawn_answer_is_gone_from_everything(
    home: Path, kb_settings: KnowledgeSettings
) -> None:
    index = fresh(home, kb_settings)
    gone = next(a for a in index.current().answers if a.ref == "F03")
    index.apply({gone.answer_id: None, NEW.answer_id: NEW})
    index.apply({NEW.answer_id: None})
    assert not {"F03", "N01"} & set(refs(index, f"请问{SUBJECTS[2]}要怎么做呀"))
    assert gone not in index.current().published
    assert index.current().manifest.answers == len(index.current().published)


def test_another_process_and_the_next_start_find_the_same(
    home: Path, kb_settings: KnowledgeSettings
) -> None:
    here, there = fresh(home, kb_settings), fresh(home, kb_settings)
    there.current()
    here.apply({NEW.answer_id: NEW})
    there.current()
    for thread in threading.enumerate():
        if thread.daemon and thread is not threading.current_thread():
            thread.join(timeout=10)
    assert refs(there, "采购合同金额要变更")[0] == "N01"
    assert refs(fresh(home, kb_settings), "采购合同金额要变更")[0] == "N01"


def test_two_that_publish_at_once_lose_nothing(home: Path, kb_settings: KnowledgeSettings) -> None:
    indexes = [fresh(home, kb_settings) for _ in range(2)]
    answers = [replace(NEW, answer_id=f"n{n}", ref=f"N{n}") for n in range(8)]
    work = [
        threading.Thread(target=indexes[n % 2].apply, args=({one.answer_id: one},))
        for n, one in enumerate(answers)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    known = {a.answer_id for a in fresh(home, kb_settings).current().published}
    assert {one.answer_id for one in answers} <= known


def test_a_new_build_starts_without_the_old_changes_and_is_reconciled(
    home: Path, kb_settings: KnowledgeSettings
) -> None:
    index = fresh(home, kb_settings)
    index.apply({NEW.answer_id: NEW})
    later = NOW.replace(hour=9)
    build_index(home, make_corpus(), kb_settings, lexicon=lexicon(), negatives=(), now=later)
    again = fresh(home, kb_settings)
    assert NEW not in again.current().published
    assert again.reconcile(Corpus((*make_corpus().answers, NEW))) == 1
    assert NEW in again.current().published


@pytest.mark.parametrize("content", ["{cut sh", "{cut\n", "[]\n", '{"a": {"title": 1}}\n', "\0\n"])
def test_a_broken_file_of_changes_leaves_the_search_as_it_was(
    home: Path, kb_settings: KnowledgeSettings, content: str
) -> None:
    index = fresh(home, kb_settings)
    index.current()
    (current_folder(home) / "changes.jsonl").write_text(content, encoding="utf-8")
    for one in (index, fresh(home, kb_settings)):
        assert refs(one, f"请问{SUBJECTS[0]}要怎么做呀")[0] == "F01"
    index.apply({NEW.answer_id: NEW})
    assert NEW in fresh(home, kb_settings).current().published


def test_only_what_was_added_is_read_and_the_newest_counts(
    home: Path, kb_settings: KnowledgeSettings
) -> None:
    writer, reader = fresh(home, kb_settings), fresh(home, kb_settings)
    edited = replace(NEW, title="改过的题目")
    for now in (NEW, None, edited):
        writer.apply({NEW.answer_id: now})
        reader.follow()
        for index in (writer, reader, fresh(home, kb_settings)):
            found = [one for one in index.current().published if one.answer_id == NEW.answer_id]
            assert found == ([now] if now else [])
    lines = (current_folder(home) / "changes.jsonl").read_bytes().splitlines()
    assert len(lines) == 3


def test_without_an_index_the_first_build_takes_it_in(
    tmp_path: Path, kb_settings: KnowledgeSettings
) -> None:
    assert fresh(tmp_path, kb_settings).apply({NEW.answer_id: NEW}) is False
    assert fresh(tmp_path, kb_settings).reconcile(make_corpus()) == 0
