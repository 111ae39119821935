"""Quick searches stay in the event loop, slow ones and unsettled indexes go to threads."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from bot.knowledge import QUICK_S, REMEMBERED, SearchedKnowledge
from kb.fresh_index import FreshIndex
from kb.index_holder import IndexHolder
from kb.retriever import Retriever
from kb.settings import KnowledgeSettings
from tests.bot.command import caiwen
from tests.product import NOW, Product

SETTINGS = KnowledgeSettings()


def knowledge_of(home: Path) -> tuple[SearchedKnowledge, IndexHolder]:
    holder = IndexHolder(home, SETTINGS)
    return SearchedKnowledge(FreshIndex(home, holder, refresh_seconds=60)), holder


def ask(knowledge: SearchedKnowledge, times: int = REMEMBERED) -> None:
    for _ in range(times):
        assert knowledge.search("公务卡怎么还款", region=None, now=NOW).found


def burn(seconds: float) -> None:
    began = time.thread_time()
    while time.thread_time() - began < seconds:
        pass


def test_it_is_quick_once_several_searches_were(home: Path) -> None:
    knowledge, _ = knowledge_of(home)
    assert not knowledge.is_quick()
    ask(knowledge, REMEMBERED - 1)
    assert not knowledge.is_quick()
    ask(knowledge, REMEMBERED)
    assert knowledge.is_quick()


def test_one_slow_search_sends_the_next_ones_to_threads(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    knowledge, _ = knowledge_of(home)
    ask(knowledge, 2 * REMEMBERED)
    real = Retriever.search

    def slow(self: Retriever, *args: Any, **named: Any) -> Any:
        burn(2 * QUICK_S)
        return real(self, *args, **named)

    with monkeypatch.context() as changed:
        changed.setattr(Retriever, "search", slow)
        ask(knowledge, 1)
    assert not knowledge.is_quick()
    ask(knowledge)
    assert knowledge.is_quick()


def test_a_build_that_was_just_loaded_is_taken_in_by_a_thread(home: Path, tmp_path: Path) -> None:
    knowledge, holder = knowledge_of(home)
    ask(knowledge, 2 * REMEMBERED)
    table = tmp_path / "new.csv"
    table.write_text("question,similar,answer\n打印机卡纸怎么办,卡纸了,打开后盖取出。\n", "utf-8")
    assert caiwen(home, "kb", "import", str(table), "--publish").exit_code == 0
    assert caiwen(home, "train", "--kb").exit_code == 0
    holder.refresh()
    assert not knowledge.is_quick()
    ask(knowledge, 1 + REMEMBERED)
    assert knowledge.is_quick()


def test_without_an_index_nothing_is_quick(tmp_path: Path) -> None:
    knowledge, _ = knowledge_of(tmp_path)
    for _ in range(2 * REMEMBERED):
        assert not knowledge.search("公务卡", region=None, now=NOW).found
    assert not knowledge.is_quick()


async def test_the_conversation_searches_where_it_is_quicker(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []
    real = SearchedKnowledge.search

    def noted(self: SearchedKnowledge, *args: Any, **named: Any) -> Any:
        threads.append(threading.current_thread())
        return real(self, *args, **named)

    monkeypatch.setattr(SearchedKnowledge, "search", noted)
    for quick in (False, True):
        monkeypatch.setattr(SearchedKnowledge, "is_quick", lambda _self, quick=quick: quick)
        chat = await product.open()
        await chat.say("公务卡怎么还款")
        assert (await chat.read())[-1]["kind"] == "answer"
        here = threading.main_thread()
        assert {thread is here for thread in threads} == {quick}
        threads.clear()
