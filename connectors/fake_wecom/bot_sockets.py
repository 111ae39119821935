"""The platform's end of a bot's long connection: one live connection, frames told and answered.

As the vendor's client shows it (document 101463): acks by request id, a newer connection throws out
the older, a welcome within five seconds, a reply within six minutes. Everything is in memory.
"""

import asyncio
import contextlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from connectors.fake_wecom.bots import BotBroken, Bubble, FakeBot

PATH = "/aibot/socket"
_OK, _BAD_ACCOUNT, _UNKNOWN, _LATE, _BAD_FRAME, _BAD_CARD = 0, 853000, 846604, 846605, 40063, 42045
_AT_ONCE, _REPLY_WITHIN = timedelta(seconds=5), timedelta(minutes=6)
_CALLS = {
    "aibot_respond_msg",
    "aibot_respond_welcome_msg",
    "aibot_respond_update_msg",
    "aibot_send_msg",
}


@dataclass(slots=True)
class _Told:
    """Something that the bot was told, to which it may answer."""

    body: Mapping[str, Any]
    at: datetime


@dataclass(slots=True)
class FakeBotSocket:
    """One bot's connection on the platform; `bot` has its screen and its files."""

    bot: FakeBot
    secret: str
    #: Codes that the next frames of the bot are answered with.
    script: list[int] = field(default_factory=list)
    #: Frames of the bot that are passed over without an answer, and whether pings are.
    passed_over: int = 0
    deaf: bool = False
    #: Whether a new connection may still answer what was told over an older one.
    remembers: bool = True
    takes_cards: bool = True
    #: Headers of the last connection that was opened.
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Subscriptions tried, and those that were taken.
    tried: int = 0
    taken: int = 0
    pings: int = 0
    frames: list[dict[str, Any]] = field(default_factory=list)
    _live: WebSocket | None = None
    _told: dict[str, _Told] = field(default_factory=dict)
    _subscribed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_live(self) -> bool:
        """Whether a bot is connected and known."""
        return self._live is not None

    async def connected(self, timeout_s: float = 60.0) -> None:
        """Wait until a bot is connected and known."""
        async with asyncio.timeout(timeout_s):
            await self._subscribed.wait()

    def routes(self) -> list[WebSocketRoute]:
        """Where bots connect."""
        return [WebSocketRoute(PATH, self.serve)]

    async def serve(self, websocket: WebSocket) -> None:
        """One connection from its opening to its end."""
        self.headers = dict(websocket.headers)
        await websocket.accept()
        try:
            while True:
                await self._heard(websocket, await websocket.receive_text())
        except (WebSocketDisconnect, KeyError):
            pass
        finally:
            self._forget(websocket)

    async def bring(self, told: Mapping[str, Any]) -> bool:
        """Tell the bot something; whether there is a connection to tell it over."""
        if self._live is None:
            return False
        event = told.get("msgtype") == "event"
        request_id = f"req-{secrets.token_hex(8)}"
        self._told[request_id] = _Told(told, self.bot.clock())
        command = "aibot_event_callback" if event else "aibot_msg_callback"
        return await self.send({"cmd": command, "headers": {"req_id": request_id}, "body": told})

    async def say(self, person: str, text: str) -> bool:
        """A question in words."""
        return await self.bring(self.bot.message(person, "text", text={"content": text}))

    async def enter(self, person: str) -> bool:
        """Somebody opens the conversation for the first time today."""
        told = self.bot.message(person, "event", event={"eventtype": "enter_chat"})
        return await self.bring(told)

    async def press(self, person: str, task_id: str, key: str) -> bool:
        """Press a button of a card."""
        given = {"card_type": "button_interaction", "event_key": key, "task_id": task_id}
        event = {"eventtype": "template_card_event", "template_card_event": given}
        return await self.bring(self.bot.message(person, "event", event=event))

    async def judge(self, person: str, stream_id: str, verdict: int, words: str = "") -> bool:
        """Press a thumb: 1 up, 2 down, 3 taken back."""
        given = {"id": stream_id, "type": verdict, "content": words}
        event = {"eventtype": "feedback_event", "feedback_event": given}
        return await self.bring(self.bot.message(person, "event", event=event))

    async def send(self, frame: Mapping[str, Any] | str | bytes) -> bool:
        """Send any frame, or what is none; whether there is a connection."""
        live = self._live
        if live is None:
            return False
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            if isinstance(frame, bytes):
                await live.send_bytes(frame)
            else:
                text = frame if isinstance(frame, str) else json.dumps(frame, ensure_ascii=False)
                await live.send_text(text)
            return True
        return False

    async def kick(self) -> None:
        """Another connection of the same bot takes over, which is not ours."""
        await self._throw_out(self._live)

    async def cut(self) -> None:
        """The connection breaks."""
        live = self._live
        if live is not None:
            self._forget(live)
            with contextlib.suppress(RuntimeError):
                await live.close(1011)

    def _forget(self, websocket: WebSocket) -> None:
        if self._live is websocket:
            self._live = None
            self._subscribed.clear()

    async def _throw_out(self, live: WebSocket | None) -> None:
        if live is None or live.client_state is not WebSocketState.CONNECTED:
            return
        event = {"msgtype": "event", "event": {"eventtype": "disconnected_event"}}
        frame = {"cmd": "aibot_event_callback", "headers": {"req_id": "kick"}, "body": event}
        self._forget(live)
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await live.send_text(json.dumps(frame))
            await live.close()

    async def _heard(self, websocket: WebSocket, text: str) -> None:
        frame = json.loads(text)
        self.frames.append(frame)
        request_id = frame["headers"]["req_id"]
        command = frame["cmd"]
        if command == "aibot_subscribe":
            code = await self._subscribe(websocket, frame["body"])
        elif command == "ping":
            self.pings += 1
            if self.deaf:
                return
            code = _OK
        elif self.passed_over:
            self.passed_over -= 1
            return
        else:
            code = self._code(command, request_id, frame.get("body") or {})
        ack = {"headers": {"req_id": request_id}, "errcode": code, "errmsg": "ok"}
        await websocket.send_text(json.dumps(ack))
        if command == "aibot_subscribe" and code == _OK:
            self._subscribed.set()

    async def _subscribe(self, websocket: WebSocket, body: Mapping[str, Any]) -> int:
        self.tried += 1
        if self.script:
            return self.script.pop(0)
        if (body.get("bot_id"), body.get("secret")) != (self.bot.bot_id, self.secret):
            return _BAD_ACCOUNT
        before, self._live = self._live, websocket
        if not self.remembers:
            self._told.clear()
        if before is not websocket:
            await self._throw_out(before)
        self._live = websocket
        self.taken += 1
        return _OK

    def _code(self, command: str, request_id: str, body: Mapping[str, Any]) -> int:
        if self.script:
            return self.script.pop(0)
        if command not in _CALLS:
            return _BAD_FRAME
        if command == "aibot_send_msg":
            return self._push(body)
        told = self._told.get(request_id)
        if told is None:
            return _UNKNOWN
        within = _REPLY_WITHIN if command == "aibot_respond_msg" else _AT_ONCE
        if self.bot.clock() - told.at > within:
            return _LATE
        if command == "aibot_respond_update_msg":
            return self._replace(told.body, body)
        try:
            self.bot.show(str(told.body["from"]["userid"]), body, asked_for=False)
        except (BotBroken, KeyError):
            return _BAD_FRAME
        return _OK

    def _push(self, body: Mapping[str, Any]) -> int:
        chat, kind = body.get("chatid"), body.get("msgtype")
        if not isinstance(chat, str) or kind not in ("markdown", "template_card"):
            return _BAD_FRAME
        bubble = Bubble(chat, "", self.bot.clock(), asked_for=False)
        if kind == "markdown":
            bubble.text = str(body["markdown"]["content"])
        elif not self.takes_cards or not _draw(bubble, body["template_card"]):
            return _BAD_CARD
        self.bot.bubbles.append(bubble)
        return _OK

    def _replace(self, told: Mapping[str, Any], body: Mapping[str, Any]) -> int:
        card = body.get("template_card") or {}
        pressed = told["event"]["template_card_event"]["task_id"]
        for bubble in self.bot.bubbles:
            if bubble.task_id == pressed == card.get("task_id") and _draw(bubble, card):
                return _OK
        return _BAD_CARD


def _draw(bubble: Bubble, card: Mapping[str, Any]) -> bool:
    """Show a card; whether it is one."""
    try:
        bubble.text = str(card["main_title"]["title"])
        bubble.task_id = str(card["task_id"])
        bubble.buttons = tuple((one["text"], one["key"]) for one in card["button_list"])
    except (KeyError, TypeError):
        return False
    return card["card_type"] == "button_interaction" and bool(bubble.task_id)
