"""The default embedding model as a sentence-transformers module, for training and for saving.

Gives the same vectors as `kb.encoder.NgramEncoder`, which serves queries without torch.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from safetensors.numpy import load_file as load_arrays
from safetensors.torch import save_file as save_tensors
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import InputModule
from sentence_transformers.sentence_transformer.modules import Normalize
from typing_extensions import override

from kb.encoder import WEIGHTS_FILE, Vocabulary


class NgramBag(InputModule):
    """The bag as a sentence-transformers module: sums the vectors of a text's features."""

    def __init__(self, vocabulary: Vocabulary, weights: torch.Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the base class is not annotated
        if weights.shape[0] != len(vocabulary):
            raise ValueError("one row of weights per feature is needed")
        self.vocabulary = vocabulary
        self.embedding = torch.nn.EmbeddingBag.from_pretrained(weights, freeze=False, mode="sum")

    @override
    def preprocess(
        self, inputs: Sequence[Any], prompt: str | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        bags = [self.vocabulary.bag((prompt or "") + text) for text in inputs]
        offsets = np.cumsum([0, *(len(rows) for rows, _ in bags[:-1])])
        return {
            "input_ids": torch.tensor([row for rows, _ in bags for row in rows], dtype=torch.long),
            "weights": torch.tensor([one for _, many in bags for one in many]),
            "offsets": torch.from_numpy(offsets),
        }

    @override
    def forward(self, features: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        features["sentence_embedding"] = self.embedding(
            features["input_ids"], features["offsets"], features["weights"]
        )
        return features

    def get_embedding_dimension(self) -> int:
        """Length of the vectors."""
        return self.embedding.embedding_dim

    @override
    def save(
        self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any
    ) -> None:
        weights = {"embedding.weight": self.embedding.weight.detach().contiguous()}
        save_tensors(weights, str(Path(output_path) / WEIGHTS_FILE))
        self.vocabulary.save(Path(output_path))

    @classmethod
    @override
    def load(  # type: ignore[override]  # hub options do not apply to our own folders
        cls, model_name_or_path: str, subfolder: str = "", **kwargs: Any
    ) -> Self:
        folder = Path(model_name_or_path, subfolder)
        weights = load_arrays(folder / WEIGHTS_FILE)["embedding.weight"]
        return cls(Vocabulary.load(folder), torch.from_numpy(weights))


def save_trained(bag: NgramBag, folder: Path) -> None:
    """Write a trained bag as a sentence-transformers model folder."""
    model = SentenceTransformer(modules=[bag, Normalize()], device="cpu")
    model.save(str(folder), create_model_card=False)
