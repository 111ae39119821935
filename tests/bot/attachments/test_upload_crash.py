"""Acknowledged files outlive a killed process, each once, with the bytes that were sent."""

import asyncio
import hashlib
import random
import signal
from pathlib import Path

import httpx
import pytest

from bot.assembly import assemble
from bot.attachments import repository
from kb.media import media_path
from tests.bot.process import patiently, start
from tests.postgres import free_port
from tests.product import copy_workspace, make_settings

USERS, FILES = 3, 5


def content(user: int, n: int) -> bytes:
    """A log of some hundred kilobytes, different each time."""
    return f"第 {user} 个人的第 {n} 份日志\n".encode() * 8_000


async def upload_all(client: httpx.AsyncClient, user: int, held: dict[str, list[str]]) -> None:
    """One user who sends files in turn and insists on each until it is acknowledged."""
    opened = (await patiently(client, "POST", "/api/v1/conversations", json={})).json()
    path = f"/api/v1/conversations/{opened['conversation_id']}/attachments"
    headers = {"Authorization": f"Bearer {opened['token']}"}
    held[opened["conversation_id"]] = []
    for n in range(FILES):
        data = content(user, n)
        answer = await patiently(
            client,
            "POST",
            path,
            data={"client_msg_id": f"{user}-{n}", "text": f"第{n}份"},
            files={"file": ("运行.log", data)},
            headers=headers,
        )
        assert answer.status_code in (200, 202), answer.text
        held[opened["conversation_id"]].append(hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("kills", [1, pytest.param(6, marks=pytest.mark.slow)])
async def test_kill_minus_nine_while_files_come_in(
    prepared_workspace: Path, tmp_path: Path, kills: int
) -> None:
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    port, chance = free_port(), random.Random(11)
    process = start(home, port)
    held: dict[str, list[str]] = {}
    address = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=address, timeout=10, trust_env=False) as client:
            users = [asyncio.create_task(upload_all(client, n, held)) for n in range(USERS)]
            for _ in range(kills):
                await patiently(client, "GET", "/healthz")
                await asyncio.sleep(chance.uniform(0.02, 0.4))
                process.send_signal(signal.SIGKILL)
                process.wait()
                process = start(home, port)
            await asyncio.gather(*users)
    finally:
        process.kill()
        process.wait()
    services = assemble(make_settings(home))
    folder = services.workspace.attachments
    async with services.database.reading() as session:
        for conversation_id, sent in held.items():
            rows = await repository.of_conversation(session, conversation_id)
            assert [row.sha256 for row in rows] == sent
            for row in rows:
                stored = media_path(folder, row.sha256, "bin").read_bytes()
                assert hashlib.sha256(stored).hexdigest() == row.sha256
    await services.database.dispose()
    assert sum(map(len, held.values())) == USERS * FILES
