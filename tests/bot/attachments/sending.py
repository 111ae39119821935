"""Sending files in a conversation over HTTP, and looking at what became of them."""

import asyncio
from typing import Any

import httpx

from bot.attachments import repository
from store.base import new_id
from tests.product import Chat


async def send(
    chat: Chat, data: bytes, name: str = "截图.png", text: str = "", client_msg_id: str = ""
) -> httpx.Response:
    form = {"client_msg_id": client_msg_id or new_id(), "text": text}
    return await chat.product.client.post(
        f"/api/v1/conversations/{chat.id}/attachments",
        data=form,
        files={"file": (name, data, "image/png")},
        headers=chat.headers,
    )


async def show(chat: Chat, data: bytes, text: str = "") -> list[dict[str, Any]]:
    """Send a picture and return what was said to it."""
    answer = await send(chat, data, text=text)
    assert answer.status_code == 202, answer.text
    await chat.product.settle()
    said = await chat.read(after=answer.json()["seq"])
    return [message for message in said if message["sender"] != "user"]


async def fetch(chat: Chat, attachment_id: str, **headers: str) -> httpx.Response:
    return await chat.product.client.get(
        f"/api/v1/conversations/{chat.id}/attachments/{attachment_id}",
        headers=headers or chat.headers,
    )


async def rows_of(chat: Chat) -> list[Any]:
    async with chat.product.services.database.reading() as session:
        return list(await repository.of_conversation(session, chat.id))


async def is_read(chat: Chat) -> bool:
    return all(row.reading != "pending" for row in await rows_of(chat))


async def is_answered(chat: Chat) -> bool:
    return (await chat.read())[-1]["kind"] == "answer"


async def ticket_with_engineer(chat: Chat) -> str:
    said = await chat.say("我要转人工", kind="human")
    number: str = next(m for m in said if m["kind"] == "ticket")["data"]["number"]
    assert (await chat.product.desk("claim", number)).status_code == 200
    return number


async def said_to(chat: Chat, text: str) -> list[dict[str, Any]]:
    accepted = await chat.send(text)
    while True:
        said = await chat.read(after=accepted.json()["seq"])
        if said:
            return said
        await asyncio.sleep(0.02)
