"""The product with a real Rasa beside it, which is then stopped, killed and started again.

Whatever happens to Rasa, every message is answered, in time, and nobody in front notices.
"""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot import repository
from nlu.train import RasaServer, rasa_command, rasa_environment, train_rasa
from tests.conftest import need
from tests.nlu.samples import ROOT, write_small
from tests.postgres import free_port
from tests.product import ENTRIES, Chat, Product, copy_workspace, make_settings, serving

pytestmark = [
    pytest.mark.rasa,
    pytest.mark.timeout(600),
]

RASA = ROOT / ".venv-rasa" / "bin" / "rasa"
TOKEN = "t0ken"
READY_LIMIT_S = 240.0
#: Nobody waits longer than this for an answer, whatever Rasa does; a Rasa that was waited for would
#: not answer at all. Generous for a machine that does much else.
ANSWER_LIMIT_S = 5.0
QUESTIONS = [(question, ref) for question, ref, _, kind in ENTRIES if kind == "answer"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model by the pipeline that ships, taught a small training set."""
    need(RASA.is_file(), "Rasa")
    root = tmp_path_factory.mktemp("rasa-live")
    return train_rasa(RASA, ROOT / "config.yml", write_small(root / "data"), root / "models")


@contextmanager
def rasa(model: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A Rasa server that answers; killed in the end, stopped or not."""
    process = subprocess.Popen(
        rasa_command(RASA, model, RasaServer(port=port, token=TOKEN)),
        cwd=model.parent,
        env=rasa_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_until_ready(process, port)
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    url = f"http://127.0.0.1:{port}/model/parse"
    ended = time.monotonic() + READY_LIMIT_S
    while time.monotonic() < ended:
        assert process.poll() is None, "rasa run ended"
        try:
            asked = {"text": "你好"}
            if httpx.post(url, json=asked, params={"token": TOKEN}, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    pytest.fail("rasa run did not become ready")


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture
async def beside_rasa(
    prepared_workspace: Path, tmp_path: Path, port: int
) -> AsyncIterator[Product]:
    """The product that asks the Rasa of this port, and soon again after a failure."""
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    settings = make_settings(
        home,
        enabled=True,
        rasa_url=f"http://127.0.0.1:{port}",
        rasa_token=TOKEN,
        ask_rasa_below=1,
        breaker_open_s=0.3,
        breaker_max_open_s=1.0,
    )
    async with serving(settings) as running:
        yield running


async def interpreters(chat: Chat) -> list[str]:
    """Who understood each message of this conversation."""
    async with chat.product.services.database.reading() as session:
        turns = await repository.turns_of(session, chat.id)
    return [turn.understanding["interpreter"] for turn in turns]


async def ask(chat: Chat, question: str) -> tuple[list[dict[str, Any]], float]:
    """What was said to a question, and how long the user looked at the dots."""
    started = time.monotonic()
    said = await chat.say(question)
    return said, time.monotonic() - started


async def talk(chat: Chat, rounds: int) -> float:
    """Ask in turn and check every answer; the longest wait, seconds."""
    longest = 0.0
    for n in range(rounds):
        question, ref = QUESTIONS[n % len(QUESTIONS)]
        said, waited = await ask(chat, question)
        assert [message["data"].get("ref") for message in said] == [ref]
        longest = max(longest, waited)
    return longest


async def until_rasa_understands(product: Product, within_s: float = 30.0) -> None:
    """Ask until Rasa takes part again; a busy machine may need several attempts."""
    ended = time.monotonic() + within_s
    chat = await product.open()
    while time.monotonic() < ended:
        await ask(chat, QUESTIONS[0][0])
        if "rasa" in (await interpreters(chat))[-1]:
            return
        await asyncio.sleep(0.2)
    raise AssertionError("Rasa was never used")


async def test_rasa_slow_then_dead_then_back(beside_rasa: Product, model: Path, port: int) -> None:
    product = beside_rasa
    before = await product.open()
    assert await talk(before, 2) < ANSWER_LIMIT_S  # nobody listens on the port yet
    assert set(await interpreters(before)) == {"similarity"}

    with rasa(model, port) as process:
        await until_rasa_understands(product)

        os.killpg(process.pid, signal.SIGSTOP)
        stopped = await product.open()
        assert await talk(stopped, 7) < ANSWER_LIMIT_S
        assert set(await interpreters(stopped)) == {"similarity"}
        os.killpg(process.pid, signal.SIGCONT)
        await until_rasa_understands(product)

        chats = [await product.open() for _ in range(4)]
        talking = [asyncio.create_task(talk(chat, 8)) for chat in chats]
        await asyncio.sleep(0.3)
        os.killpg(process.pid, signal.SIGKILL)
        assert max(await asyncio.gather(*talking)) < ANSWER_LIMIT_S
        for chat in chats:
            used = await interpreters(chat)
            assert len(used) == 8
            assert used[-1] == "similarity"
    await nothing_is_pending(product)


@pytest.mark.slow
async def test_a_restarted_rasa_is_used_again(beside_rasa: Product, model: Path, port: int) -> None:
    product = beside_rasa
    for _ in range(2):
        with rasa(model, port):
            await until_rasa_understands(product)
        after = await product.open()
        assert await talk(after, 2) < ANSWER_LIMIT_S
        assert set(await interpreters(after)) == {"similarity"}
    await nothing_is_pending(product)


async def nothing_is_pending(product: Product) -> None:
    """No message of any conversation is left without its answer."""
    await product.settle()
    async with product.services.database.reading() as session:
        assert list(await repository.pending_conversations(session)) == []
