"""``caiwen kb fine-tune``: a copy of the set sentence-transformers model learns this workspace."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.context import run, state_of
from bot.deployment import Deployment
from bot.learning import read_corpus, read_lexicon
from kb.errors import TuningRefused
from kb.fine_tuning import TuningSettings, tuned_copy
from kb.normalise import Normaliser
from kb.units import search_texts


def fine_tune(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="写到哪个文件夹；必须还不存在。")],
    model: Annotated[
        str, typer.Option(help="从哪个模型开始；默认 CAIWEN_KB__EMBEDDER 设的那个。")
    ] = "",
    epochs: Annotated[int, typer.Option(min=1, max=20, help="把全部问法学几遍。")] = 2,
    batch: Annotated[int, typer.Option(min=2, max=256, help="一次比较多少条。")] = 32,
    rate: Annotated[float, typer.Option(min=1e-7, max=1e-2, help="学习率。")] = 2e-5,
) -> None:
    """Fine-tune a copy of the set model on what is published here; nothing is switched over."""
    state = state_of(context)
    settings = state.settings.kb
    begun_with = model or settings.embedder
    if not begun_with:
        raise state.fail("tuning.no_model")
    groups = run(state, _groups(state))
    state.say("tuning.begun", model=begun_with, answers=len(groups))
    tuning = TuningSettings(epochs=epochs, batch=batch, rate=rate, seed=settings.seed)
    try:
        tuned = tuned_copy(
            begun_with,
            out,
            groups,
            tuning,
            query_prompt=settings.query_prompt,
            progress=_shower(state),
        )
    except TuningRefused as refused:
        raise state.fail(f"tuning.refused.{refused.reason}", detail=refused.detail) from None
    state.say(
        "tuning.done",
        pairs=tuned.pairs,
        first=f"{tuned.first_loss:.3f}",
        last=f"{tuned.last_loss:.3f}",
        out=out.resolve(),
    )


async def _groups(state: Deployment) -> list[Sequence[str]]:
    """The texts of each published answer, as search sees them."""
    database = state.database()
    try:
        corpus = await read_corpus(database)
        async with database.reading() as session:
            lexicon = await read_lexicon(session)
    finally:
        await database.dispose()
    return [text.units for text in search_texts(corpus, Normaliser(lexicon))]


def _shower(state: Deployment) -> Callable[[float], None]:
    """Says every tenth that is done: it may take an hour."""
    told = 0

    def show(share: float) -> None:
        nonlocal told
        if int(share * 10) > told:
            told = int(share * 10)
            state.say("tuning.progress", share=told * 10)

    return show
