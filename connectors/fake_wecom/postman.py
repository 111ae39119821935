"""Posts callbacks as the platform does: encrypted, again when no 200 comes, through bad weather.

The vendor's documents 90238 and 90930: five seconds to answer, three tries in all.
"""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from connectors.fake_wecom.letters import Letters
from connectors.fake_wecom.settings import FakeSettings
from connectors.wecom_crypto import CallbackKeys

_OK = 200


@dataclass(frozen=True, slots=True)
class Weather:
    """How likely each mishap is, from 0 to 1; ``late_s``: how long a late one lies about."""

    duplicate: float = 0.0
    late: float = 0.0
    late_s: float = 0.5
    truncate: float = 0.0


@dataclass(slots=True)
class Postman:
    """Brings callbacks to one address. ``lost`` counts those that the platform gave up."""

    client: httpx.AsyncClient
    address: str
    keys: CallbackKeys
    letters: Letters
    settings: FakeSettings
    clock: Callable[[], datetime]
    weather: Weather = Weather()
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    posts: int = 0
    lost: int = 0
    #: Of callbacks under way for nobody to wait for.
    _loose: set[asyncio.Task[bool]] = field(default_factory=set)

    async def bring(self, plain: str) -> bool:
        """Post one callback until it is taken; whether it was, before the platform gave up."""
        if self.chance.random() < self.weather.late:
            await self.sleep(self.chance.uniform(0, self.weather.late_s))
        if self.chance.random() < self.weather.duplicate:
            self._drop_another(plain)
        for attempt in range(self.settings.retries):
            if attempt:
                await self.sleep(self.settings.retry_s)
            if await self._is_taken(plain):
                return True
        self.lost += 1
        return False

    async def settle(self) -> None:
        """Wait for duplicates that are still under way."""
        while self._loose:
            await asyncio.gather(*self._loose, return_exceptions=True)

    def _drop_another(self, plain: str) -> None:
        async def later() -> bool:
            await self.sleep(self.chance.uniform(0, self.weather.late_s))
            return await self._is_taken(plain)

        task = asyncio.create_task(later())
        self._loose.add(task)
        task.add_done_callback(self._loose.discard)

    async def _is_taken(self, plain: str) -> bool:
        body = ""
        if self.chance.random() < self.weather.truncate:
            body = self._sealed(plain)[1]
            body = body[: self.chance.randrange(len(body))]
        try:
            return (await self.post(plain, body)).status_code == _OK
        except httpx.HTTPError:
            return False

    async def post(self, plain: str | bytes, body: str = "") -> httpx.Response:
        """Post once; ``body`` replaces the envelope. Raises :class:`httpx.HTTPError`."""
        query, envelope = self._sealed(plain)
        self.posts += 1
        return await self.client.post(
            self.address,
            params=query,
            content=(body or envelope).encode(),
            timeout=self.settings.answer_within_s,
        )

    async def check_address(self) -> bool:
        """The check when an address is saved: the words must come back bare."""
        words = str(secrets.randbelow(10**19))
        sealed = self.keys.seal(words.encode(), timestamp=self._timestamp(), nonce=_nonce())
        query = {
            "msg_signature": sealed.signature,
            "timestamp": sealed.timestamp,
            "nonce": sealed.nonce,
            "echostr": sealed.encrypted,
        }
        answer = await self.client.get(self.address, params=query, timeout=1.0)
        return answer.status_code == _OK and answer.content == words.encode()

    def _sealed(self, plain: str | bytes) -> tuple[dict[str, str], str]:
        raw = plain.encode() if isinstance(plain, str) else plain
        sealed = self.keys.seal(raw, timestamp=self._timestamp(), nonce=_nonce())
        query = {
            "msg_signature": sealed.signature,
            "timestamp": sealed.timestamp,
            "nonce": sealed.nonce,
        }
        return query, self.letters.envelope(sealed.encrypted)

    def _timestamp(self) -> str:
        return str(int(self.clock().timestamp()))


def _nonce() -> str:
    return secrets.token_hex(5)
