"""The page of a member's conversation with the pretended platform's bot."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute

from bot.channels.fake_wecom import Demonstration
from bot.phrases import Phrases
from bot.web.rendering import Pages
from connectors.fake_wecom.bots import Bubble
from connectors.fake_wecom.handsets import Typed
from connectors.fake_wecom.settings import Member

#: Thumbs below a reply, as the vendor numbers them.
VERDICTS = {"up": 1, "down": 2}
LINE_VERBS = ("cut", "kick")
_MOST_CHARS = 5_000


@dataclass(frozen=True, slots=True)
class BotPage:
    """One member's conversation with the bot."""

    member: Member
    lines: Sequence[Typed | Bubble]
    verdicts: Sequence[str]
    state: str
    #: Whether the bot has connected, where it does.
    connected: bool | None


class FakeWecomBotPages:
    """The page and what its buttons do."""

    def __init__(self, demonstration: Demonstration, pages: Pages, phrases: Phrases) -> None:
        self._members = demonstration.platform.settings.members
        self._phones = demonstration.bots
        self._pages = pages
        self._phrases = phrases

    def routes(self) -> list[Route | WebSocketRoute]:
        """The page's addresses, and the bot's own."""
        socket = self._phones.socket
        return [
            Route("/phones/{member}/bot", self.page),
            Route("/phones/{member}/bot/screen", self.screen),
            Route("/phones/{member}/bot/say", self.say, methods=["POST"]),
            Route("/phones/{member}/bot/enter", self.enter, methods=["POST"]),
            Route("/phones/{member}/bot/judge/{verdict}", self.judge, methods=["POST"]),
            Route("/phones/{member}/bot/press", self.press, methods=["POST"]),
            Route("/phones/{member}/bot/line/{verb}", self.line, methods=["POST"]),
            *self._phones.bot.routes(),
            *(socket.routes() if socket is not None else ()),
        ]

    async def page(self, request: Request) -> Response:
        """The whole page."""
        return self._show("fake_wecom_bot.html", request)

    async def screen(self, request: Request) -> Response:
        """What is on the screen by now; nothing when it is what the browser has."""
        member = self._member(request)
        if member is not None and request.query_params.get("seen") == self._state(member):
            return Response(status_code=204)
        return self._show("_fake_wecom_bot_screen.html", request)

    async def say(self, request: Request) -> Response:
        """Ask the bot."""
        text = (await _field(request, "text")).strip()[:_MOST_CHARS]
        member = self._member(request)
        if member is not None and text:
            self._phones.say(member.userid, text)
        return _back(request)

    async def enter(self, request: Request) -> Response:
        """Open the conversation."""
        member = self._member(request)
        if member is not None:
            self._phones.enter(member.userid, self._phrases.say("fake_wecom.bot.enter"))
        return _back(request)

    async def judge(self, request: Request) -> Response:
        """Press a thumb."""
        member, verdict = self._member(request), VERDICTS.get(request.path_params["verdict"])
        stream_id = await _field(request, "stream")
        if member is None or verdict is None:
            return Response(status_code=404)
        await self._phones.judge(member.userid, stream_id, verdict)
        return _back(request)

    async def press(self, request: Request) -> Response:
        """Press a button of a card."""
        member = self._member(request)
        task_id, key = await _field(request, "task"), await _field(request, "key")
        if member is not None:
            await self._phones.press(member.userid, task_id, key)
        return _back(request)

    async def line(self, request: Request) -> Response:
        """Something happens to the bot's connection: it breaks, or another one takes over."""
        socket, verb = self._phones.socket, request.path_params["verb"]
        if self._member(request) is None or socket is None or verb not in LINE_VERBS:
            return Response(status_code=404)
        await (socket.cut() if verb == "cut" else socket.kick())
        return _back(request)

    def _member(self, request: Request) -> Member | None:
        return self._members.get(request.path_params["member"])

    def _show(self, template: str, request: Request) -> Response:
        member = self._member(request)
        if member is None:
            return Response(status_code=404)
        socket = self._phones.socket
        page = BotPage(
            member,
            self._phones.screen(member.userid),
            tuple(VERDICTS),
            self._state(member),
            None if socket is None else socket.is_live,
        )
        answer = self._pages.page(template, {"page": page})
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _state(self, member: Member) -> str:
        """Changes with the screen."""
        told = [
            one.fate if isinstance(one, Typed) else (one.text, one.finished, one.buttons)
            for one in self._phones.screen(member.userid)
        ]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


async def _field(request: Request, name: str) -> str:
    async with request.form() as form:
        return str(form.get(name) or "")


def _back(request: Request) -> Response:
    return RedirectResponse(f"/phones/{request.path_params['member']}/bot", 303)
