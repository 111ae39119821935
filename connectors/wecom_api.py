"""Calls to the API of 政务微信/WeCom: token, gateway headers, error codes.

What a code means is in :mod:`connectors.wecom_codes`. The token and the secret travel in
queries, so no address and no exception of the HTTP client ever leaves this module.
"""

import asyncio
import email.message
import hashlib
import secrets
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

import httpx
import structlog

from connectors.base import Fetched, Held, PermanentError, TransientError
from connectors.credentials import Credentials, MemoryCredentials
from connectors.settings import GatewaySettings, WecomSettings
from connectors.wecom_codes import Remedy, remedy

#: A token is fetched again this long before it ends.
_EARLY = timedelta(minutes=5)
#: A code alone does not say whether the limit of a minute, an hour or a day was met.
_RESTS_S = (60.0, 600.0, 3_600.0)
TIMEOUT_S = 10.0
#: A file that somebody sent us may be this large.
MOST_BYTES = 20 * 1024 * 1024
_BAD_SECRET, _NOT_THERE = 40001, 404
_MEDIA_FIELDS = ("media_id", "mediaId", "mediaid")

log = structlog.get_logger("connectors.wecom")


class CardRefused(Exception):
    """This platform does not take this card."""


class MediaGone(Exception):
    """The platform no longer has this file; they are kept three days."""


class NotSetUp(TransientError):
    """Nothing gets through until an administrator changes something on the platform or here."""


class CredentialsRefused(Held):
    """The platform does not take our secret; we stop before it bans our address."""


class Missing(TransientError):
    """The platform does not know this path; older builds do not know all."""


class FileRefused(Exception):
    """The platform does not take this file."""


class LoginRefused(PermanentError):
    """The code of a web login is used up, too old, or of somebody outside the corporation."""


def make_client(settings: WecomSettings) -> httpx.AsyncClient:
    """The HTTP client of a deployment: its authorities and proxy, nothing from the environment."""
    context = ssl.create_default_context(cafile=settings.ca_bundle)
    return httpx.AsyncClient(
        verify=context, proxy=settings.proxy or None, timeout=TIMEOUT_S, trust_env=False
    )


def gateway_signature(token: str, timestamp: str, nonce: str) -> str:
    """What TIF and RIO gateways check: SHA-256, upper case."""
    return hashlib.sha256(f"{timestamp}{token}{nonce}{timestamp}".encode()).hexdigest().upper()


def gateway_headers(settings: GatewaySettings, now: datetime) -> dict[str, str]:
    """What a gateway wants to see of each call, made anew for it; nothing where there is none."""
    if not settings.gateway_id:
        return {}
    timestamp = str(int(now.timestamp()))
    nonce = secrets.token_hex(8)
    prefix = settings.gateway_prefix
    return {
        f"{prefix}-paasid": settings.gateway_id,
        f"{prefix}-timestamp": timestamp,
        f"{prefix}-nonce": nonce,
        f"{prefix}-signature": gateway_signature(settings.gateway_token, timestamp, nonce),
    }


class WecomApi:
    """One application's calls; keeps its access token."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        settings: WecomSettings,
        clock: Callable[[], datetime],
        credentials: Credentials | None = None,
    ) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock
        self._token = ""
        self._token_until: datetime | None = None
        self._fetching = asyncio.Lock()
        self._credentials = credentials or MemoryCredentials()
        self._rests = 0
        self._resting_until: datetime | None = None

    async def post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Call with a token; a token that ended early is fetched again once.

        Raises :class:`TransientError`, :class:`Held`, :class:`PermanentError`,
        :class:`CardRefused`, :class:`MediaGone`, :class:`FileRefused`.
        """
        return await self._call("POST", path, {}, json=body)

    async def get(self, path: str, **query: str) -> Mapping[str, Any]:
        """As `post`, for what is only asked for; also raises :class:`LoginRefused`."""
        return await self._call("GET", path, query)

    async def upload(self, kind: str, filename: str, content: bytes, media_type: str) -> str:
        """Give the platform a file; its media id. Raises as `post`."""
        files = {"media": (filename, content, media_type)}
        path = "/cgi-bin/media/upload"
        answer = await self._call("POST", path, {"type": kind}, files=files)
        # Private builds are known to spell the field in other ways.
        found = next((answer[name] for name in _MEDIA_FIELDS if answer.get(name)), None)
        if not isinstance(found, str):
            raise TransientError("no media id in the answer")
        return found

    async def fetch(self, media_id: str) -> Fetched:
        """A file that a member sent. Raises as `post`; :class:`FileRefused` when it is too large.

        Success are bare bytes, an error is JSON with 200.
        """
        query = {"media_id": media_id}
        for attempt in (1, 2):
            token = await self._current()
            answer = await self._send("GET", "/cgi-bin/media/get", query | {"access_token": token})
            code = _error_in(answer)
            if code == 0:
                if len(answer.content) > MOST_BYTES:
                    raise FileRefused("too large")
                return Fetched(_filename(answer), answer.content)
            if remedy(code) is not Remedy.REFRESH or attempt == 2:
                break
            self._forget(token)
        self._check(code)
        raise TransientError(f"errcode {code}")

    async def _call(
        self, method: str, path: str, query: Mapping[str, str], **content: Any
    ) -> Mapping[str, Any]:
        token = await self._current()
        answer = await self._request(method, path, {**query, "access_token": token}, **content)
        if remedy(_code(answer)) is Remedy.REFRESH or _code(answer) == _BAD_SECRET:
            self._forget(token)
            token = await self._current()
            answer = await self._request(method, path, {**query, "access_token": token}, **content)
        self._check(_code(answer))
        self._rests = 0
        return answer

    async def check(self) -> None:
        """Whether the platform takes our credentials. Raises as `post`."""
        self._token_until = None
        await self._current()

    def _forget(self, token: str) -> None:
        if self._token == token:
            self._token_until = None

    async def _current(self) -> str:
        async with self._fetching:
            now = self._clock()
            if self._resting_until is not None and now < self._resting_until:
                raise Held("errcode 45009", (self._resting_until - now).total_seconds())
            if self._token_until is None or now >= self._token_until:
                await self._fetch(now)
            return self._token

    async def _fetch(self, now: datetime) -> None:
        rest = await self._credentials.rest(now)
        if rest is not None:
            raise CredentialsRefused("the credentials were refused", rest.total_seconds())
        query = {"corpid": self._settings.corp_id, "corpsecret": self._settings.secret}
        answer = await self._request("GET", "/cgi-bin/gettoken", query)
        code = _code(answer)
        if remedy(code) is Remedy.CREDENTIALS:
            await self._refuse(now)
        self._check(code)
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise TransientError("no token in the answer")
        await self._credentials.accepted()
        lasting = answer.get("expires_in")
        seconds = lasting if isinstance(lasting, int) and lasting > 0 else 7_200
        early = min(_EARLY, timedelta(seconds=seconds / 2))
        self._token, self._token_until = token, now + timedelta(seconds=seconds) - early

    async def _refuse(self, now: datetime) -> None:
        rest = await self._credentials.refused(now)
        log.error("wecom_credentials_refused", rest_s=round(rest.total_seconds()))
        raise CredentialsRefused("the credentials were refused", rest.total_seconds())

    async def _request(
        self, method: str, path: str, query: Mapping[str, str], **content: Any
    ) -> Mapping[str, Any]:
        answer = await self._send(method, path, query, **content)
        try:
            found = answer.json()
        except (ValueError, RecursionError):
            raise TransientError("the answer is no JSON") from None
        if not isinstance(found, dict):
            raise TransientError("the answer is no object")
        return found

    async def _send(
        self, method: str, path: str, query: Mapping[str, str], **content: Any
    ) -> httpx.Response:
        address = self._settings.base_url.rstrip("/") + path
        try:
            answer = await self._client.request(
                method,
                address,
                params=dict(query),
                headers=gateway_headers(self._settings, self._clock()),
                **content,
            )
        except httpx.HTTPError as error:
            raise TransientError(type(error).__name__) from None
        if answer.status_code == _NOT_THERE:
            raise Missing(path)
        if not answer.is_success:
            raise TransientError(f"HTTP {answer.status_code}")
        return answer

    def _check(self, code: int) -> None:
        """Raise what an error code means for a delivery."""
        if code == 0:
            return
        found = remedy(code)
        if found is Remedy.REST:
            raise self._rest()
        if found is Remedy.CONFIGURATION:
            log.error("wecom_misconfigured", errcode=code)
        raise _MEANING[found](f"errcode {code}")

    def _rest(self) -> Held:
        """Every call waits, and longer each time that waiting did not help."""
        wait = _RESTS_S[min(self._rests, len(_RESTS_S) - 1)]
        self._rests += 1
        self._resting_until = self._clock() + timedelta(seconds=wait)
        log.warning("wecom_rate_limited", wait_s=wait)
        return Held("errcode 45009", wait)


def _code(answer: Mapping[str, Any]) -> int:
    code = answer.get("errcode", 0)
    return code if isinstance(code, int) else -1


def _unreachable(told: str) -> PermanentError:
    return PermanentError(f"Unreachable: {told}")


_MEANING: Mapping[Remedy, Callable[[str], Exception]] = {
    Remedy.RETRY: TransientError,
    Remedy.REFRESH: TransientError,
    Remedy.CREDENTIALS: TransientError,
    Remedy.CONFIGURATION: NotSetUp,
    Remedy.CARD: CardRefused,
    Remedy.MEDIA: MediaGone,
    Remedy.FILE: FileRefused,
    Remedy.LOGIN: LoginRefused,
    Remedy.UNREACHABLE: _unreachable,
    Remedy.NEVER: PermanentError,
}


def _error_in(answer: httpx.Response) -> int:
    """The code of an answer that should be a file; 0 when it is one."""
    if "json" not in answer.headers.get("content-type", "") and answer.content[:1] != b"{":
        return 0
    try:
        found = answer.json()
    except (ValueError, RecursionError):
        return 0
    return _code(found) if isinstance(found, dict) and "errcode" in found else 0


def _filename(answer: httpx.Response) -> str:
    """The name in the answer's header, without a folder; empty when it has none."""
    header = email.message.Message()
    header["Content-Disposition"] = answer.headers.get("content-disposition", "")
    name = header.get_filename("") or ""
    return PurePosixPath(unquote(name).replace("\\", "/")).name[:200]
