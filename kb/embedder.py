"""Texts in, unit vectors out, with whichever sentence-transformers model a deployment has.

The only module that loads sentence-transformers models. The model trained here runs without torch
at search time; any other model runs as sentence-transformers runs it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from kb.encoder import VOCABULARY_FILE, NgramEncoder, Vectors

_MODULES_FILE = "modules.json"
_TRAINED_TYPE = "kb.encoder_module.NgramBag"


class Embedder(Protocol):
    """Turns search texts into vectors of one length whose dot product is their likeness."""

    @property
    def name(self) -> str:
        """What the manifest of an index records; another name means another vector space."""

    @property
    def dimension(self) -> int:
        """Length of the vectors."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of users' questions, one row each."""

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of texts of the knowledge base, one row each."""


class NgramEmbedder:
    """The model trained from the knowledge base, in numpy."""

    def __init__(self, name: str, encoder: NgramEncoder) -> None:
        self._name = name
        self._encoder = encoder

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.encode(texts)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.encode(texts)


class SentenceTransformerEmbedder:
    """Any other sentence-transformers model, from a folder or by hub name."""

    def __init__(self, model_name: str, *, query_prompt: str = "") -> None:
        # Imported here: a deployment with the default model never pays for loading torch.
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415

        self._name = model_name
        self.model = SentenceTransformer(model_name, device="cpu")
        self._prompt = query_prompt
        self._dimension = int(self.model.encode(["。"]).shape[1])

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimension(self) -> int:
        return self._dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode([self._prompt + text for text in texts])

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return self._encode(list(texts))

    def _encode(self, texts: list[str]) -> Vectors:
        vectors = self.model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)


def load_embedder(model: str | Path, *, query_prompt: str = "") -> Embedder:
    """The embedder for a model folder or hub name; a folder that we trained runs in numpy."""
    folder = Path(model)
    if is_trained_here(folder):
        return NgramEmbedder(folder.name, NgramEncoder.load(folder))
    return SentenceTransformerEmbedder(str(model), query_prompt=query_prompt)


def is_trained_here(folder: Path) -> bool:
    """Whether a folder holds a model that `kb.train` made."""
    description = folder / _MODULES_FILE
    if not (folder / VOCABULARY_FILE).exists() or not description.exists():
        return False
    first = json.loads(description.read_text(encoding="utf-8"))[0]
    return bool(first["type"] == _TRAINED_TYPE)
