"""Calls to the API of 政务微信/WeCom: token, gateway headers, error codes.

Decides by ``errcode`` alone; texts of the platform change. The token and the secret travel in
queries, so no address and no exception of the HTTP client ever leaves this module.
"""

import asyncio
import hashlib
import secrets
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx
import structlog

from connectors.base import Held, PermanentError, TransientError
from connectors.settings import WecomSettings

#: Codes by what helps; from the vendor's table of error codes (document 90313).
_BUSY = frozenset({-1, 6000, 45033})
_TOKEN = frozenset({40001, 40014, 41001, 42001})
_CREDENTIALS = frozenset({40001, 40013, 40091})
_CONFIGURATION = frozenset({40056, 48001, 48002, 50003, 60020, 301002, 301042})
_RATE = 45009
_CARD = frozenset({40008, *range(42014, 42017), *range(42030, 42052)})
#: After two refused secrets the platform bans our address for an hour; so we stop before.
_REFUSALS = 2
_BAN = timedelta(hours=1)
#: A token is fetched again this long before it ends.
_EARLY = timedelta(minutes=5)
_FIRST_HOLD_S, _RATE_HOLD_S = 30.0, 60.0
TIMEOUT_S = 10.0

log = structlog.get_logger("connectors.wecom")


class CardRefused(Exception):
    """This platform does not take this card."""


def make_client(settings: WecomSettings) -> httpx.AsyncClient:
    """The HTTP client of a deployment: its authorities and proxy, nothing from the environment."""
    context = ssl.create_default_context(cafile=settings.ca_bundle)
    return httpx.AsyncClient(
        verify=context, proxy=settings.proxy or None, timeout=TIMEOUT_S, trust_env=False
    )


def gateway_signature(token: str, timestamp: str, nonce: str) -> str:
    """What TIF and RIO gateways check: SHA-256, upper case."""
    return hashlib.sha256(f"{timestamp}{token}{nonce}{timestamp}".encode()).hexdigest().upper()


class WecomApi:
    """One application's calls; keeps its access token."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        settings: WecomSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock
        self._token = ""
        self._token_until: datetime | None = None
        self._fetching = asyncio.Lock()
        self._refusals = 0
        self._closed_until: datetime | None = None

    async def post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Call with a token; a token that ended early is fetched again once.

        Raises :class:`TransientError`, :class:`Held`, :class:`PermanentError`,
        :class:`CardRefused`.
        """
        token = await self._current()
        answer = await self._request("POST", path, {"access_token": token}, body)
        if _code(answer) in _TOKEN:
            self._forget(token)
            token = await self._current()
            answer = await self._request("POST", path, {"access_token": token}, body)
        _check(_code(answer))
        return answer

    def _forget(self, token: str) -> None:
        if self._token == token:
            self._token_until = None

    async def _current(self) -> str:
        async with self._fetching:
            now = self._clock()
            if self._token_until is None or now >= self._token_until:
                await self._fetch(now)
            return self._token

    async def _fetch(self, now: datetime) -> None:
        if self._closed_until is not None and now < self._closed_until:
            wait = (self._closed_until - now).total_seconds()
            raise Held("the credentials were refused", wait)
        query = {"corpid": self._settings.corp_id, "corpsecret": self._settings.secret}
        answer = await self._request("GET", "/cgi-bin/gettoken", query)
        code = _code(answer)
        if code in _CREDENTIALS:
            self._refuse(now)
        _check(code)
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise TransientError("no token in the answer")
        self._refusals, self._closed_until = 0, None
        lasting = answer.get("expires_in")
        seconds = lasting if isinstance(lasting, int) and lasting > 0 else 7_200
        early = min(_EARLY, timedelta(seconds=seconds / 2))
        self._token, self._token_until = token, now + timedelta(seconds=seconds) - early

    def _refuse(self, now: datetime) -> None:
        self._refusals += 1
        log.error("wecom_credentials_refused", times=self._refusals)
        banned = self._refusals >= _REFUSALS
        wait = _BAN if banned else timedelta(seconds=_FIRST_HOLD_S)
        self._closed_until = now + wait
        raise Held("the credentials were refused", wait.total_seconds())

    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any]:
        address = self._settings.base_url.rstrip("/") + path
        try:
            answer = await self._client.request(
                method, address, params=dict(query), json=body, headers=self._gateway_headers()
            )
            content = answer.json() if answer.is_success else None
        except httpx.HTTPError as error:
            raise TransientError(type(error).__name__) from None
        except (ValueError, RecursionError):
            raise TransientError("the answer is no JSON") from None
        if not isinstance(content, dict):
            raise TransientError(f"HTTP {answer.status_code}")
        return content

    def _gateway_headers(self) -> dict[str, str]:
        settings = self._settings
        if not settings.gateway_id:
            return {}
        timestamp = str(int(self._clock().timestamp()))
        nonce = secrets.token_hex(8)
        prefix = settings.gateway_prefix
        return {
            f"{prefix}-paasid": settings.gateway_id,
            f"{prefix}-timestamp": timestamp,
            f"{prefix}-nonce": nonce,
            f"{prefix}-signature": gateway_signature(settings.gateway_token, timestamp, nonce),
        }


def _code(answer: Mapping[str, Any]) -> int:
    code = answer.get("errcode", 0)
    return code if isinstance(code, int) else -1


def _check(code: int) -> None:
    """Raise what an error code means for a delivery."""
    if code == 0:
        return
    if code in _CARD:
        raise CardRefused(str(code))
    if code == _RATE:
        raise Held("errcode 45009", _RATE_HOLD_S)
    if code in _CONFIGURATION:
        log.error("wecom_misconfigured", errcode=code)
    if code in _BUSY or code in _TOKEN or code in _CONFIGURATION:
        raise TransientError(f"errcode {code}")
    raise PermanentError(f"errcode {code}")
