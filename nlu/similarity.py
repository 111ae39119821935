"""The in-process interpreter: learned from the same examples as Rasa's, answers in a millisecond.

Understands by how much a text's n-grams resemble those of each intent's examples; entities come
from fixed formats and known phrases. Needs no other process, no network and no large library.
Refuses to train; :mod:`nlu.train` does that.
"""

import json
import re
from pathlib import Path

from nlu.entities import EntityExtractor
from nlu.errors import ModelUnreadable
from nlu.linear import LinearModel
from nlu.text import Folding, readable
from nlu.types import Intent, Understanding, nothing_said

_INTENTS_FOLDER = "intents"
_ENTITIES_FILE = "entities.json"


class SimilarityInterpreter:
    """Understands anything at once. Immutable after construction; safe across threads."""

    def __init__(self, model: LinearModel, extractor: EntityExtractor) -> None:
        self._model = model
        self._intents = tuple(Intent(label) for label in model.labels)
        self._folding = Folding()
        self.extractor = extractor

    @property
    def name(self) -> str:
        """Always ``similarity``."""
        return "similarity"

    async def parse(self, text: str) -> Understanding:
        """Understand one message. Never unavailable."""
        return self.understand(text)

    def understand(self, text: str) -> Understanding:
        """What :meth:`parse` answers, for callers without an event loop."""
        if not readable(text).strip():
            return nothing_said(text, self.name)
        shares = self._model.probabilities(self._folding.fold(text))
        ranking = sorted(
            zip(self._intents, map(float, shares), strict=True), key=lambda scored: -scored[1]
        )
        intent, confidence = ranking[0]
        entities = self.extractor.extract(text)
        return Understanding(text, intent, confidence, tuple(ranking), entities, self.name)

    async def close(self) -> None:
        """Nothing to release."""

    def save(self, folder: Path) -> None:
        """Write the interpreter into a folder."""
        (folder / _INTENTS_FOLDER).mkdir(parents=True, exist_ok=True)
        self._model.save(folder / _INTENTS_FOLDER)
        entities = json.dumps(self.extractor.to_json(), ensure_ascii=False)
        (folder / _ENTITIES_FILE).write_text(entities, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "SimilarityInterpreter":
        """Read what :meth:`save` wrote. Raises ModelUnreadable for anything else."""
        model = LinearModel.load(folder / _INTENTS_FOLDER)
        foreign = set(model.labels) - set(Intent)
        if foreign:
            raise ModelUnreadable(folder, f"unknown intents {sorted(foreign)}")
        return cls(model, load_extractor(folder))


def load_extractor(folder: Path) -> EntityExtractor:
    """The entity extractor of a saved interpreter. Raises ModelUnreadable."""
    path = folder / _ENTITIES_FILE
    try:
        return EntityExtractor.from_json(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError, re.error) as unreadable:
        detail = f"{type(unreadable).__name__}: {unreadable}"
        raise ModelUnreadable(path, detail) from unreadable
