"""Search end to end on a small corpus: what is found, what is refused, what is kept apart."""

import json
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer

from kb.articles import Corpus
from kb.batch import search_row
from kb.embedder import load_embedder
from kb.errors import IndexMismatch, IndexMissing, NothingPublished
from kb.fusion import Band
from kb.index_holder import IndexHolder, current_folder, open_index, trained_model_dir
from kb.retriever import Retriever
from kb.settings import KnowledgeSettings
from kb.train import build_index
from tests.kb.samples import NOW, SUBJECTS, lexicon, make_corpus


def test_every_subject_is_found_first(retriever: Retriever) -> None:
    found = [retriever.search(f"请问{subject}要怎么做呀").candidates[0] for subject in SUBJECTS]
    assert [candidate.ref for candidate in found] == [f"F{n:02}" for n in range(1, 17)]


def test_a_passage_is_found_by_its_words(retriever: Retriever) -> None:
    first = retriever.search("结转申请由谁审核").candidates[0]
    assert (first.answer_id, first.source.section_path) == ("passage-1", "第一章 > 年终结转")


def test_scores_descend_and_are_probabilities(retriever: Retriever) -> None:
    scores = [candidate.score for candidate in retriever.search("怎么打印").candidates]
    assert scores == sorted(scores, reverse=True)
    assert 0.0 <= sum(scores) <= 1.0


def test_a_question_of_another_world_is_not_answered(retriever: Retriever) -> None:
    result = retriever.search("the quick brown fox")
    assert result.band is Band.NONE


@pytest.mark.parametrize("query", ["", "   ", "？？？", "😀😀", "\x00", "\ud800", "[]{}"])
def test_a_query_without_words_finds_nothing(retriever: Retriever, query: str) -> None:
    result = retriever.search(query)
    assert result.band is Band.NONE
    assert all(0.0 <= candidate.score <= 1.0 for candidate in result.candidates)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=600))
def test_any_text_can_be_searched(retriever: Retriever, text: str) -> None:
    result = retriever.search(text)
    assert len(result.candidates) <= 10
    assert all(0.0 <= candidate.score <= 1.0 for candidate in result.candidates)


def test_a_very_long_query_is_searched_quickly(retriever: Retriever) -> None:
    assert retriever.search("怎么打印凭证" * 20_000).candidates


def test_expired_and_foreign_answers_are_left_out(
    tmp_path: Path, kb_settings: KnowledgeSettings
) -> None:
    first, *others = make_corpus().answers
    limited = replace(first, valid_until=date(2026, 1, 31), regions=("440604",))
    corpus = Corpus((limited, *others))
    build_index(tmp_path, corpus, kb_settings, lexicon=lexicon(), negatives=(), now=NOW)
    retriever = Retriever(IndexHolder(tmp_path, kb_settings))

    def finds(**where: object) -> bool:
        found = retriever.search("怎么打印凭证", **where)  # type: ignore[arg-type]
        return any(candidate.ref == "F01" for candidate in found.candidates)

    assert finds()
    assert finds(today=date(2026, 1, 31), region="440604")
    assert not finds(today=date(2026, 2, 1))
    assert not finds(region="440605")


def test_the_numpy_encoder_equals_sentence_transformers(built_home: Path) -> None:
    model = open_index(built_home, KnowledgeSettings()).manifest.model
    folder = trained_model_dir(built_home, model)
    texts = ["怎么打印凭证", "ukey登录不了 printing", "从未见过", ""]
    reference = SentenceTransformer(str(folder), device="cpu", trust_remote_code=True)
    ours = load_embedder(folder)
    np.testing.assert_allclose(ours.encode_queries(texts), reference.encode(texts), atol=1e-6)


def test_the_same_corpus_and_seed_give_the_same_scores(
    tmp_path: Path, built_home: Path, kb_settings: KnowledgeSettings
) -> None:
    build_index(tmp_path, make_corpus(), kb_settings, lexicon=lexicon(), negatives=(), now=NOW)
    one = Retriever(IndexHolder(built_home, kb_settings))
    two = Retriever(IndexHolder(tmp_path, kb_settings))
    for query in ("怎么打印", "口令忘了", "结转"):
        first = [(c.answer_id, c.score) for c in one.search(query).candidates]
        assert first == [(c.answer_id, c.score) for c in two.search(query).candidates]


def test_nothing_published_cannot_be_built(tmp_path: Path, kb_settings: KnowledgeSettings) -> None:
    with pytest.raises(NothingPublished):
        build_index(tmp_path, Corpus(), kb_settings, lexicon=lexicon(), negatives=(), now=NOW)


def test_one_single_answer_can_be_built_and_found(
    tmp_path: Path, kb_settings: KnowledgeSettings
) -> None:
    corpus = Corpus(make_corpus().answers[-1:])
    build_index(tmp_path, corpus, kb_settings, lexicon=lexicon(), negatives=(), now=NOW)
    found = Retriever(IndexHolder(tmp_path, kb_settings)).search("年终结转").candidates
    assert [candidate.answer_id for candidate in found] == ["passage-1"]


def test_a_workspace_without_an_index_says_so(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing):
        Retriever(IndexHolder(tmp_path, KnowledgeSettings())).search("你好")


@pytest.mark.parametrize(
    ("field", "value"), [("format", 0), ("answers", 1), ("units", 3), ("dimension", 7)]
)
def test_a_manifest_that_does_not_fit_is_refused(
    tmp_path: Path, kb_settings: KnowledgeSettings, field: str, value: int
) -> None:
    build_index(tmp_path, make_corpus(), kb_settings, lexicon=lexicon(), negatives=(), now=NOW)
    path = current_folder(tmp_path) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    with pytest.raises(IndexMismatch) as refused:
        open_index(tmp_path, kb_settings)
    assert refused.value.expected != refused.value.found


def test_another_model_in_the_settings_is_refused(built_home: Path) -> None:
    with pytest.raises(IndexMismatch):
        open_index(built_home, KnowledgeSettings(embedder="BAAI/bge-small-zh-v1.5"))


def test_a_running_process_follows_a_new_build_without_a_failed_search(
    tmp_path: Path, kb_settings: KnowledgeSettings
) -> None:
    build_index(tmp_path, make_corpus(SUBJECTS[:12]), kb_settings, lexicon=lexicon(),
                negatives=(), now=NOW)  # fmt: skip
    holder = IndexHolder(tmp_path, kb_settings)
    retriever = Retriever(holder)
    failures: list[BaseException] = []
    stop = threading.Event()

    def search_on() -> None:
        while not stop.is_set():
            try:
                assert retriever.search("怎么打印凭证").candidates
            except BaseException as error:  # reported by the test
                failures.append(error)

    threads = [threading.Thread(target=search_on) for _ in range(2)]
    for thread in threads:
        thread.start()
    build = build_index(tmp_path, make_corpus(), kb_settings, lexicon=lexicon(),
                        negatives=(), now=NOW.replace(hour=9))  # fmt: skip
    for _ in range(200):
        if retriever.search("安装控件").revision == build.revision:
            break
        threading.Event().wait(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert retriever.search("怎么安装控件").candidates[0].ref == "F16"


def test_a_broken_new_build_leaves_the_old_one_serving(
    tmp_path: Path, kb_settings: KnowledgeSettings
) -> None:
    build_index(tmp_path, make_corpus(), kb_settings, lexicon=lexicon(), negatives=(), now=NOW)
    retriever = Retriever(IndexHolder(tmp_path, kb_settings))
    before = retriever.search("打印凭证").revision
    (tmp_path / "indexes" / "broken").mkdir()
    (tmp_path / "indexes" / "current").write_text("broken")
    for _ in range(20):
        assert retriever.search("打印凭证").revision == before
        threading.Event().wait(0.01)


def test_old_builds_are_dropped(tmp_path: Path, kb_settings: KnowledgeSettings) -> None:
    corpus = Corpus(make_corpus().answers[-1:])
    for hour in range(5):
        build_index(tmp_path, corpus, kb_settings, lexicon=lexicon(), negatives=(),
                    now=NOW.replace(hour=hour))  # fmt: skip
    builds = [path for path in (tmp_path / "indexes").iterdir() if path.is_dir()]
    assert len(builds) == 3
    assert open_index(tmp_path, kb_settings).manifest.revision == max(p.name for p in builds)


def test_a_batch_row_has_the_shape_that_programs_rely_on(retriever: Retriever) -> None:
    row = search_row(retriever, {"id": 7, "q": "结转申请由谁审核"})
    assert row["id"] == 7
    assert row["band"] in {"answer", "offer", "none"}
    first = row["results"][0]
    assert set(first) == {"answer_id", "ref", "title", "text", "source", "score"}
    assert first["source"] == {"guide": "年终指南", "section": "第一章 > 年终结转"}
    assert first["text"].endswith("由业务科审核。")
    json.dumps(row)


@pytest.mark.parametrize(
    "row", [{}, {"id": 1}, {"q": "x"}, {"id": 1, "q": 5}, {"id": 1, "q": None}]
)
def test_a_malformed_batch_row_is_refused(retriever: Retriever, row: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="needs"):
        search_row(retriever, row)
