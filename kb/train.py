"""Builds the search index of a workspace from everything that is published.

Trains the embedder (unless a model is set), fits the weights on held-out questions, writes all of
it beside the current index and makes it current in one step. Deterministic for a seed. Refuses to
build from nothing.
"""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kb import chance
from kb.articles import AnswerOrigin, Corpus
from kb.calibration import GUIDES_ONLY, PRIOR, Asked, Sample, fit
from kb.embedder import Embedder, NgramEmbedder, load_embedder
from kb.encoder import NgramEncoder
from kb.errors import NothingPublished
from kb.fusion import Cuts, Fusion
from kb.index_holder import TRAINED_PREFIX, indexes_dir, make_current, trained_model_dir
from kb.lexicon import Lexicon
from kb.normalise import Normaliser
from kb.search_index import FORMAT, Manifest, Searchable, SearchIndex, Words
from kb.settings import KnowledgeSettings
from kb.units import SearchText, search_texts

if TYPE_CHECKING:
    from kb.encoder_module import NgramBag

#: Of the entries with similar questions, this share is left out of the calibration index whole:
#: their questions are the ones that nothing answers.
REMOVED_SHARE = 0.2
ASKED_OF_REMOVED = 3
#: Weights are fitted on so many answers, drawn by chance: they say what a signal is worth, and a
#: second model of a whole large knowledge base would double the time and the memory of a build.
CALIBRATED_ANSWERS = 1_000
#: With fewer articles nothing can be held out without taking most of the knowledge base away.
FEWEST_ARTICLES = 10


class Stage(StrEnum):
    """What a build is doing."""

    CALIBRATING = "calibrating"
    TRAINING = "training"
    INDEXING = "indexing"
    DONE = "done"


Progress = Callable[[Stage, float], None]


@dataclass(frozen=True, slots=True)
class Build:
    """A finished build."""

    revision: str
    model: str
    answers: int
    units: int
    seconds: float


def build_index(
    home: Path,
    corpus: Corpus,
    settings: KnowledgeSettings,
    *,
    lexicon: Lexicon,
    negatives: Sequence[str],
    now: datetime,
    progress: Progress = lambda _stage, _share: None,
    admit: Callable[[SearchIndex], None] = lambda _index: None,
) -> Build:
    """Train, calibrate, index and make current; raises NothingPublished for an empty corpus.

    `negatives` are everyday questions that no helpdesk answers, for calibration. `admit` sees the
    index before anybody else; when it raises, what was current stays so.
    """
    if not corpus.answers:
        raise NothingPublished
    started = time.monotonic()
    normaliser = Normaliser(lexicon)
    texts = search_texts(corpus, normaliser)
    revision = f"{now.astimezone(UTC):%Y%m%dT%H%M%S%f}-{corpus.revision[:12]}"
    asked = [normaliser.marked(normaliser.query(text)) for text in negatives]
    with ThreadPoolExecutor(settings.training_threads) as pool:
        training = pool.submit(_final_embedder, home, revision, texts, settings, progress)
        fitting = pool.submit(calibrate, texts, asked, settings, lexicon.everyday, progress)
        reading = pool.submit(Words.build, texts, lexicon.everyday)
        fusion, (embedder, model) = fitting.result(), training.result()
    progress(Stage.INDEXING, 0.0)
    searchable = Searchable.build(texts, embedder, reading.result())
    manifest = Manifest(
        format=FORMAT,
        revision=revision,
        corpus=corpus.revision,
        model=model,
        dimension=embedder.dimension,
        answers=len(corpus.answers),
        units=len(searchable.vectors),
        built_at=now.astimezone(UTC).isoformat(),
    )
    index = SearchIndex(manifest, corpus.answers, normaliser, searchable, fusion)
    admit(index)
    _install(home, index)
    progress(Stage.DONE, 1.0)
    return Build(
        revision, model, len(corpus.answers), len(searchable.vectors), time.monotonic() - started
    )


def calibrate(
    texts: Sequence[SearchText],
    negatives: Sequence[str],
    settings: KnowledgeSettings,
    everyday: Mapping[str, float],
    progress: Progress = lambda _stage, _share: None,
) -> Fusion:
    """Weights and cuts from questions held out of the corpus itself."""
    cuts = Cuts(settings.answer_from, settings.offer_from)
    held = hold_out(drawn(texts, settings.seed), negatives, settings.seed)
    if held is None:
        articles = sum(text.origin is AnswerOrigin.ARTICLE for text in texts)
        return Fusion(PRIOR if 2 * articles > len(texts) else GUIDES_ONLY, cuts)
    embedder = held_out_embedder(
        held.texts, settings, lambda share: progress(Stage.CALIBRATING, 0.9 * share)
    )
    searchable = Searchable.build(held.texts, embedder, Words.build(held.texts, everyday))
    samples = [
        Sample(searchable.signals(question.text), question.gold, question.asked)
        for question in held.questions
    ]
    fusion = fit(samples, cuts)
    progress(Stage.CALIBRATING, 1.0)
    return fusion


@dataclass(frozen=True, slots=True)
class HeldOutQuestion:
    """A question that was taken out, and the row of its answer if that stayed."""

    text: str
    gold: int | None
    asked: Asked


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A corpus with questions taken out, and those questions."""

    texts: list[SearchText]
    questions: list[HeldOutQuestion]


def drawn(texts: Sequence[SearchText], seed: int) -> Sequence[SearchText]:
    """Those that weights are fitted on, in their order; all of a knowledge base that is small."""
    if len(texts) <= CALIBRATED_ANSWERS:
        return texts
    rows = np.sort(chance.order(map(_name, texts), seed)[:CALIBRATED_ANSWERS])
    return [texts[row] for row in rows]


def hold_out(texts: Sequence[SearchText], negatives: Sequence[str], seed: int) -> HeldOut | None:
    """Take a question from every article, and some articles whole; None with too few articles."""
    rows = [
        row
        for row, text in enumerate(texts)
        if text.origin is AnswerOrigin.ARTICLE and len(text.heads) > 1
    ]
    if len(rows) < FEWEST_ARTICLES:
        return None
    shuffled = chance.order((_name(texts[row]) for row in rows), seed)
    removed = {rows[place] for place in shuffled[: round(len(rows) * REMOVED_SHARE)]}
    held = HeldOut([], [HeldOutQuestion(text, None, Asked.FOREIGN) for text in negatives if text])
    for row, text in enumerate(texts):
        if row in removed:
            asked = text.heads[:ASKED_OF_REMOVED]
            held.questions.extend(HeldOutQuestion(head, None, Asked.REMOVED) for head in asked)
        elif row in rows:
            place = 1 + int(chance.order(text.heads[1:], seed)[0])
            question = HeldOutQuestion(text.heads[place], len(held.texts), Asked.ANSWERED)
            held.questions.append(question)
            rest = text.heads[:place] + text.heads[place + 1 :]
            held.texts.append(replace(text, heads=rest))
        else:
            held.texts.append(text)
    return held


def _name(text: SearchText) -> str:
    """What chance knows an answer by."""
    return text.heads[0] if text.heads else text.body


def _final_embedder(
    home: Path,
    revision: str,
    texts: Sequence[SearchText],
    settings: KnowledgeSettings,
    progress: Progress,
) -> tuple[Embedder, str]:
    if settings.embedder:
        model = settings.embedder
        return load_embedder(model, query_prompt=settings.query_prompt), model
    from kb.encoder_module import save_trained  # noqa: PLC0415 - loads torch

    bag = _train(texts, settings, lambda share: progress(Stage.TRAINING, share))
    model = TRAINED_PREFIX + revision
    folder = trained_model_dir(home, model)
    folder.parent.mkdir(parents=True, exist_ok=True)
    save_trained(bag, folder)
    return load_embedder(folder), model


def held_out_embedder(
    texts: Sequence[SearchText],
    settings: KnowledgeSettings,
    progress: Callable[[float], None] = lambda _share: None,
) -> Embedder:
    """An embedder for these texts that is not kept; it has seen nothing else."""
    if settings.embedder:
        return load_embedder(settings.embedder, query_prompt=settings.query_prompt)
    bag = _train(texts, settings, progress)
    weights = bag.embedding.weight.detach().numpy()
    return NgramEmbedder("calibration", NgramEncoder(bag.vocabulary, weights))


def _train(
    texts: Sequence[SearchText],
    settings: KnowledgeSettings,
    progress: Callable[[float], None],
) -> "NgramBag":
    from kb.contrastive import BagSettings, train_bag  # noqa: PLC0415 - loads torch

    groups = [text.units for text in texts]
    return train_bag(
        [group for group in groups if group],
        settings=BagSettings(),
        seed=settings.seed,
        progress=progress,
    )


def _install(home: Path, index: SearchIndex) -> None:
    revision = index.manifest.revision
    final = indexes_dir(home) / revision
    building = final.with_name(revision + ".tmp")
    building.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(building, ignore_errors=True)
    index.save(building)
    building.rename(final)
    make_current(home, revision)
