"""Any sentence-transformers model can be set and tuned: here a tiny one, built on the spot."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from kb.embedder import load_embedder
from kb.errors import IndexMismatch, TuningRefused
from kb.fine_tuning import TuningSettings, tuned_copy
from kb.index_holder import IndexHolder, open_index
from kb.retriever import Retriever
from kb.settings import KnowledgeSettings
from kb.train import build_index
from tests.kb.samples import NOW, lexicon, make_corpus

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def saved_model(folder: Path, texts: list[str]) -> Path:
    """A Transformer of two layers over single characters, saved in the standard format."""
    characters = sorted({character for text in texts for character in text if character.strip()})
    words = {word: number for number, word in enumerate((*SPECIAL, *characters))}
    words |= {f"##{c}": len(words) + n for n, c in enumerate(characters)}
    tokenizer = Tokenizer(WordPiece(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    bert = folder / "bert"
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    ).save_pretrained(bert)
    shape = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
    )
    BertModel(shape).save_pretrained(bert)
    words_in = Transformer(str(bert))
    model = SentenceTransformer(modules=[words_in, Pooling(32)], device="cpu")
    target = folder / "model"
    model.save(str(target))
    return target


def test_a_set_model_is_loaded_built_with_and_checked(tmp_path: Path) -> None:
    corpus = make_corpus()
    texts = [question for answer in corpus.answers for question in answer.questions]
    model = saved_model(tmp_path, texts)
    settings = KnowledgeSettings(embedder=str(model), training_threads=1)
    home = tmp_path / "home"
    build = build_index(home, corpus, settings, lexicon=lexicon(), negatives=(), now=NOW)
    assert build.answers == len(corpus.answers)
    retriever = Retriever(IndexHolder(home, settings))
    asked = corpus.answers[0]
    found = retriever.search(asked.questions[0], today=NOW.date())
    assert found.candidates[0].answer_id == asked.answer_id
    with pytest.raises(IndexMismatch):
        open_index(home, KnowledgeSettings())
    with pytest.raises(IndexMismatch):
        open_index(home, settings.model_copy(update={"embedder": str(tmp_path / "other")}))


def test_a_tuned_copy_brings_together_what_an_answer_is_asked_with(tmp_path: Path) -> None:
    corpus = make_corpus()
    groups = [answer.questions[:-1] for answer in corpus.answers if len(answer.questions) > 2]
    held = [answer.questions[-1] for answer in corpus.answers if len(answer.questions) > 2]
    model = saved_model(tmp_path, [text for one in corpus.answers for text in one.questions])
    weights = (model / "model.safetensors").read_bytes()
    out, again = tmp_path / "tuned", tmp_path / "again"
    shares: list[float] = []
    settings = TuningSettings(epochs=6, batch=8, rate=2e-3)
    tuned = tuned_copy(str(model), out, groups, settings, progress=shares.append)
    assert tuned.last_loss < 0.7 * tuned.first_loss
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert (model / "model.safetensors").read_bytes() == weights
    assert lead(out, groups, held) > 2 * max(lead(model, groups, held), 0.02)
    tuned_copy(str(model), again, groups, settings)
    assert np.array_equal(*(load_embedder(one).encode_texts(held) for one in (out, again)))


def lead(model: Path, groups: Sequence[Sequence[str]], held: Sequence[str]) -> float:
    """By how much questions are nearer to the mean of their own group than to any other's."""
    embedder = load_embedder(model)
    means = np.stack([embedder.encode_texts(group).mean(axis=0) for group in groups])
    likeness = embedder.encode_queries(held) @ means.T
    own = likeness.diagonal().copy()
    np.fill_diagonal(likeness, -1.0)
    return float((own - likeness.max(axis=1)).mean())


@pytest.mark.parametrize(
    ("reason", "model", "groups"),
    [
        ("few", "anything", [["一问", "一问"], ["二问", "又问"], []]),
        ("unreadable", "no-such-folder", [["一问", "再问"], ["二问", "又问"]]),
        ("exists", "anything", [["一问", "再问"], ["二问", "又问"]]),
    ],
)
def test_what_cannot_be_tuned_is_refused_and_leaves_nothing(
    tmp_path: Path, reason: str, model: str, groups: list[list[str]]
) -> None:
    out = tmp_path / "out"
    if reason == "exists":
        out.mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(TuningRefused) as refused:
        tuned_copy(str(tmp_path / model), out, groups, TuningSettings())
    assert refused.value.reason == reason
    assert sorted(tmp_path.rglob("*")) == before


def test_the_model_that_is_trained_here_is_not_tuned(tmp_path: Path) -> None:
    build_index(
        tmp_path, make_corpus(), KnowledgeSettings(), lexicon=lexicon(), negatives=(), now=NOW
    )
    (ours,) = (tmp_path / "models" / "embedder").iterdir()
    with pytest.raises(TuningRefused) as refused:
        tuned_copy(str(ours), tmp_path / "out", [["甲", "乙"], ["丙", "丁"]], TuningSettings())
    assert refused.value.reason == "trained_here"
