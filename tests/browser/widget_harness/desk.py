"""The helpdesk that the widget talks to in its browser tests.

It keeps conversations as the product does (numbered, a repeated id answered alike), and on
request does what networks and servers do: cuts streams, fails, loses answers, repeats and
disorders what it replays, forgets conversations.
"""

import asyncio
import json
import random
import secrets
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from types import SimpleNamespace
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.datastructures import UploadFile
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from bot import phrases as catalogue
from bot.settings import Settings, data_dir
from bot.web import widget_pages
from bot.web.rendering import Pages
from bot.web.security import services_of
from tests.browser.widget_harness.pictures import picture

POLL_S = 0.01
#: A host page of another origin, with a policy as strict as a host may have.
HOST_PAGE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>某平台</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><h1>某平台</h1><p><a href="/elsewhere">别的页面</a></p>
<script src="{root}/widget.js" async data-user-name="陈晓岚" data-user-unit="禾城市教育局"
 data-user-proof="{proof}" data-key="{key}"></script>
</body></html>"""

Reply = tuple[str, str, str, dict[str, Any]]
Script = Callable[[dict[str, Any]], list[Reply]]


@dataclass
class Talk:
    """One conversation."""

    token: str
    user: dict[str, Any]
    messages: list[dict[str, Any]] = field(default_factory=list)
    by_client_id: dict[str, dict[str, Any]] = field(default_factory=dict)


def _echo(message: dict[str, Any]) -> list[Reply]:
    return [("bot", "text", f"收到：{message['text'][:40]}", {})]


@dataclass
class Desk:
    """What tests turn: every attribute may be changed while the browser runs."""

    #: Every proof of identity that was offered, in order.
    proofs: list[str] = field(default_factory=list)
    #: The widget key of every conversation that was opened.
    keys: list[str] = field(default_factory=list)
    talks: dict[str, Talk] = field(default_factory=dict)
    script: Script = _echo
    greeting: list[Reply] = field(
        default_factory=lambda: [
            (
                "bot",
                "greeting",
                "上午好，我是财问。",
                {"hot_questions": ["怎么撤回", "UKey 没反应"], "secrecy": "请勿发送涉密信息。"},
            )
        ]
    )
    state: dict[str, Any] = field(
        default_factory=lambda: {"owner": "bot", "typing": False, "thinking": False}
    )
    suggestions: list[str] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)
    lose_answers: int = 0
    down: bool = False
    disorder: bool = False
    cut_after: Callable[[], int | None] = lambda: None
    retry_ms: int = 5
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    posts: list[str] = field(default_factory=list)
    #: What was uploaded, by the sender's name of the message.
    uploads: dict[str, bytes] = field(default_factory=dict)
    resumed_from: list[int] = field(default_factory=list)
    typing_seen: int = 0
    streams: int = 0
    version: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def talk(self) -> Talk:
        """The newest conversation."""
        return list(self.talks.values())[-1]

    def post(self, sender: str, kind: str, text: str, data: dict[str, Any] | None = None) -> int:
        """A message of the bot, an engineer or the system."""
        with self.lock:
            return self._append(self.talk, (sender, kind, text, data or {}))["seq"]

    def cut(self) -> None:
        """End every open stream now."""
        self.version += 1

    def forget(self) -> None:
        """Know no conversation any more."""
        with self.lock:
            self.talks.clear()
            self.cut()

    def texts(self) -> list[str]:
        """What the user has said, as recorded."""
        return [m["text"] for m in self.talk.messages if m["sender"] == "user"]

    def take_proof(self, proof: str) -> bool:
        """Whether a proof is taken: each once, and none that says that it is bad."""
        taken = proof not in self.proofs and not proof.startswith("bad")
        self.proofs.append(proof)
        return taken

    def open(self, user: dict[str, Any]) -> tuple[str, Talk]:
        """A new conversation with its greeting."""
        with self.lock:
            talk = Talk(secrets.token_hex(8), user)
            key = secrets.token_hex(16)
            self.talks[key] = talk
            for reply in self.greeting:
                self._append(talk, reply)
            return key, talk

    def receive(self, talk: Talk, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """202 for a new message, 200 for a known one."""
        with self.lock:
            client_id = body["client_msg_id"]
            self.posts.append(client_id)
            known = talk.by_client_id.get(client_id)
            if known:
                return 200, _accepted(known)
            data = {"client_msg_id": client_id, "action": body.get("action")}
            listed = body.get("attachments")
            data |= {"attachments": listed, "captioned": bool(body["text"])} if listed else {}
            kind = "attachment" if listed else "text"
            message = self._append(talk, ("user", kind, body["text"], data))
            talk.by_client_id[client_id] = message
            for reply in self.script(message):
                self._append(talk, reply)
            return 202, _accepted(message)

    def _append(self, talk: Talk, reply: Reply) -> dict[str, Any]:
        sender, kind, text, data = reply
        at = data.pop("at", None) or datetime.now(UTC)
        message = {
            "seq": len(talk.messages) + 1,
            "sender": sender,
            "kind": kind,
            "text": text,
            "data": data,
            "created_at": at.isoformat(),
        }
        talk.messages.append(message)
        return message


def _accepted(message: dict[str, Any]) -> dict[str, Any]:
    return {"message_id": str(message["seq"]), "seq": message["seq"]}


def _event(message: dict[str, Any]) -> str:
    return f"id: {message['seq']}\ndata: {json.dumps(message, ensure_ascii=False)}\n\n"


async def _events(desk: Desk, talk: Talk, after: int) -> AsyncIterator[str]:
    version, shown, left = desk.version, None, desk.cut_after()
    desk.streams += 1
    try:
        yield f"retry: {desk.retry_ms}\n\n"
        while desk.version == version and (left is None or left > 0):
            news = [m for m in list(talk.messages) if m["seq"] > after]
            for message in _replayed(desk, talk, news):
                after = max(after, message["seq"])
                text = _event(message)
                # In two pieces, as networks deliver.
                yield text[:7]
                yield text[7:]
                left = None if left is None else left - 1
                if left == 0:
                    return
            if desk.state != shown:
                shown = dict(desk.state)
                yield f"event: state\ndata: {json.dumps(shown)}\n\n: ping\n\n"
            await asyncio.sleep(POLL_S)
    finally:
        desk.streams -= 1


def _replayed(desk: Desk, talk: Talk, news: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """In order; or, on request, shuffled, with repetitions and things said long ago."""
    if not desk.disorder or not news:
        return news
    mixed = [*news, *news, *talk.messages[:3]]
    desk.chance.shuffle(mixed)
    return mixed


def create_app(desk: Desk, root: str) -> FastAPI:
    """The real widget pages beside the scripted API."""
    app = FastAPI()
    words = catalogue.load(data_dir() / "locales" / "zh-CN.yml")
    settings = Settings(_env_file=None)  # type: ignore[call-arg]  # pydantic-settings' own argument
    host = root.replace("127.0.0.1", "localhost")
    settings.web.allowed_origins = [host]
    settings.web.widget_origins = {"portal": [host], "other": ["https://other.hecheng.example"]}
    channels = SimpleNamespace(settings=settings)
    services = SimpleNamespace(
        phrases=words, settings=settings, channels=channels, pages=Pages.create(words)
    )
    app.dependency_overrides[services_of] = lambda: services
    app.include_router(widget_pages.router)
    _add_api(app, desk)
    _add_pages(app, root)
    return app


def _problem(status: int) -> JSONResponse:
    body = {"type": "about:blank", "title": "没有成功", "status": status, "detail": "请稍后再试。"}
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


def _add_api(app: FastAPI, desk: Desk) -> None:  # noqa: C901  # one small function per address
    def own(key: str, request: Request) -> Talk | None:
        talk = desk.talks.get(key)
        right = talk and request.headers.get("authorization") == f"Bearer {talk.token}"
        return talk if right else None

    @app.post("/api/v1/conversations")
    async def open_conversation(request: Request) -> Response:
        if desk.down:
            return _problem(503)
        body = await request.json()
        if (proof := body.get("identity")) is not None and not desk.take_proof(proof):
            return _problem(401)
        desk.keys.append(body["widget"])
        key, talk = desk.open(body["user"])
        return JSONResponse({"conversation_id": key, "token": talk.token}, status_code=201)

    @app.post("/api/v1/conversations/{key}/identity")
    async def prove(key: str, request: Request) -> Response:
        taken = desk.take_proof((await request.json())["identity"])
        return Response(status_code=204) if own(key, request) and taken else _problem(401)

    @app.get("/api/v1/conversations/{key}/messages")
    async def messages(key: str, request: Request, after: int = 0) -> Response:
        talk = own(key, request)
        if desk.down or talk is None:
            return _problem(503 if desk.down else 404)
        found = [m for m in talk.messages if m["seq"] > after]
        return JSONResponse({"owner": desk.state["owner"], "messages": found})

    @app.post("/api/v1/conversations/{key}/messages")
    async def send(key: str, request: Request) -> Response:
        talk = own(key, request)
        if desk.down or talk is None:
            return _problem(503 if desk.down else 404)
        if desk.refusals:
            return _problem(desk.refusals.pop(0))
        status, accepted = desk.receive(talk, await request.json())
        if desk.lose_answers:
            desk.lose_answers -= 1
            return _problem(502)
        return JSONResponse(accepted, status_code=status)

    @app.post("/api/v1/conversations/{key}/attachments")
    async def upload(key: str, request: Request) -> Response:
        talk = own(key, request)
        if desk.down or talk is None:
            return _problem(503 if desk.down else 404)
        async with request.form() as form:
            client_id, file = str(form["client_msg_id"]), form["file"]
            assert isinstance(file, UploadFile)
            desk.uploads[client_id] = await file.read()
            listed = {"id": "f" * 32, "name": file.filename, "media_type": file.content_type}
            body = {"client_msg_id": client_id, "text": str(form["text"]), "attachments": [listed]}
        status, accepted = desk.receive(talk, body)
        return JSONResponse(accepted, status_code=status)

    @app.get("/api/v1/conversations/{key}/events")
    async def events(key: str, request: Request) -> Response:
        talk = own(key, request)
        if desk.down or talk is None:
            return _problem(503 if desk.down else 404)
        after = int(request.headers.get("last-event-id", "0"))
        desk.resumed_from.append(after)
        return StreamingResponse(_events(desk, talk, after), media_type="text/event-stream")

    @app.post("/api/v1/conversations/{key}/typing", status_code=204)
    async def typing(key: str) -> None:
        desk.typing_seen += 1

    @app.post("/api/v1/conversations/{key}/seen", status_code=204)
    async def seen(key: str) -> None:
        """Nobody at this desk asks how far its words have come."""

    @app.get("/api/v1/conversations/{key}/suggestions")
    async def suggestions(q: str = "") -> list[str]:
        return desk.suggestions


def _add_pages(app: FastAPI, root: str) -> None:
    @app.get("/host")
    @app.get("/elsewhere")
    async def host(proof: str = "", key: str = "") -> Response:
        origin = root.replace("http://", "")
        policy = f"default-src 'none'; script-src {origin}; frame-src {origin}"
        return HTMLResponse(
            HOST_PAGE.format(root=root, proof=escape(proof), key=escape(key)),
            headers={"Content-Security-Policy": policy},
        )

    @app.get("/media/{sha256}")
    async def media(sha256: str) -> Response:
        return Response(picture(sha256), media_type="image/png")


@contextmanager
def serving(desk: Desk) -> Iterator[str]:
    """The desk on a free port; gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    root = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(create_app(desk, root), log_level="critical", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield root
    finally:
        desk.cut()
        # Browsers keep connections open; nothing is lost by not waiting for them.
        server.should_exit = server.force_exit = True
        thread.join(timeout=5)
        listener.close()


def days_ago(days: float) -> datetime:
    """An instant for a message of the past."""
    return datetime.now(UTC) - timedelta(days=days)
