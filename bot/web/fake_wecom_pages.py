"""The page of the pretended 粤政易: a member's phone, and what befalls messages on their way."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.channels.fake_wecom import Demonstration
from bot.phrases import Phrases
from bot.web.fake_wecom_bot_pages import FakeWecomBotPages
from bot.web.rendering import STATIC, Pages
from connectors.fake_wecom import app as platform_app
from connectors.fake_wecom.handsets import Typed
from connectors.fake_wecom.looks import Refused
from connectors.fake_wecom.platform import Shown
from connectors.fake_wecom.settings import Member

#: Files that a member can send, with the fields beside the media id.
FILES: Mapping[str, Mapping[str, str | int]] = {
    "image": {"PicUrl": "http://127.0.0.1/picture.png"},
    "voice": {"Format": "amr"},
    "file": {},
}
#: What a member can send besides words and files: the type and its fields.
SAMPLES: Mapping[str, Mapping[str, str | int]] = {
    "location": {"Location_X": "23.134", "Location_Y": "113.358", "Scale": 15},
    "link": {"Url": "https://example.gov.cn/notice", "PicUrl": ""},
    "from_the_future": {"Content": "?"},
}
EVENTS = ("enter_agent", "subscribe")
_MOST_CHARS = 5_000


@dataclass(frozen=True, slots=True)
class PhonePage:
    """One member's phone."""

    member: Member
    members: Sequence[Member]
    department: str
    lines: Sequence[Typed | Shown]
    h5: str
    files: Sequence[str]
    samples: Sequence[str]
    events: Sequence[str]
    rough: bool
    cards: bool
    script: Sequence[int]
    figures: Mapping[str, int]
    state: str
    partial: bool


class FakeWecomPages:
    """Pages and what their buttons do."""

    def __init__(self, demonstration: Demonstration, pages: Pages, phrases: Phrases) -> None:
        self._demonstration = demonstration
        self._pages = pages
        self._phrases = phrases

    def routes(self) -> list[Route | Mount]:
        """The page's addresses."""
        return [
            Route("/", self.first),
            Route("/phones/{member}", self.phone),
            Route("/phones/{member}/screen", self.screen),
            Route("/phones/{member}/say", self.say, methods=["POST"]),
            Route("/phones/{member}/send/{kind}", self.send, methods=["POST"]),
            Route("/phones/{member}/press/{number:int}", self.press, methods=["POST"]),
            Route("/phones/{member}/weather", self.weather, methods=["POST"]),
            Route("/media/{media_id}", self.media),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]

    async def first(self, _request: Request) -> Response:
        """The first member's phone."""
        first = next(iter(self._demonstration.platform.settings.members))
        return RedirectResponse(f"/phones/{first}")

    async def phone(self, request: Request) -> Response:
        """The whole page."""
        return self._show("fake_wecom.html", request)

    async def screen(self, request: Request) -> Response:
        """What is on the screen by now; nothing when it is what the browser has."""
        member = self._member(request)
        if member is not None and request.query_params.get("seen") == self._state(member):
            return Response(status_code=204)
        return self._show("_fake_wecom_news.html", request, partial=True)

    async def say(self, request: Request) -> Response:
        """Send words."""
        async with request.form() as form:
            text = str(form.get("text") or "").strip()[:_MOST_CHARS]
        member = self._member(request)
        if member is not None and text:
            self._demonstration.handsets.send(member.userid, "text", text, Content=text)
        return self._back(request)

    async def send(self, request: Request) -> Response:
        """Send something else than words, or come in."""
        member, kind = self._member(request), request.path_params["kind"]
        handsets = self._demonstration.handsets
        if member is None or kind not in (*SAMPLES, *EVENTS, *FILES):
            return Response(status_code=404)
        words = self._phrases.say(f"fake_wecom.kind.{kind}")
        if kind in EVENTS:
            handsets.tell(member.userid, kind, words)
        elif kind in SAMPLES:
            named = {"Label": words} if kind == "location" else {"Title": words}
            handsets.send(member.userid, kind, words, **named, **SAMPLES[kind])
        elif (media_id := await self._uploaded(request, kind)) is not None:
            handsets.send(member.userid, kind, words, MediaId=media_id, **FILES[kind])
        return self._back(request)

    async def press(self, request: Request) -> Response:
        """Press a card's button."""
        async with request.form() as form:
            key = str(form.get("key") or "")
        member = self._member(request)
        if member is not None:
            handsets = self._demonstration.handsets
            _ = handsets.press(member.userid, request.path_params["number"], key)
        return self._back(request)

    async def weather(self, request: Request) -> Response:
        """How callbacks travel, and what the next send is answered with."""
        async with request.form() as form:
            rough, code = form.get("rough") == "on", str(form.get("code") or "")
            cards = form.get("cards") == "on"
        self._demonstration.set_rough(rough)
        platform = self._demonstration.platform
        platform.settings.takes_cards = cards
        if code.lstrip("-").isdecimal() and len(code) < 9:
            platform.script.append(int(code))
        return self._back(request)

    async def media(self, request: Request) -> Response:
        """A picture that was sent to a member."""
        platform = self._demonstration.platform
        try:
            found = platform.media.get(request.path_params["media_id"], platform.clock(), "image")
        except Refused:
            return Response(status_code=404)
        kind = "image/png" if found.content.startswith(b"\x89PNG") else "image/jpeg"
        return Response(
            found.content, media_type=kind, headers={"X-Content-Type-Options": "nosniff"}
        )

    async def _uploaded(self, request: Request, kind: str) -> str | None:
        """What the member has chosen, on the platform, for the product to fetch."""
        platform = self._demonstration.platform
        async with request.form() as form:
            chosen = form.get("file")
            if not isinstance(chosen, UploadFile):
                return None
            name, content = chosen.filename or kind, await chosen.read()
            content_type = chosen.content_type or "application/octet-stream"
        try:
            return platform.media.put(kind, name, content_type, content, platform.clock())
        except Refused:
            return None

    def _member(self, request: Request) -> Member | None:
        return self._demonstration.platform.settings.members.get(request.path_params["member"])

    def _back(self, request: Request) -> Response:
        return RedirectResponse(f"/phones/{request.path_params['member']}", 303)

    def _show(self, template: str, request: Request, *, partial: bool = False) -> Response:
        member = self._member(request)
        if member is None:
            return Response(status_code=404)
        answer = self._pages.page(template, {"page": self._page(member, partial=partial)})
        answer.headers["Cache-Control"] = "no-store"
        # The pretended client knows who holds it; the web login asks by this.
        answer.set_cookie("member", member.userid, samesite="lax", httponly=True)
        return answer

    def _state(self, member: Member) -> str:
        """Changes with the screen and the figures."""
        lines = self._demonstration.handsets.screen(member.userid)
        told = [one.fate if isinstance(one, Typed) else one.replaced for one in lines]
        figures = [*self._figures().values()]
        return hashlib.sha256(repr((told, figures)).encode()).hexdigest()[:16]

    def _figures(self) -> Mapping[str, int]:
        platform, postman = self._demonstration.platform, self._demonstration.postman
        return {
            "shown": len(platform.shown),
            "dropped": platform.dropped,
            "posts": postman.posts,
            "lost": postman.lost,
            "tokens": platform.token_calls,
        }

    def _page(self, member: Member, *, partial: bool) -> PhonePage:
        platform, postman = self._demonstration.platform, self._demonstration.postman
        return PhonePage(
            member=member,
            members=list(platform.settings.members.values()),
            department=platform.settings.departments.get(member.department, ""),
            lines=self._demonstration.handsets.screen(member.userid),
            h5=self._demonstration.h5,
            files=tuple(FILES),
            samples=tuple(SAMPLES),
            events=EVENTS,
            rough=postman.weather.duplicate > 0,
            cards=platform.settings.takes_cards,
            script=tuple(platform.script),
            figures=self._figures(),
            state=self._state(member),
            partial=partial,
        )


def create_app(demonstration: Demonstration, phrases: Phrases) -> Starlette:
    """The pretended platform: its API and its page."""
    pages = Pages.create(phrases)
    bots = FakeWecomBotPages(demonstration, pages, phrases)
    own = FakeWecomPages(demonstration, pages, phrases)
    api = platform_app.routes(demonstration.platform)
    return Starlette(routes=[*bots.routes(), *own.routes(), *api])
