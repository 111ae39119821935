"""The bot side of the pretended platform: questions go out, replies are asked for until finished.

As the vendor's documents 100719, 101031 and 101138 say: each reply is the whole text so far, an
address beside a question takes one message, files are encrypted under the callback's key.
"""

import itertools
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.wecom_crypto import CallbackKeys, Signed

_OK, _TWICE, _LATE = 200, 60140, 60141
_LONGEST, _REPLY_BYTES = timedelta(minutes=6), 20_480
_ADDRESS_LASTS, _FILE_LASTS = timedelta(hours=1), timedelta(minutes=5)


class BotBroken(Exception):
    """What a bot answered is nothing that the platform takes."""


@dataclass(slots=True)
class Bubble:
    """One thing on a person's screen. ``stream_id`` is empty for what is no running reply."""

    person: str
    text: str
    at: datetime
    stream_id: str = ""
    finished: bool = True
    pictures: int = 0
    #: The platform asks for the rest; over the long connection it is sent.
    asked_for: bool = True
    #: A card's name, and its buttons: labels and keys.
    task_id: str = ""
    buttons: Sequence[tuple[str, str]] = ()


@dataclass(slots=True)
class FakeBot:
    """One bot on the platform. ``base_url`` is where its own addresses are."""

    client: httpx.AsyncClient
    callback: str
    keys: CallbackKeys
    clock: Callable[[], datetime]
    base_url: str = "http://bots.test"
    bot_id: str = "AIBOT1"
    bubbles: list[Bubble] = field(default_factory=list)
    #: Codes that the next posts to addresses are answered with.
    script: list[int] = field(default_factory=list)
    polls: int = 0
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _addresses: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _files: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)

    def texts(self, person: str) -> list[str]:
        """What stands on one person's screen, empty bubbles left out."""
        return [one.text for one in self.bubbles if one.person == person and one.text]

    def message(self, person: str, msg_type: str, **fields: Any) -> dict[str, Any]:
        """A callback's JSON with an id and an address of its own."""
        number = f"bot-{secrets.token_hex(4)}-{next(self._numbers)}"
        address = secrets.token_urlsafe(12)
        self._addresses[address] = (person, self.clock())
        return {
            "msgid": number,
            "aibotid": self.bot_id,
            "chattype": "single",
            "from": {"userid": person},
            "response_url": f"{self.base_url}/aibot/response?response_code={address}",
            "msgtype": msg_type,
            **fields,
        }

    def keep_file(
        self, content: bytes, name: str = "screen.png", keys: CallbackKeys | None = None
    ) -> str:
        """The address of a file, good for five minutes; under a key of its own if one is given."""
        key = f"{secrets.token_urlsafe(8)}-{name}"
        self._files[key] = ((keys or self.keys).seal_file(content), self.clock())
        return f"{self.base_url}/aibot/files/{key}"

    async def say(self, person: str, text: str, **fields: Any) -> httpx.Response:
        """A question in words."""
        return await self.bring(self.message(person, "text", text={"content": text}, **fields))

    async def enter(self, person: str) -> httpx.Response:
        """Somebody opens the conversation for the first time today."""
        return await self.bring(self.message(person, "event", event={"eventtype": "enter_chat"}))

    async def judge(self, person: str, stream_id: str, verdict: int, words: str = "") -> bool:
        """Press a thumb: 1 up, 2 down, 3 taken back. Whether the answer was empty, as it must."""
        given = {"id": stream_id, "type": verdict, "content": words}
        event = {"eventtype": "feedback_event", "feedback_event": given}
        answer = await self.bring(self.message(person, "event", event=event))
        return answer.status_code == _OK and not answer.content

    async def bring(self, told: Mapping[str, Any]) -> httpx.Response:
        """Post a callback and show what comes back."""
        answer = await self.post(json.dumps(told, ensure_ascii=False).encode())
        if answer.status_code == _OK and answer.content:
            self.show(str(told["from"]["userid"]), self.read(answer))
        return answer

    async def post(self, plain: bytes, **query: str) -> httpx.Response:
        """Post once, encrypted and signed; ``query`` replaces parts of the query."""
        sealed = self.keys.seal(plain, timestamp=self._timestamp(), nonce=secrets.token_hex(5))
        asked = {
            "msg_signature": sealed.signature,
            "timestamp": sealed.timestamp,
            "nonce": sealed.nonce,
            **query,
        }
        body = json.dumps({"encrypt": sealed.encrypted}).encode()
        return await self.client.post(self.callback, params=asked, content=body)

    def read(self, answer: httpx.Response) -> Mapping[str, Any]:
        """What a bot answered. Raises :class:`BotBroken`."""
        told = answer.json()
        try:
            sealed = Signed(
                told["msgsignature"], str(told["timestamp"]), told["nonce"], told["encrypt"]
            )
            found = json.loads(self.keys.open(sealed))
        except (KeyError, ValueError) as error:
            raise BotBroken(type(error).__name__) from error
        if not isinstance(found, dict):
            raise BotBroken("no object")
        return found

    async def poll(self) -> int:
        """Ask once for every reply that is not finished; how many still are not."""
        for bubble in [one for one in self.bubbles if not one.finished and one.asked_for]:
            await self.ask(bubble)
        return sum(not one.finished for one in self.bubbles)

    async def ask(self, bubble: Bubble) -> None:
        """Ask once for one reply, unless it has taken too long."""
        self.polls += 1
        if self.clock() - bubble.at > _LONGEST:
            bubble.finished = True
            return
        await self.bring(self.message(bubble.person, "stream", stream={"id": bubble.stream_id}))

    def show(self, person: str, told: Mapping[str, Any], *, asked_for: bool = True) -> None:
        """Show what a bot answered. Raises :class:`BotBroken` for what is no answer."""
        if told.get("msgtype") == "text":
            self.bubbles.append(Bubble(person, told["text"]["content"], self.clock()))
            return
        stream = told["stream"]
        if len(stream["content"].encode()) > _REPLY_BYTES:
            raise BotBroken("too long")
        known = [one for one in self.bubbles if one.stream_id == stream["id"]]
        bubble = (
            known[0]
            if known
            else Bubble(person, "", self.clock(), stream["id"], asked_for=asked_for)
        )
        if not known:
            self.bubbles.append(bubble)
        if bubble.finished and known:
            return
        bubble.text, bubble.finished = stream["content"], stream["finish"]
        pictures = stream.get("msg_item", [])
        if pictures and not bubble.finished:
            raise BotBroken("pictures before the end")
        bubble.pictures = len(pictures)

    def _timestamp(self) -> str:
        return str(int(self.clock().timestamp()))

    async def respond(self, request: Request) -> Response:
        """The address beside a question: one message within an hour."""
        if self.script:
            return _code(self.script.pop(0))
        code = request.query_params.get("response_code", "")
        person, since = self._addresses.pop(code, ("", None))
        if since is None:
            return _code(_TWICE)
        if self.clock() - since > _ADDRESS_LASTS:
            return _code(_LATE)
        told = await request.json()
        self.bubbles.append(Bubble(person, told[told["msgtype"]]["content"], self.clock()))
        return _code(0)

    async def give_file(self, request: Request) -> Response:
        """A file under its own key, for five minutes."""
        content, since = self._files.get(request.path_params["key"], (b"", None))
        if since is None or self.clock() - since > _FILE_LASTS:
            return Response(status_code=404)
        return Response(content, media_type="application/octet-stream")

    def routes(self) -> list[Route]:
        """The platform's own addresses for bots."""
        return [
            Route("/aibot/response", self.respond, methods=["POST"]),
            Route("/aibot/files/{key}", self.give_file),
        ]


def _code(code: int) -> Response:
    return JSONResponse({"errcode": code, "errmsg": "ok" if code == 0 else "refused"})
