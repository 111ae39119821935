"""Tunes a deployment's own sentence-transformers model on what its knowledge base says.

A copy learns that the questions of one answer belong together, and a heading with its passage,
against those of all others. The model that it began with is not touched, and the model that is
trained here (`kb.contrastive`) needs none of this. Deterministic for a seed.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kb.embedder import SentenceTransformerEmbedder, is_trained_here
from kb.errors import TuningRefused

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Progress = Callable[[float], None]
Pair = tuple[str, str]

#: A batch of one answer alone would have nothing to tell it from.
FEWEST_GROUPS = 2
_WARM_UP = 0.1
_LONGEST_GRADIENT = 1.0


@dataclass(frozen=True, slots=True)
class TuningSettings:
    """The defaults are those that the models' authors advise for a few thousand pairs."""

    epochs: int = 2
    batch: int = 32
    rate: float = 2e-5
    seed: int = 2


@dataclass(frozen=True, slots=True)
class Tuned:
    """What was learnt: pairs seen, and the mean loss of the first and of the last epoch."""

    pairs: int
    first_loss: float
    last_loss: float


def tuned_copy(
    model_name: str,
    out: Path,
    groups: Sequence[Sequence[str]],
    settings: TuningSettings,
    *,
    query_prompt: str = "",
    progress: Progress = lambda _share: None,
) -> Tuned:
    """Write a tuned copy of a model, by folder or hub name, to a folder that is not there yet.

    `groups` are texts that mean the same; groups of one are left out. The first of a pair is put
    as a question, with `query_prompt` before it.

    Raises:
        TuningRefused: exists, trained_here, unreadable or few.
    """
    if out.exists():
        raise TuningRefused("exists", str(out))
    if is_trained_here(Path(model_name)):
        raise TuningRefused("trained_here", model_name)
    several = [tuple(dict.fromkeys(group)) for group in groups]
    several = [group for group in several if len(group) > 1]
    if len(several) < FEWEST_GROUPS:
        raise TuningRefused("few", str(len(several)))
    model = _loaded(model_name)
    losses = _optimise(model, several, settings, query_prompt, progress)
    _save(model, out)
    return Tuned(sum(map(len, several)) * settings.epochs, losses[0], losses[-1])


def _loaded(model_name: str) -> "SentenceTransformer":
    try:
        return SentenceTransformerEmbedder(model_name).model
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        # The library has no type of its own for what cannot be found, fetched or read.
        raise TuningRefused("unreadable", model_name) from error


def _optimise(
    model: "SentenceTransformer",
    groups: Sequence[Sequence[str]],
    settings: TuningSettings,
    query_prompt: str,
    progress: Progress,
) -> list[float]:
    """The mean loss of each epoch."""
    import torch  # noqa: PLC0415 - large and rarely used
    from sentence_transformers.sentence_transformer.losses import (  # noqa: PLC0415
        MultipleNegativesRankingLoss,
    )

    torch.manual_seed(settings.seed)
    random = np.random.default_rng(settings.seed)
    epochs = [list(_batches(groups, settings.batch, random)) for _ in range(settings.epochs)]
    steps = sum(map(len, epochs))
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step / steps))
    judge = MultipleNegativesRankingLoss(model)
    model.train()
    means: list[float] = []
    done = 0
    for batches in epochs:
        total = 0.0
        for batch in batches:
            sides = [[query_prompt + asked for asked, _ in batch], [found for _, found in batch]]
            loss = judge([model.preprocess(side) for side in sides], torch.zeros(len(batch)))
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), _LONGEST_GRADIENT)
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
            done += 1
            progress(done / steps)
        means.append(total / len(batches))
    model.eval()
    return means


def _batches(
    groups: Sequence[Sequence[str]], size: int, random: np.random.Generator
) -> Iterator[list[Pair]]:
    """Every text once as the question, with another of its group; no group twice in a batch."""
    for turn in range(max(map(len, groups))):
        having = [group for group in groups if len(group) > turn]
        if len(having) < FEWEST_GROUPS:
            return
        order = random.permutation(len(having))
        for part in np.array_split(order, -(-len(order) // max(size, FEWEST_GROUPS))):
            yield [_pair(having[place], turn, random) for place in part]


def _pair(group: Sequence[str], turn: int, random: np.random.Generator) -> Pair:
    other = (turn + int(random.integers(1, len(group)))) % len(group)
    return group[turn], group[other]


def _rate(share: float) -> float:
    """The share of the highest rate when this share of all steps is done: up, then down to 0."""
    return share / _WARM_UP if share < _WARM_UP else (1.0 - share) / (1.0 - _WARM_UP)


def _save(model: "SentenceTransformer", out: Path) -> None:
    """Whole or not at all: a half-written model would be taken for one."""
    building = out.with_name(out.name + ".tmp")
    shutil.rmtree(building, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    model.save(str(building))
    building.rename(out)
