"""Builds what understands messages: Rasa when there is one, always the in-process interpreter."""

from collections.abc import Sequence

import structlog

from bot.settings import Settings, data_dir
from bot.workspace import Workspace
from nlu.category_data import Categorised, read_faq_categories
from nlu.errors import ModelUnreadable
from nlu.interpreter import FallbackInterpreter
from nlu.rasa import RasaInterpreter
from nlu.similarity import SimilarityInterpreter
from nlu.train import Corrections, train_interpreter
from nlu.triage import Triager
from nlu.types import Interpreter

log = structlog.get_logger("bot.understanding")


def build_interpreter(settings: Settings, workspace: Workspace) -> Interpreter:
    """Rasa over HTTP with the in-process interpreter before it; the latter alone when off."""
    fallback = load_fallback(workspace)
    if not settings.nlu.enabled:
        return FallbackInterpreter(None, fallback)
    chosen = settings.nlu
    if not chosen.rasa_token and workspace.secret.is_file():
        token = workspace.secret.read_text(encoding="utf-8").strip()
        chosen = chosen.model_copy(update={"rasa_token": token})
    rasa = RasaInterpreter(chosen, fallback.extractor)
    return FallbackInterpreter(rasa, fallback, ask_below=chosen.ask_rasa_below)


def load_fallback(workspace: Workspace) -> SimilarityInterpreter:
    """The trained in-process interpreter; trained now when there is none or it is unreadable."""
    try:
        return SimilarityInterpreter.load(workspace.interpreter)
    except ModelUnreadable:
        log.info("interpreter_trained_at_start", folder=str(workspace.interpreter))
        return learn_interpreter(workspace)


def learn_interpreter(
    workspace: Workspace,
    categorised: Sequence[Categorised] = (),
    corrections: Corrections | None = None,
) -> SimilarityInterpreter:
    """Train the in-process interpreter and the models of triage from the shipped examples.

    ``categorised`` are questions whose category this workspace's editors have set,
    ``corrections`` what its engineers have set right on tickets.
    """
    shipped = read_faq_categories([data_dir() / "faq"])
    # A workspace with the sample content has the shipped questions too; learnt twice they would
    # outweigh everything else.
    known = tuple(dict.fromkeys((*shipped, *categorised)))
    return train_interpreter(
        [data_dir() / "nlu"], workspace.interpreter, categorised=known, corrections=corrections
    )


def build_triager(workspace: Workspace) -> Triager:
    """What judges severity and category."""
    try:
        return Triager.load(workspace.interpreter)
    except ModelUnreadable:
        load_fallback(workspace)
        return Triager.load(workspace.interpreter)
