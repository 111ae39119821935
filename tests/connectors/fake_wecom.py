"""A 政务微信 server for tests: tokens, limits, what it drops in silence, and scripted errors."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

SECRET = "app-secret-of-the-test"


@dataclass
class FakeWecom:
    """Behaves like the documented platform; ``shown`` is what people have on their screens."""

    clock: Callable[[], datetime]
    takes_cards: bool = True
    lifetime_s: int = 7_200
    per_minute: int = 30
    unknown: set[str] = field(default_factory=set)
    #: Error codes or exceptions that the next sends are answered with.
    script: list[int | Exception] = field(default_factory=list)
    token_script: list[int] = field(default_factory=list)
    shown: list[tuple[str, str]] = field(default_factory=list)
    cards: list[dict[str, Any]] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)
    token_calls: int = 0
    dropped: int = 0
    #: Sends that are carried out but whose answer is lost on the way.
    lose_answers: int = 0
    _seen: set[str] = field(default_factory=set)
    _sent: list[tuple[str, datetime]] = field(default_factory=list)
    _token: str = ""
    _ends: float = 0.0

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def revoke(self) -> None:
        """End the token early, as the platform may."""
        self._token = ""

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        await asyncio.sleep(0)  # like a network, it lets others run meanwhile
        if request.url.path.endswith("/cgi-bin/gettoken"):
            return httpx.Response(200, json=self._give_token(request))
        body = json.loads(request.content)
        answer = self._send(request, body)
        if self.lose_answers:
            self.lose_answers -= 1
            raise httpx.ReadTimeout("lost", request=request)
        return httpx.Response(200, json=answer)

    def _give_token(self, request: httpx.Request) -> dict[str, Any]:
        self.token_calls += 1
        if self.token_script:
            return {"errcode": self.token_script.pop(0), "errmsg": "scripted"}
        if request.url.params["corpsecret"] != SECRET:
            return {"errcode": 40001, "errmsg": "invalid credential"}
        now = self.clock().timestamp()
        if not self._token or now >= self._ends:
            self._token, self._ends = f"token-{self.token_calls}", now + self.lifetime_s
        return {
            "errcode": 0,
            "access_token": self._token,
            "expires_in": int(self._ends - now),
        }

    def _send(self, request: httpx.Request, body: dict[str, Any]) -> dict[str, Any]:
        if self.script:
            due = self.script.pop(0)
            if isinstance(due, Exception):
                raise due
            return {"errcode": due, "errmsg": "scripted"}
        now = self.clock()
        if request.url.params["access_token"] != self._token or now.timestamp() >= self._ends:
            return {"errcode": 42001 if self._token else 40014, "errmsg": "token"}
        if body["msgtype"] == "template_card" and not self.takes_cards:
            return {"errcode": 40008, "errmsg": "invalid message type"}
        if body["touser"] in self.unknown:
            return {"errcode": 0, "errmsg": "ok", "invaliduser": body["touser"].lower()}
        self._show(body, now)
        return {"errcode": 0, "errmsg": "ok", "msgid": f"m{len(self._sent)}"}

    def _show(self, body: dict[str, Any], now: datetime) -> None:
        whole = json.dumps(body, sort_keys=True)
        if body.get("enable_duplicate_check") and whole in self._seen:
            return
        self._seen.add(whole)
        user = body["touser"]
        recent = [at for one, at in self._sent if one == user and (now - at).total_seconds() < 60]
        if len(recent) >= self.per_minute:
            self.dropped += 1
            return
        self._sent.append((user, now))
        if body["msgtype"] == "template_card":
            card = body["template_card"]
            self.cards.append(card)
            self.shown.append((user, f"{card['main_title']['title']}\n{card['sub_title_text']}"))
        else:
            raw = body["text"]["content"].encode()[:2_048]
            self.shown.append((user, raw.decode(errors="ignore")))

    def texts(self, user: str) -> list[str]:
        """What one person has been shown."""
        return [text for one, text in self.shown if one == user]
