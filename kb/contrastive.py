"""Trains the bag of n-grams from groups of texts that mean the same.

Texts of one group are pulled together, all others pushed apart (InfoNCE with several positives).
Deterministic for a seed; knows nothing of articles or guides.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from kb.encoder import Vocabulary
from kb.encoder_module import NgramBag
from kb.ngrams import ngrams

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class BagSettings:
    """How the bag is built and trained. The defaults won on development data; see ADR 8."""

    longest: int = 2
    dimension: int = 192
    steps: int = 160
    batch: int = 1536
    rate: float = 0.01
    temperature: float = 0.05
    dropped_share: float = 0.3


def train_bag(
    groups: Sequence[Sequence[str]],
    *,
    settings: BagSettings,
    seed: int,
    threads: int,
    progress: Progress = lambda _share: None,
) -> NgramBag:
    """A bag trained on groups of texts that mean the same; groups of one only push others away."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    texts = [text for group in groups for text in group]
    labels = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    vocabulary = build_vocabulary(texts, settings.longest)
    weights = torch.randn(len(vocabulary), settings.dimension) / math.sqrt(settings.dimension)
    bag = NgramBag(vocabulary, weights)
    rows = [np.asarray(vocabulary.rows(text), dtype=np.int64) for text in texts]
    _optimise(bag, rows, labels, settings, seed=seed, progress=progress)
    return bag


def build_vocabulary(texts: Sequence[str], longest: int) -> Vocabulary:
    """Every n-gram of the texts, in a stable order; never empty."""
    counts = Counter(entry for text in texts for entry in set(ngrams(text, longest)))
    return Vocabulary(sorted(counts) or ["\t"], longest)


def _optimise(
    bag: NgramBag,
    rows: Sequence[NDArray[np.int64]],
    labels: NDArray[np.int64],
    settings: BagSettings,
    *,
    seed: int,
    progress: Progress,
) -> None:
    if len(rows) < 2:
        return
    epochs = math.ceil(len(rows) / settings.batch)
    steps = settings.steps * max(1, round(math.sqrt(epochs)))
    optimiser = torch.optim.Adam(bag.parameters(), lr=settings.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.rate, total_steps=steps, pct_start=0.1
    )
    batches = _batches(labels, settings.batch, np.random.default_rng(seed))
    for step in range(steps):
        chosen = next(batches)
        left = _encode(bag, rows, chosen, settings.dropped_share)
        right = _encode(bag, rows, chosen, settings.dropped_share)
        loss = _loss(left @ right.T / settings.temperature, torch.from_numpy(labels[chosen]))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not annotate it
        optimiser.step()
        schedule.step()
        progress((step + 1) / steps)


def _batches(
    labels: NDArray[np.int64], size: int, random: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Endless batches of row numbers; a group's texts stay together, groups are shuffled."""
    everything = np.arange(len(labels))
    if len(labels) <= size:
        while True:
            yield everything
    groups = np.split(everything, np.flatnonzero(np.diff(labels)) + 1)
    while True:
        order = random.permutation(len(groups))
        batch: list[NDArray[np.int64]] = []
        filled = 0
        for number in order:
            batch.append(groups[number])
            filled += len(groups[number])
            if filled >= size:
                yield np.concatenate(batch)
                batch, filled = [], 0


def _encode(
    bag: NgramBag,
    rows: Sequence[NDArray[np.int64]],
    chosen: NDArray[np.int64],
    dropped_share: float,
) -> torch.Tensor:
    bags = [rows[number] for number in chosen]
    offsets = np.cumsum([0, *(len(one) for one in bags[:-1])])
    flat = torch.from_numpy(np.concatenate(bags))
    kept = (torch.rand(len(flat)) > dropped_share).float()
    sums = functional.embedding_bag(
        flat,
        bag.embedding.weight,
        torch.from_numpy(offsets),
        mode="sum",
        per_sample_weights=kept,
    )
    return functional.normalize(sums, dim=1)


def _loss(likeness: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean negative log-likelihood of the other texts of one's group; of itself when alone."""
    same = labels[:, None] == labels[None, :]
    itself = torch.eye(len(labels), dtype=torch.bool)
    alone = (same.sum(1) == 1)[:, None]
    positive = torch.where(alone, itself, same & ~itself)
    likeness = likeness.masked_fill(itself & ~alone, -1e4)
    logs = functional.log_softmax(likeness, dim=1)
    return -((logs * positive).sum(1) / positive.sum(1)).mean()
