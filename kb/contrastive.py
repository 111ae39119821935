"""Trains the bag of features from groups of texts that mean the same.

Every text is to be nearest to the sum of the others of its group, among the sums of all groups:
the question "would it be found if it were not in the knowledge base?" is asked of each text in
every step. Deterministic for a seed, and what is left to chance belongs to the texts themselves
(`kb.chance`): a group more or less hardly moves the others. Knows nothing of articles or guides.
"""

import math
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, repeat

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from kb import chance
from kb.encoder import Vocabulary, weighted_features
from kb.encoder_module import NgramBag
from kb.row_adam import RowAdam, one_cycle

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class BagSettings:
    """How the bag is built and trained. The defaults won on development data; see ADR 8.

    From `many` texts on, vectors are shorter: they find as much there, in half the time and memory.
    """

    dimension: int = 256
    dimension_of_many: int = 128
    many: int = 20_000
    steps: int = 160
    most_steps: int = 320
    batch: int = 2_048
    rate: float = 0.003
    temperature: float = 0.06
    dropped_share: float = 0.3


@dataclass(frozen=True, slots=True)
class _Bags:
    """All texts as feature rows and weights, one after the other; `starts` has a last end.

    Chance is drawn by `keys`, one for each feature of each text, and by `names`, one a text.
    """

    rows: NDArray[np.int64]
    weights: NDArray[np.float32]
    starts: NDArray[np.int64]
    groups: NDArray[np.int64]
    keys: chance.Keys
    names: chance.Keys

    def batch(self, texts: NDArray[np.int64]) -> "_Batch":
        """Some texts, groups and rows renumbered from 0."""
        spans = [np.arange(self.starts[text], self.starts[text + 1]) for text in texts]
        flat = np.concatenate(spans)
        used, rows = np.unique(self.rows[flat], return_inverse=True)
        groups = np.unique(self.groups[texts], return_inverse=True)[1]
        return _Batch(
            used=torch.from_numpy(used),
            rows=torch.from_numpy(rows),
            weights=torch.from_numpy(self.weights[flat]),
            starts=torch.from_numpy(np.cumsum([0, *map(len, spans[:-1])])),
            groups=torch.from_numpy(groups),
            keys=self.keys[flat],
        )


@dataclass(frozen=True, slots=True)
class _Batch:
    """Texts of one step: `rows` count within `used`, the rows of the table that occur at all."""

    used: torch.Tensor
    rows: torch.Tensor
    weights: torch.Tensor
    starts: torch.Tensor
    groups: torch.Tensor
    keys: chance.Keys


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
    texts = [text for group in groups for text in group]
    numbers = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    vocabulary, bags = _bags(texts, numbers, seed)
    dimension = settings.dimension if len(texts) < settings.many else settings.dimension_of_many
    weights = torch.from_numpy(chance.signs(vocabulary.entries, dimension, seed))
    bag = NgramBag(vocabulary, weights / math.sqrt(dimension))
    if len(groups) > 1:
        _optimise(bag, bags, settings, progress)
    return bag


def _bags(texts: Sequence[str], groups: NDArray[np.int64], seed: int) -> tuple[Vocabulary, _Bags]:
    """Every feature of the texts in a stable order, never none; and the texts' bags of them."""
    met: defaultdict[str, int] = defaultdict()
    met.default_factory = met.__len__
    rows, weights, starts = array("q"), array("f"), [0]
    for text in texts:
        features = weighted_features(text)
        rows.extend([met[feature] for feature in features])
        weights.extend(features.values())
        starts.append(len(rows))
    entries = sorted(met or "?")
    places = np.empty(len(entries), dtype=np.int64)
    places[[met[entry] for entry in entries] if met else [0]] = np.arange(len(entries))
    known = places[np.asarray(rows)] if met else np.zeros(0, np.int64)
    names = chance.keys(texts, seed)
    keys = chance.keys(entries, seed)[known]
    chance.pair(keys, np.repeat(names, np.diff(starts)))
    return Vocabulary(entries), _Bags(
        known, np.asarray(weights), np.asarray(starts), groups, keys, names
    )


def _optimise(
    bag: NgramBag,
    bags: _Bags,
    settings: BagSettings,
    progress: Progress,
) -> None:
    epochs = math.ceil(len(bags.groups) / settings.batch)
    steps = min(settings.steps * max(1, round(math.sqrt(epochs))), settings.most_steps)
    optimiser = RowAdam(bag.embedding.weight.detach())
    batches = _batches(bags, settings.batch)
    for step in range(steps):
        batch = next(batches)
        table = optimiser.weights[batch.used].requires_grad_()
        loss = _loss(table, batch, settings, step)
        (gradient,) = torch.autograd.grad(loss, table)
        optimiser.step(batch.used, gradient, settings.rate * one_cycle(step / steps))
        progress((step + 1) / steps)


def _batches(bags: _Bags, size: int) -> Iterator[_Batch]:
    """Endless batches; a group's texts stay together, groups are shuffled."""
    everything = np.arange(len(bags.groups))
    if len(bags.groups) <= size:
        yield from repeat(bags.batch(everything))
    ends = np.flatnonzero(np.diff(bags.groups)) + 1
    members = np.split(everything, ends)
    firsts = bags.names[[0, *ends]]
    for epoch in count():
        batch: list[NDArray[np.int64]] = []
        filled = 0
        for number in np.argsort(chance.shares(firsts, epoch), kind="stable"):
            batch.append(members[number])
            filled += len(members[number])
            if filled >= size:
                yield bags.batch(np.concatenate(batch))
                batch, filled = [], 0


def _loss(table: torch.Tensor, batch: _Batch, settings: BagSettings, step: int) -> torch.Tensor:
    """Cross-entropy of each text's own group, its sum taken without the text itself."""
    groups = batch.groups
    size = int(groups.max()) + 1
    asked = functional.normalize(_encode(table, batch, settings.dropped_share, 2 * step), dim=1)
    texts = _encode(table, batch, settings.dropped_share, 2 * step + 1)
    sums = torch.zeros(size, texts.shape[1]).index_add(0, groups, texts)
    likeness = asked @ functional.normalize(sums, dim=1).T
    # A text that is alone in its group is compared with its own other half.
    several = (torch.bincount(groups, minlength=size)[groups] > 1).unsqueeze(1)
    others = functional.normalize(sums[groups] - texts * several, dim=1)
    own = (asked * others).sum(1)
    likeness = likeness.scatter(1, groups.unsqueeze(1), own.unsqueeze(1))
    return functional.cross_entropy(likeness / settings.temperature, groups)


def _encode(table: torch.Tensor, batch: _Batch, dropped_share: float, turn: int) -> torch.Tensor:
    """Sums of the features of each text, some of them dropped by chance, others in each turn."""
    kept = torch.from_numpy(chance.shares(batch.keys, turn) >= dropped_share)
    return functional.embedding_bag(
        batch.rows, table, batch.starts, mode="sum", per_sample_weights=batch.weights * kept
    )
