"""Any sentence-transformers model can be set: here a tiny one, built and saved on the spot."""

from pathlib import Path

import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from kb.errors import IndexMismatch
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
