"""The platform over HTTP: the vendor's paths below any prefix, errors as ``errcode`` with 200."""

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from connectors.fake_wecom.looks import Refused
from connectors.fake_wecom.media import EMPTY
from connectors.fake_wecom.platform import FakeWecom

_BAD_JSON = 40063
Verb = Callable[[Request], Awaitable[Mapping[str, Any] | Response]]


class FakeWecomApi:
    """The calls that an application makes."""

    def __init__(self, platform: FakeWecom) -> None:
        self._platform = platform
        self._verbs: Mapping[tuple[str, str], Verb] = {
            ("GET", "gettoken"): self._token,
            ("POST", "message/send"): self._send,
            ("POST", "message/update_template_card"): self._update,
            ("POST", "media/upload"): self._upload,
            ("GET", "media/get"): self._download,
            ("GET", "auth/getuserinfo"): self._who,
            ("GET", "user/getuserinfo"): self._who,
            ("GET", "user/get"): self._member,
            ("GET", "department/get"): self._department,
        }

    async def answer(self, request: Request) -> Response:
        """One call; the part of the path before ``/cgi-bin/`` is a gateway's."""
        verb = self._verbs.get((request.method, request.path_params["verb"]))
        if verb is None or not self._passes(request):
            return Response(status_code=404 if verb is None else 403)
        try:
            if request.path_params["verb"] != "gettoken":
                self._platform.check_token(request.query_params.get("access_token", ""))
            found = await verb(request)
        except Refused as refused:
            return JSONResponse({"errcode": refused.code, "errmsg": "refused"})
        if isinstance(found, Response):
            return found
        return JSONResponse({"errcode": 0, "errmsg": "ok", **found})

    def _passes(self, request: Request) -> bool:
        """Whether the gateway lets it through: SHA-256 of time, token, nonce, time."""
        gateway = self._platform.settings.gateway
        if gateway is None:
            return True
        paasid, token, prefix = gateway
        told = {
            name: request.headers.get(f"{prefix}-{name}", "")
            for name in ("paasid", "timestamp", "nonce", "signature")
        }
        signed = f"{told['timestamp']}{token}{told['nonce']}{told['timestamp']}"
        expected = hashlib.sha256(signed.encode()).hexdigest().upper()
        return told["paasid"] == paasid and hmac.compare_digest(expected, told["signature"])

    async def _token(self, request: Request) -> Mapping[str, Any]:
        query = request.query_params
        return self._platform.give_token(query.get("corpid", ""), query.get("corpsecret", ""))

    async def _send(self, request: Request) -> Mapping[str, Any]:
        return self._platform.send(await _body(request))

    async def _update(self, request: Request) -> Mapping[str, Any]:
        return self._platform.update_card(await _body(request))

    async def _upload(self, request: Request) -> Mapping[str, Any]:
        platform = self._platform
        platform.uploads += 1
        if platform.upload_script:
            raise Refused(platform.upload_script.pop(0))
        async with request.form() as form:
            file = form.get("media")
            if not isinstance(file, UploadFile):
                raise Refused(EMPTY)
            kind, now = request.query_params.get("type", ""), platform.clock()
            content_type = file.content_type or "application/octet-stream"
            media_id = platform.media.put(
                kind, file.filename or "", content_type, await file.read(), now
            )
        return {"type": kind, "media_id": media_id, "created_at": str(int(now.timestamp()))}

    async def _download(self, request: Request) -> Response:
        media_id = request.query_params.get("media_id", "")
        found = self._platform.media.get(media_id, self._platform.clock())
        name = quote(found.filename)
        headers = {
            "Content-Disposition": f"attachment; filename=\"{name}\"; filename*=utf-8''{name}"
        }
        return Response(found.content, media_type=found.content_type, headers=headers)

    async def _who(self, request: Request) -> Mapping[str, Any] | Response:
        if self._platform.settings.old_oauth and request.url.path.endswith("auth/getuserinfo"):
            return Response(status_code=404)
        return self._platform.member_of_code(request.query_params.get("code", ""))

    async def _member(self, request: Request) -> Mapping[str, Any]:
        return self._platform.member(request.query_params.get("userid", ""))

    async def _department(self, request: Request) -> Mapping[str, Any]:
        number = request.query_params.get("id", "")
        return self._platform.department(int(number) if number.isdecimal() else 0)

    async def authorize(self, request: Request) -> Response:
        """The web login inside the client: straight back with a code, as the client does it.

        The member is named by the cookie ``member``, which the pretended client sets.
        """
        query = request.query_params
        back = query.get("redirect_uri", "")
        if query.get("appid") != self._platform.settings.corp_id or "://" not in back:
            return Response("50001", status_code=400)
        code = self._platform.authorize(request.cookies.get("member", ""))
        joint = "&" if "?" in back else "?"
        answer = urlencode({"code": code, "state": query.get("state", "")})
        return RedirectResponse(f"{back}{joint}{answer}", 302)


async def _body(request: Request) -> Mapping[str, Any]:
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise Refused(_BAD_JSON) from None
    if not isinstance(body, Mapping):
        raise Refused(_BAD_JSON)
    return body


def routes(platform: FakeWecom) -> list[Route]:
    """The platform's addresses, for an application of one's own."""
    api = FakeWecomApi(platform)
    return [
        Route("/cgi-bin/{verb:path}", api.answer, methods=["GET", "POST"]),
        Route("/{prefix:path}/cgi-bin/{verb:path}", api.answer, methods=["GET", "POST"]),
        Route("/connect/oauth2/authorize", api.authorize),
        # Whoever comes here has scanned the code already.
        Route("/wwopen/sso/qrConnect", api.authorize),
    ]


def create_app(platform: FakeWecom) -> Starlette:
    """The platform by itself."""
    return Starlette(routes=routes(platform))
