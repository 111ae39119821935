"""A Bot API server on this machine for tests: limits, refusals, updates, and what people see."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.telegram_settings import TelegramSettings

TOKEN = "123456789:TokenOfTheTest_0123456789abcdefgh"
SECRET = "secret-of-the-webhook"
_TAGS = re.compile(r"</?([a-z-]+)>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}


@dataclass
class FakeTelegram:
    """Behaves like the documented Bot API; ``shown`` is what people have on their screens."""

    url: str = ""
    shown: list[tuple[str, str, list[list[dict[str, str]]]]] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)
    #: Answers (status, body) that the next sends get.
    script: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    refuses_markup: bool = False
    waiting: list[dict[str, Any]] = field(default_factory=list)
    #: What people sent, by file id: the path on the server, and the bytes.
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    #: What people have been sent: person, method, file name, bytes.
    received: list[tuple[str, str, str, bytes]] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def settings(self, **other: Any) -> TelegramSettings:
        return TelegramSettings(
            **{
                "enabled": True,
                "token": TOKEN,
                "webhook_secret": SECRET,
                "base_url": self.url,
                "pause_s": 0,
                "per_second": 1_000,
                **other,
            }
        )

    def texts(self, person: str) -> list[str]:
        """What one person has been shown."""
        return [text for one, text, _ in self.shown if one == person]

    def called(self, method: str) -> list[dict[str, Any]]:
        """The parameters of every call of a method."""
        return [given for name, given in self.calls if name == method]

    async def answer(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != TOKEN:
            return _refuse(401, "Unauthorized")
        form = await request.post()
        given = {name: v for name, v in form.items() if isinstance(v, str)}
        files = [v for v in form.values() if isinstance(v, web.FileField)]
        method = request.match_info["method"]
        self.calls.append((method, given))
        match method:
            case "sendMessage":
                return self._send(given)
            case "getUpdates":
                return await self._updates(given)
            case "sendPhoto" | "sendDocument":
                return self._take(method, given["chat_id"], files[0])
            case "getFile":
                return self._file(given["file_id"])
            case "getMe":
                me = {"id": 1, "is_bot": True, "first_name": "caiwen"}
                return web.json_response({"ok": True, "result": me})
            case _:
                return web.json_response({"ok": True, "result": True})

    def _send(self, given: dict[str, str]) -> web.Response:
        if self.script:
            status, body = self.script.pop(0)
            return web.json_response(body, status=status)
        person, text = given["chat_id"], given["text"]
        if person in self.blocked:
            return _refuse(403, "Forbidden: bot was blocked by the user")
        if given.get("parse_mode") == "HTML":
            if self.refuses_markup or set(_TAGS.findall(text)) - {"b", "i"}:
                return _refuse(400, "Bad Request: can't parse entities: unsupported start tag")
            text = _TAGS.sub("", text)
            text = re.sub("&(lt|gt|amp);", lambda found: _ENTITIES[found[0]], text)
        if not text.strip():
            return _refuse(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) > 8_192:
            return _refuse(400, "Bad Request: message is too long")
        keyboard = json.loads(given.get("reply_markup") or "{}").get("inline_keyboard", [])
        if any(len(one["callback_data"].encode()) > 64 for row in keyboard for one in row):
            return _refuse(400, "Bad Request: BUTTON_DATA_INVALID")
        self.shown.append((person, text, keyboard))
        message = {"message_id": len(self.shown), "date": 1, "chat": {"id": 1, "type": "private"}}
        return web.json_response({"ok": True, "result": message})

    def _take(self, method: str, person: str, file: web.FileField) -> web.Response:
        if self.script:
            status, body = self.script.pop(0)
            return web.json_response(body, status=status)
        content = file.file.read()
        self.received.append((person, method, file.filename, content))
        message = {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}}
        return web.json_response({"ok": True, "result": message})

    def _file(self, file_id: str) -> web.Response:
        if file_id not in self.files:
            words = "Bad Request: wrong file_id or the file is temporarily unavailable"
            return _refuse(400, words)
        path, content = self.files[file_id]
        result = {"file_id": file_id, "file_unique_id": file_id, "file_path": path}
        return web.json_response({"ok": True, "result": {**result, "file_size": len(content)}})

    async def download(self, request: web.Request) -> web.Response:
        """The bytes of a file, at an address that holds the token."""
        found = dict(self.files.values()).get(request.match_info["path"])
        if request.match_info["token"] != TOKEN or found is None:
            return _refuse(404, "Not Found")
        return web.Response(body=found)

    async def _updates(self, given: dict[str, str]) -> web.Response:
        offset = int(given.get("offset") or 0)
        self.waiting = [one for one in self.waiting if one["update_id"] >= offset]
        if not self.waiting:
            await asyncio.sleep(0.05)
        return web.json_response({"ok": True, "result": self.waiting})


def _refuse(status: int, words: str) -> web.Response:
    body = {"ok": False, "error_code": status, "description": words}
    return web.json_response(body, status=status)


@asynccontextmanager
async def fake_telegram() -> AsyncIterator[FakeTelegram]:
    """One on a free port of this machine."""
    fake = FakeTelegram()
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", fake.answer)
    app.router.add_get("/file/bot{token}/{path:.+}", fake.download)
    async with TestServer(app) as server:
        fake.url = str(server.make_url("/")).rstrip("/")
        yield fake


def message(update_id: int, text: str | None, person: int = 42, **other: Any) -> dict[str, Any]:
    """An update with a message of a private chat."""
    return {
        "update_id": update_id,
        "message": {
            "message_id": update_id,
            "date": 1_790_000_000,
            "chat": {"id": person, "type": "private", "first_name": "李"},
            "from": {"id": person, "is_bot": False, "first_name": "李"},
            **({} if text is None else {"text": text}),
            **other,
        },
    }


def press(
    update_id: int, data: str, label: str = "", person: int = 42, **other: Any
) -> dict[str, Any]:
    """An update with a pressed button."""
    below = message(update_id, "原消息", person)["message"]
    below["reply_markup"] = {"inline_keyboard": [[{"text": label or data, "callback_data": data}]]}
    return {
        "update_id": update_id,
        "callback_query": {
            "id": f"q{update_id}",
            "from": {"id": person, "is_bot": False, "first_name": "李"},
            "chat_instance": "1",
            "message": below,
            "data": data,
            **other,
        },
    }
