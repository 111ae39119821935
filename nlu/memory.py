"""Remembered questions whose category people have set, and which of them a text resembles.

Where no knowledge base is heard, this is what says "such questions are asked about data". Likeness
is the cosine of the category model's own features, found through an inverted list, so that a
thousand questions cost a fraction of a millisecond. Refuses to decide anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from nlu.category_data import Categorised
from nlu.errors import ModelUnreadable
from nlu.linear import Floats, LinearModel, Reading
from nlu.text import Folding
from nlu.triage_types import Similar
from store.vocabulary import Category

MEMORY_FILE = "memory.npz"
#: How many questions are recalled; 5, 8, 10 and 20 were tried.
RECALLED = 10

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Memory:
    """Questions by feature: those with feature ``f`` stand at ``starts[f]:starts[f + 1]``.

    ``questions`` and ``values`` are of the same length, one for each feature of each question;
    ``kinds`` has one place in :class:`Category` for each question.
    """

    starts: Places
    questions: Places
    values: Floats
    kinds: Places

    def recall(self, reading: Reading) -> tuple[Similar, ...]:
        """The questions most like a text, best first, with their likeness; none without words."""
        spans = list(zip(self.starts[reading.places], self.starts[reading.places + 1], strict=True))
        if not spans or not len(self.kinds):
            return ()
        met = np.concatenate([self.questions[start:end] for start, end in spans])
        own = np.concatenate([self.values[start:end] for start, end in spans])
        said = np.repeat(reading.values, [end - start for start, end in spans])
        likeness = np.bincount(met, weights=own * said, minlength=len(self.kinds))
        first = np.argpartition(-likeness, min(RECALLED, len(likeness) - 1))[:RECALLED]
        categories = tuple(Category)
        return tuple(
            Similar(categories[self.kinds[place]], float(likeness[place]))
            for place in first[np.argsort(-likeness[first], kind="stable")]
        )

    def save(self, folder: Path) -> None:
        """Write the memory into an existing folder."""
        np.savez(
            folder / MEMORY_FILE,
            starts=self.starts,
            questions=self.questions,
            values=self.values,
            kinds=self.kinds,
        )

    @classmethod
    def load(cls, folder: Path) -> "Memory":
        """Read what :meth:`save` wrote. Raises ModelUnreadable for anything else."""
        path = folder / MEMORY_FILE
        try:
            with np.load(path, allow_pickle=False) as arrays:
                memory = cls(
                    arrays["starts"], arrays["questions"], arrays["values"], arrays["kinds"]
                )
        except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile) as unreadable:
            raise ModelUnreadable(path, f"{type(unreadable).__name__}") from unreadable
        if not _fits(memory):
            raise ModelUnreadable(path, "numbers out of range")
        return memory


def remember(model: LinearModel, categorised: Sequence[Categorised]) -> Memory:
    """What these messages are remembered by, in the features of a category model."""
    folding, kinds = Folding(), {category: place for place, category in enumerate(Category)}
    readings = [model.read(folding.fold(example.text)) for example in categorised]
    lengths = [len(reading.places) for reading in readings]
    features = np.concatenate([np.empty(0, np.int64), *(r.places for r in readings)])
    values = np.concatenate([np.empty(0, np.float32), *(r.values for r in readings)])
    questions = np.repeat(np.arange(len(readings)), lengths)
    order = np.argsort(features, kind="stable")
    counts = np.bincount(features, minlength=len(model.vocabulary))
    return Memory(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        questions[order],
        values[order].astype(np.float32),
        np.array([kinds[example.category] for example in categorised], dtype=np.int64),
    )


def _fits(memory: Memory) -> bool:
    arrays: tuple[NDArray[Any], ...] = (
        memory.starts,
        memory.questions,
        memory.values,
        memory.kinds,
    )
    if any(array.ndim != 1 for array in arrays) or not len(memory.starts):
        return False
    places = (memory.questions, len(memory.kinds)), (memory.kinds, len(Category))
    return (
        len(memory.questions) == len(memory.values) == memory.starts[-1]
        and bool(np.all(np.diff(memory.starts) >= 0))
        and memory.starts[0] == 0
        and all(not len(a) or (a.min() >= 0 and a.max() < limit) for a, limit in places)
        and bool(np.isfinite(memory.values).all())
    )
