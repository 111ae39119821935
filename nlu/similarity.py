"""The in-process interpreter: learned from the same examples as Rasa's, answers in a millisecond.

Understands by how much a text's n-grams resemble those of each intent's examples; entities come
from fixed formats and known phrases. Needs no other process, no network and no large library.
Refuses to train; :mod:`nlu.train` does that.
"""

import json
import shutil
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
        """Write the interpreter to a folder, replacing what was there in one step."""
        fresh = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        (fresh / _INTENTS_FOLDER).mkdir(parents=True)
        self._model.save(fresh / _INTENTS_FOLDER)
        entities = json.dumps(self.extractor.to_json(), ensure_ascii=False)
        (fresh / _ENTITIES_FILE).write_text(entities, encoding="utf-8")
        _replace(fresh, folder)

    @classmethod
    def load(cls, folder: Path) -> "SimilarityInterpreter":
        """Read what :meth:`save` wrote. Raises ModelUnreadable for anything else."""
        model = LinearModel.load(folder / _INTENTS_FOLDER)
        try:
            saved = json.loads((folder / _ENTITIES_FILE).read_text("utf-8"))
            return cls(model, EntityExtractor.from_json(saved))
        except (OSError, ValueError, KeyError, TypeError) as unreadable:
            raise ModelUnreadable(
                folder, f"{type(unreadable).__name__}: {unreadable}"
            ) from unreadable


def _replace(fresh: Path, folder: Path) -> None:
    """Put the fresh folder in the old one's place. A crash between leaves one of them whole."""
    old = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
