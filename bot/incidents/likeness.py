"""How alike two reports of a fault read: in their characters, their sense, and what answers them.

The knowledge base knows which answers a report resembles; two reports that resemble the same one
are about the same thing, however they put it. Synchronous work for a thread. Measured in
``bench/incidents.py``. Refuses to decide what is alike enough.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Protocol

import numpy as np

from bot.dialogue.turn import Search
from handoff.tables import Ticket
from kb.clustering import Floats, likenesses

#: How much resembling the same answer adds; see ``bench/incidents.py``.
ANSWER_WEIGHT = 0.5
#: The first words of a report say what is wrong.
MOST_CHARS = 400
#: Readings of a busy day; the one longest unused is forgotten first.
KEPT = 1_000


class Reader(Protocol):
    """The knowledge base, as far as reports are read with it."""

    def vectors(self, texts: Sequence[str]) -> Floats:
        """A unit vector per text; zeros where nothing is known."""
        ...

    def search(self, query: str, *, region: str | None, now: datetime) -> Search:
        """What a text resembles."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """One report as it was read: its words, its sense, and the answers it resembles."""

    text: str
    vector: Floats
    answers: Mapping[str, float]


def matter_of(ticket: Ticket) -> str:
    """What a ticket says is wrong, without the name of who says it."""
    text = ticket.description or ticket.title
    plain = text.replace(ticket.unit, "") if ticket.unit else text
    return plain[:MOST_CHARS]


def read(reader: Reader, texts: Sequence[str], now: datetime) -> list[Reading]:
    """Read reports. Searches once per text: milliseconds each."""
    vectors = reader.vectors(texts)
    return [
        Reading(text, vector, _answers(reader, text, now))
        for text, vector in zip(texts, vectors, strict=True)
    ]


class Readings:
    """Readings kept at hand: a storm of reports compares the same tickets again and again.

    Safe from several threads. What was read with an older index is kept until it is forgotten.
    """

    def __init__(self, reader: Reader, limit: int = KEPT) -> None:
        self._reader = reader
        self._limit = limit
        self._known: OrderedDict[str, Reading] = OrderedDict()
        self._lock = Lock()

    def of(self, texts: Sequence[str], now: datetime) -> list[Reading]:
        """A reading per text, made only where there is none yet."""
        with self._lock:
            found = {text: self._known[text] for text in texts if text in self._known}
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if missing:
            found.update((one.text, one) for one in read(self._reader, missing, now))
        with self._lock:
            for text in texts:
                self._known[text] = found[text]
                self._known.move_to_end(text)
            while len(self._known) > self._limit:
                self._known.popitem(last=False)
        return [found[text] for text in texts]


def _answers(reader: Reader, text: str, now: datetime) -> dict[str, float]:
    if not text.strip():
        return {}
    return {one.answer_id: one.score for one in reader.search(text, region=None, now=now).found}


def alike(first: Reading, others: Sequence[Reading]) -> list[float]:
    """How alike each of the ``others`` is to ``first``, 0 to 1."""
    if not others:
        return []
    every = (first, *others)
    size = max(len(one.vector) for one in every)
    # A new index may have another dimension: what was read before it says nothing in its terms.
    vectors = np.stack([_sized(one.vector, size) for one in every])
    worded = likenesses([one.text for one in every], vectors)[0, 1:]
    return [
        min(1.0, float(score) + ANSWER_WEIGHT * _shared(first.answers, other.answers))
        for score, other in zip(worded, others, strict=True)
    ]


def _sized(vector: Floats, size: int) -> Floats:
    return vector if len(vector) == size else np.zeros(size, dtype=np.float32)


def _shared(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return max((min(one[key], other[key]) for key in one.keys() & other.keys()), default=0.0)
