"""A real Rasa: trained on a handful of messages, served, asked, killed in the middle."""

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from nlu.breaker import Closed
from nlu.errors import InterpreterUnavailable
from nlu.interpreter import FallbackInterpreter
from nlu.rasa import RasaInterpreter
from nlu.settings import NluSettings
from nlu.similarity import SimilarityInterpreter
from nlu.train import RasaServer, rasa_command, rasa_environment, train_rasa
from nlu.types import Intent
from tests.conftest import need
from tests.nlu.samples import ROOT, write_small
from tests.nlu.test_contract import HOSTILE, check

pytestmark = [
    pytest.mark.rasa,
    pytest.mark.timeout(600),
]

RASA = ROOT / ".venv-rasa" / "bin" / "rasa"
TOKEN = "t0ken"
READY_LIMIT_S = 240.0
LIMIT_S = 0.3


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model by the default pipeline, taught the small training set."""
    need(RASA.is_file(), "Rasa")
    root = tmp_path_factory.mktemp("rasa")
    data = write_small(root / "data")
    return train_rasa(RASA, ROOT / "config.yml", data, root / "models")


class Server:
    """A running Rasa server."""

    def __init__(self, model: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            rasa_command(RASA, model, RasaServer(port=self.port, token=TOKEN)),
            cwd=model.parent,
            env=rasa_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait(self) -> None:
        """Until it has parsed a message."""
        ended = time.monotonic() + READY_LIMIT_S
        while time.monotonic() < ended:
            assert self.process.poll() is None, "rasa run ended"
            try:
                if self.post({"text": "你好"}).is_success:
                    return
            except httpx.HTTPError:
                time.sleep(0.2)
        pytest.fail("rasa run did not become ready")

    def post(self, content: object, token: str = TOKEN) -> httpx.Response:
        """Ask it directly."""
        url = f"{self.url}/model/parse"
        return httpx.post(url, json=content, params={"token": token}, trust_env=False, timeout=30)

    def kill(self) -> None:
        """End it as the kernel would."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


@pytest.fixture(scope="module")
def server(model: Path) -> Iterator[Server]:
    """A server that the tests of this module share; the last one kills it."""
    running = Server(model)
    try:
        running.wait()
        yield running
    finally:
        running.kill()


def settings(server: Server, *, deadline_s: float) -> NluSettings:
    return NluSettings(rasa_url=server.url, rasa_token=TOKEN, deadline_s=deadline_s)


async def test_it_understands_what_it_was_taught(
    server: Server, small: SimilarityInterpreter
) -> None:
    rasa = RasaInterpreter(settings(server, deadline_s=10), small.extractor)
    answer = await rasa.parse("支付申请怎么撤回")
    assert (answer.intent, answer.interpreter) == (Intent.ASK_QUESTION, "rasa")
    assert [(e.name, e.value) for e in answer.entities] == [("module", "支付申请")]
    assert {intent for intent, _ in answer.ranking} == {
        Intent.ASK_QUESTION,
        Intent.REPORT_FAULT,
        Intent.GREET,
        Intent.THANKS,
        Intent.POLICY_QUESTION,
    }
    await rasa.close()


async def test_hostile_texts_do_not_trouble_it(
    server: Server, small: SimilarityInterpreter
) -> None:
    rasa = RasaInterpreter(settings(server, deadline_s=10), small.extractor)
    for text in HOSTILE:
        check(text, await rasa.parse(text))
    await rasa.close()


def test_it_wants_the_token(server: Server) -> None:
    assert server.post({"text": "你好"}, token="wrong").status_code == 401


async def test_without_the_token_it_is_unavailable(
    server: Server, small: SimilarityInterpreter
) -> None:
    chosen = settings(server, deadline_s=10).model_copy(update={"rasa_token": "wrong"})
    rasa = RasaInterpreter(chosen, small.extractor)
    with pytest.raises(InterpreterUnavailable):
        await rasa.parse("你好")
    await rasa.close()


async def test_killed_in_the_middle_nobody_notices(
    server: Server, small: SimilarityInterpreter
) -> None:
    rasa = RasaInterpreter(settings(server, deadline_s=0.2), small.extractor)
    both = FallbackInterpreter(rasa, small)
    texts = ["支付申请怎么撤回", "系统报502", "你好", "谢谢"] * 15
    answers, slowest = [], 0.0
    for number, text in enumerate(texts):
        if number == 20:
            await asyncio.to_thread(server.kill)
        started = time.monotonic()
        answers.append(await both.parse(text))
        slowest = max(slowest, time.monotonic() - started)
    assert slowest < LIMIT_S
    assert both.answered["similarity"] >= 40
    for text, answer in zip(texts, answers, strict=True):
        assert answer.intent is small.understand(text).intent
    # The dead server is left alone: the breaker answers at once.
    assert both.reasons["breaker_open"] > 20
    await both.close()


@pytest.mark.slow
async def test_it_is_found_again_after_a_restart(model: Path, small: SimilarityInterpreter) -> None:
    restarted = Server(model)
    try:
        chosen = settings(restarted, deadline_s=2).model_copy(update={"breaker_open_s": 0.5})
        rasa = RasaInterpreter(chosen, small.extractor)
        both = FallbackInterpreter(rasa, small, wait_s=5)
        assert (await both.parse("谢谢")).interpreter == "similarity"
        await asyncio.to_thread(restarted.wait)
        ended = time.monotonic() + 60
        while (await both.parse("谢谢")).interpreter == "similarity":
            assert time.monotonic() < ended
            await asyncio.sleep(0.1)
        assert isinstance(rasa.breaker_state, Closed)
        await both.close()
    finally:
        restarted.kill()
