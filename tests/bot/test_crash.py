"""Nothing acknowledged is lost and nothing is shown twice, wherever the process dies."""

import asyncio
import random
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot import repository
from bot.assembly import assemble
from bot.conversations.acting import Actor
from bot.conversations.opening import NewUser
from bot.conversations.thinking import Thinker
from store.base import new_id
from tests.bot.process import patiently, start
from tests.postgres import free_port
from tests.product import ENTRIES, copy_workspace, make_settings

QUESTIONS = [question for question, _, _, kind in ENTRIES if kind == "answer"]


class Died(BaseException):
    """The process is gone: nothing may catch this."""


async def open_conversation(home: Path) -> str:
    services = assemble(make_settings(home))
    user = NewUser(channel="web", external_user=new_id())
    conversation = await services.openings.open(user, token="t", now=services.clock())
    await services.database.dispose()
    return conversation.id


async def transcript(home: Path, conversation_id: str) -> list[tuple[str, str]]:
    services = assemble(make_settings(home))
    async with services.database.reading() as session:
        rows = await repository.messages_after(session, conversation_id, after=1, staff=True)
    await services.database.dispose()
    return [(row.sender, row.kind) for row in rows]


async def live_once(home: Path, conversation_id: str, message_id: str | None) -> None:
    """One life of the process: it may receive one message, and handles what is pending."""
    services = assemble(make_settings(home))
    try:
        if message_id is not None:
            await services.conversations.receive(
                conversation_id, external_id=message_id, text=QUESTIONS[0]
            )
        await services.conversations.recover()
        await services.conversations.settle()
    finally:
        await services.database.dispose()


def die(*_args: Any, **_kwargs: Any) -> None:
    raise Died


@pytest.mark.parametrize("step", ["load", "think", "act", "inside_act", "after_act"])
async def test_death_between_any_two_steps(
    prepared_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    conversation_id = await open_conversation(home)
    with monkeypatch.context() as dying:
        if step == "after_act":
            act = Actor.act

            async def act_and_die(self: Actor, *args: Any) -> None:
                await act(self, *args)
                raise Died

            dying.setattr(Actor, "act", act_and_die)
        elif step == "inside_act":
            dying.setattr("bot.conversations.acting._finish", die)
        else:
            owner = Actor if step == "act" else Thinker
            dying.setattr(owner, step, die)
        await live_once(home, conversation_id, "m-1")
    # The channel did not hear back in time and sends again; the new process also recovers.
    await live_once(home, conversation_id, "m-1")
    await live_once(home, conversation_id, None)
    said = await transcript(home, conversation_id)
    assert said == [("user", "text"), ("bot", "answer")]


async def talk(client: httpx.AsyncClient, n: int, acknowledged: dict[str, list[str]]) -> None:
    """One user who sends ten messages and insists on each until it is acknowledged."""
    opened = (await patiently(client, "POST", "/api/v1/conversations", json={})).json()
    path = f"/api/v1/conversations/{opened['conversation_id']}"
    headers = {"Authorization": f"Bearer {opened['token']}"}
    acknowledged[f"{path} {opened['token']}"] = []
    for i in range(10):
        body = {"client_msg_id": f"{n}-{i}", "text": QUESTIONS[(n + i) % len(QUESTIONS)]}
        answer = await patiently(client, "POST", f"{path}/messages", json=body, headers=headers)
        assert answer.status_code in (200, 202)
        acknowledged[f"{path} {opened['token']}"].append(body["client_msg_id"])


async def check(client: httpx.AsyncClient, key: str, sent: list[str]) -> bool:
    """Every message once and in order, each with exactly one answer; ``False``: not yet."""
    path, token = key.split(" ")
    headers = {"Authorization": f"Bearer {token}"}
    state = (await patiently(client, "GET", f"{path}/messages", headers=headers)).json()
    messages = state["messages"]
    assert [m["seq"] for m in messages] == list(range(1, len(messages) + 1))
    users = [m["data"]["client_msg_id"] for m in messages if m["sender"] == "user"]
    assert users == sent
    answers = [m["data"]["ref"] for m in messages if m["kind"] == "answer"]
    asked = [m["text"] for m in messages if m["sender"] == "user"]
    refs = {question: ref for question, ref, _, _ in ENTRIES}
    assert len(answers) <= len(asked)
    if len(answers) < len(asked):
        return False
    assert answers == [refs[question] for question in asked]
    return True


async def test_kill_minus_nine_under_load(prepared_workspace: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    port, chance = free_port(), random.Random(7)
    process = start(home, port)
    acknowledged: dict[str, list[str]] = {}
    address = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=address, timeout=10, trust_env=False) as client:
            talks = [asyncio.create_task(talk(client, n, acknowledged)) for n in range(6)]
            await patiently(client, "GET", "/healthz")
            for _ in range(4):
                await asyncio.sleep(chance.uniform(0.05, 0.5))
                process.send_signal(signal.SIGKILL)
                process.wait()
                process = start(home, port)
                await patiently(client, "GET", "/healthz")
            await asyncio.gather(*talks)
            for key, sent in acknowledged.items():
                for _ in range(200):
                    if await check(client, key, sent):
                        break
                    await asyncio.sleep(0.1)
                assert await check(client, key, sent), "an acknowledged message has no answer"
            assert sum(map(len, acknowledged.values())) == 60
    finally:
        process.kill()
        process.wait()
