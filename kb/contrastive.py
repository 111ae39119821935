"""Trains the bag of features from groups of texts that mean the same.

Every text is to be nearest to the sum of the others of its group, among the sums of all groups:
the question "would it be found if it were not in the knowledge base?" is asked of each text in
every step. Deterministic for a seed; knows nothing of articles or guides.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from kb.encoder import Vocabulary, weighted_features
from kb.encoder_module import NgramBag

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class BagSettings:
    """How the bag is built and trained. The defaults won on development data; see ADR 8."""

    dimension: int = 256
    steps: int = 160
    batch: int = 2_048
    rate: float = 0.01
    temperature: float = 0.05
    dropped_share: float = 0.3


@dataclass(frozen=True, slots=True)
class _Bags:
    """All texts as feature rows and weights, one after the other; `starts` has a last end."""

    rows: NDArray[np.int64]
    weights: NDArray[np.float32]
    starts: NDArray[np.int64]
    groups: NDArray[np.int64]

    def take(self, texts: NDArray[np.int64]) -> "_Bags":
        """The bags of some texts, groups renumbered from 0."""
        spans = [np.arange(self.starts[text], self.starts[text + 1]) for text in texts]
        flat = np.concatenate(spans)
        return _Bags(
            rows=self.rows[flat],
            weights=self.weights[flat],
            starts=np.cumsum([0, *map(len, spans)]),
            groups=np.unique(self.groups[texts], return_inverse=True)[1],
        )


def train_bag(
    groups: Sequence[Sequence[str]],
    *,
    settings: BagSettings,
    seed: int,
    progress: Progress = lambda _share: None,
) -> NgramBag:
    """A bag trained on groups of texts that mean the same; groups of one only push others away.

    Two bags may be trained at once in two threads: nothing random is shared between them.
    """
    # The matrices are too small to share: threads of torch's own would wait for each other by
    # spinning, and take ten times as long as soon as the machine has anything else to do.
    torch.set_num_threads(1)
    chance = torch.Generator().manual_seed(seed)
    texts = [text for group in groups for text in group]
    vocabulary = build_vocabulary(texts)
    weights = torch.randn(len(vocabulary), settings.dimension, generator=chance)
    weights /= math.sqrt(settings.dimension)
    bag = NgramBag(vocabulary, weights)
    numbers = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    bags = _bags(vocabulary, texts, numbers)
    if len(groups) > 1:
        _optimise(bag, bags, settings, chance, progress)
    return bag


def build_vocabulary(texts: Sequence[str]) -> Vocabulary:
    """Every feature of the texts, in a stable order; never empty."""
    return Vocabulary(
        sorted({feature for text in texts for feature in weighted_features(text)} or "?")
    )


def _bags(vocabulary: Vocabulary, texts: Sequence[str], groups: NDArray[np.int64]) -> _Bags:
    bags = [vocabulary.bag(text) for text in texts]
    return _Bags(
        rows=np.array([row for rows, _ in bags for row in rows], dtype=np.int64),
        weights=np.array([one for _, many in bags for one in many], dtype=np.float32),
        starts=np.cumsum([0, *(len(rows) for rows, _ in bags)]),
        groups=groups,
    )


def _optimise(
    bag: NgramBag,
    bags: _Bags,
    settings: BagSettings,
    chance: torch.Generator,
    progress: Progress,
) -> None:
    epochs = math.ceil(len(bags.groups) / settings.batch)
    steps = settings.steps * max(1, round(math.sqrt(epochs)))
    optimiser = torch.optim.Adam(bag.parameters(), lr=settings.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.rate, total_steps=steps, pct_start=0.1
    )
    batches = _batches(bags, settings.batch, np.random.default_rng(chance.initial_seed()))
    for step in range(steps):
        loss = _loss(bag, next(batches), settings, chance)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not annotate it
        optimiser.step()
        schedule.step()
        progress((step + 1) / steps)


def _batches(bags: _Bags, size: int, random: np.random.Generator) -> Iterator[_Bags]:
    """Endless batches; a group's texts stay together, groups are shuffled."""
    if len(bags.groups) <= size:
        while True:
            yield bags
    everything = np.arange(len(bags.groups))
    members = np.split(everything, np.flatnonzero(np.diff(bags.groups)) + 1)
    while True:
        batch: list[NDArray[np.int64]] = []
        filled = 0
        for number in random.permutation(len(members)):
            batch.append(members[number])
            filled += len(members[number])
            if filled >= size:
                yield bags.take(np.concatenate(batch))
                batch, filled = [], 0


def _loss(
    bag: NgramBag, bags: _Bags, settings: BagSettings, chance: torch.Generator
) -> torch.Tensor:
    """Cross-entropy of each text's own group, its sum taken without the text itself."""
    groups = torch.from_numpy(bags.groups)
    count = int(bags.groups.max()) + 1
    asked = functional.normalize(_encode(bag, bags, settings.dropped_share, chance), dim=1)
    texts = _encode(bag, bags, settings.dropped_share, chance)
    sums = torch.zeros(count, texts.shape[1]).index_add(0, groups, texts)
    likeness = asked @ functional.normalize(sums, dim=1).T
    # A text that is alone in its group is compared with its own other half.
    several = (torch.bincount(groups, minlength=count)[groups] > 1).unsqueeze(1)
    others = functional.normalize(sums[groups] - texts * several, dim=1)
    own = (asked * others).sum(1)
    likeness = likeness.scatter(1, groups.unsqueeze(1), own.unsqueeze(1))
    return functional.cross_entropy(likeness / settings.temperature, groups)


def _encode(
    bag: NgramBag, bags: _Bags, dropped_share: float, chance: torch.Generator
) -> torch.Tensor:
    """Sums of the features of each text, some of them dropped at random."""
    kept = torch.rand(len(bags.rows), generator=chance) > dropped_share
    return functional.embedding_bag(
        torch.from_numpy(bags.rows),
        bag.embedding.weight,
        torch.from_numpy(bags.starts[:-1]),
        mode="sum",
        per_sample_weights=torch.from_numpy(bags.weights) * kept,
    )
