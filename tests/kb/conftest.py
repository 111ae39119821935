"""Fixtures of the knowledge base: an index built once, for all tests that only search."""

from pathlib import Path

import pytest

from kb.index_holder import IndexHolder
from kb.retriever import Retriever
from kb.settings import KnowledgeSettings
from kb.train import build_index
from tests.kb.samples import NOW, lexicon, make_corpus


@pytest.fixture(scope="session")
def kb_settings() -> KnowledgeSettings:
    return KnowledgeSettings(training_threads=1, refresh_seconds=0.0)


@pytest.fixture(scope="session")
def built_home(tmp_path_factory: pytest.TempPathFactory, kb_settings: KnowledgeSettings) -> Path:
    home = tmp_path_factory.mktemp("home")
    build_index(home, make_corpus(), kb_settings, lexicon=lexicon(), negatives=(), now=NOW)
    return home


@pytest.fixture(scope="session")
def retriever(built_home: Path, kb_settings: KnowledgeSettings) -> Retriever:
    return Retriever(IndexHolder(built_home, kb_settings))
