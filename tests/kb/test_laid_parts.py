"""Changes one by one, in parts, end where all of them at once do."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb import incremental
from kb.articles import IndexedAnswer
from kb.incremental import Overlay
from kb.index_holder import open_index
from kb.search_index import SearchIndex
from kb.settings import KnowledgeSettings
from tests.kb.samples import SUBJECTS

Changes = Mapping[str, IndexedAnswer | None]


@pytest.fixture(scope="module")
def base(built_home: Path, kb_settings: KnowledgeSettings) -> SearchIndex:
    return open_index(built_home, kb_settings)


@pytest.fixture(autouse=True, scope="module")
def small_parts() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(incremental, "PART_ANSWERS", 3)
        yield


def changes(base: SearchIndex) -> st.SearchStrategy[list[Changes]]:
    """Edits, withdrawals and news, some of the same answer again and again."""
    known = list(base.answers[:4])
    known += [replace(known[0], answer_id=f"new-{n}", questions=()) for n in range(4)]
    titles = st.sampled_from(SUBJECTS).map(lambda subject: f"新规定的{subject}")

    def one(answer: IndexedAnswer) -> st.SearchStrategy[tuple[str, IndexedAnswer | None]]:
        edits = titles.map(lambda title: replace(answer, title=title))
        return st.tuples(st.just(answer.answer_id), st.none() | st.just(answer) | edits)

    batch = st.lists(st.sampled_from(known).flatmap(one), min_size=1, max_size=3).map(dict)
    return st.lists(batch, min_size=1, max_size=8)


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_one_by_one_ends_where_all_at_once_does(base: SearchIndex, data: st.DataObject) -> None:
    overlay, together = Overlay.over(base), dict[str, IndexedAnswer | None]()
    for change in data.draw(changes(base)):
        before, shown = overlay.index, overlay.index.published
        overlay = overlay.with_changes(change)
        together |= change
        assert before.published == shown, "what somebody searches now has changed under them"
    once = Overlay.over(base).with_changes(together)
    index = overlay.index
    assert by_id(index) == by_id(once.index)
    assert len(index.published) == index.manifest.answers == len(by_id(index))
    for subject in SUBJECTS[:3]:
        found, expected = looked_up(index, subject), looked_up(once.index, subject)
        assert found.keys() == expected.keys()
        for key, signals in expected.items():
            assert found[key] == pytest.approx(signals, abs=1e-4)


def test_words_of_withdrawn_answers_are_foreign_again(base: SearchIndex) -> None:
    words = "无人机巡检"
    answer = replace(base.answers[0], answer_id="drone", title=words)
    before = looked_up(Overlay.over(base).index, words)[""]
    overlay = Overlay.over(base).with_changes({"drone": answer})
    assert looked_up(overlay.index, words)[""] != before
    assert looked_up(overlay.with_changes({"drone": None}).index, words)[""] == before


def test_many_changes_stay_in_small_parts_and_dead_rows_leave_them(base: SearchIndex) -> None:
    overlay, answer = Overlay.over(base), replace(base.answers[0], answer_id="edited")
    for number in range(20):
        overlay = overlay.with_changes({"edited": replace(answer, title=f"第{number}次修改")})
    assert [len(part) for part in overlay.parts] == [1]
    for number in range(7):
        overlay = overlay.with_changes({f"n{number}": replace(answer, answer_id=f"n{number}")})
    assert [len(part) for part in overlay.parts] == [3, 3, 2]
    assert overlay.with_changes({"n1": replace(answer, answer_id="n1")}) is overlay


def by_id(index: SearchIndex) -> dict[str, IndexedAnswer]:
    return {answer.answer_id: answer for answer in index.published}


def looked_up(index: SearchIndex, query: str) -> dict[str, list[float]]:
    """The signals of each candidate, and what the query says by itself."""
    hits = index.signals(index.normaliser.query(query))
    assert not any(index.searchable.is_gone(row) for row in hits.answers)
    found = {
        index.answers[row].answer_id: list(signals)
        for row, signals in zip(hits.answers, np.asarray(hits.signals, float), strict=True)
    }
    return found | {"": list(hits.query)}
