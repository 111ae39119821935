"""What a WeCom bot fetches and posts by itself: encrypted files, and one message after a reply.

The addresses come inside signed callbacks, yet nothing of a private network is called unless the
deployment lists it. They are credentials: none ever stands in an exception or a log.
"""

import base64
import email.message
import re
import ssl
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from connectors.base import Fetched, PermanentError, TransientError
from connectors.errors import CallbackRefused
from connectors.notify_http import JSON_HEADERS, as_json, post
from connectors.settings import WecomBotSettings
from connectors.ssrf import AddressGuard, AddressRefused, guarded_client
from connectors.wecom_api import MOST_BYTES, TIMEOUT_S, FileRefused, MediaGone
from connectors.wecom_bot_messages import BotFile
from connectors.wecom_crypto import CallbackKeys

#: Encryption adds less than this.
_FRAME_BYTES = 64
_GONE = (403, 404, 410)
_KEY_MARK = "#"
#: 32 bytes in base64, with or without the sign at its end.
_FILE_KEY = re.compile(r"[A-Za-z0-9+/]{43}=?")


def keyed(file: BotFile) -> str:
    """A file's address together with its own key, where it has one.

    What stands after this mark is never sent to anybody.
    """
    return f"{file.url}{_KEY_MARK}{file.key}" if _FILE_KEY.fullmatch(file.key) else file.url


def make_bot_client(settings: WecomBotSettings) -> httpx.AsyncClient:
    """The HTTP client of a bot: guarded, with the deployment's authorities."""
    context = ssl.create_default_context(cafile=settings.ca_bundle)
    return guarded_client(AddressGuard(tuple(settings.allowed_networks)), context, TIMEOUT_S)


class WecomBotApi:
    """One bot's calls."""

    def __init__(self, client: httpx.AsyncClient, keys: CallbackKeys | None) -> None:
        self._client = client
        self._keys = keys

    async def respond(self, address: str, text: str) -> None:
        """Post the one message that an address takes.

        Raises :class:`TransientError` when nothing is known, :class:`PermanentError` when refused.
        """
        body: Mapping[str, Any] = {"msgtype": "markdown", "markdown": {"content": text}}
        code = (await post(self._client, address, as_json(body), JSON_HEADERS)).fields()
        if code.get("errcode", 0) != 0:
            raise PermanentError(f"errcode {code.get('errcode')}")

    async def fetch(self, address: str) -> Fetched:
        """A file that somebody sent: encrypted under its own key (`keyed`), else the callback's.

        Raises :class:`FileRefused` for what cannot be read, :class:`MediaGone` after its five
        minutes, :class:`TransientError` otherwise.
        """
        address, keys = self._keys_of(address)
        try:
            async with self._client.stream("GET", address) as answer:
                if answer.status_code in _GONE:
                    raise MediaGone(f"HTTP {answer.status_code}")
                if not answer.is_success:
                    raise TransientError(f"HTTP {answer.status_code}")
                content = await _read(answer)
                name = _filename(answer, address)
        except AddressRefused as refused:
            raise FileRefused(f"address {refused}") from None
        except httpx.InvalidURL:
            raise FileRefused("address form") from None
        except httpx.HTTPError as error:
            raise TransientError(type(error).__name__) from None
        try:
            return Fetched(name, keys.open_file(content))
        except CallbackRefused:
            raise FileRefused("not encrypted as it should be") from None

    def _keys_of(self, address: str) -> tuple[str, CallbackKeys]:
        place, _, key = address.rpartition(_KEY_MARK)
        if place and _FILE_KEY.fullmatch(key):
            return place, CallbackKeys("", base64.b64decode(key.rstrip("=") + "="), "")
        if self._keys is None:
            raise FileRefused("no key")
        return address, self._keys

    async def close(self) -> None:
        """Put connections down."""
        await self._client.aclose()


async def _read(answer: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in answer.aiter_bytes():
        content += chunk
        if len(content) > MOST_BYTES + _FRAME_BYTES:
            raise FileRefused("too large")
    return bytes(content)


def _filename(answer: httpx.Response, address: str) -> str:
    """The name in the header or in the address, without a folder."""
    header = email.message.Message()
    header["Content-Disposition"] = answer.headers.get("content-disposition", "")
    name = header.get_filename("") or urlsplit(address).path
    return PurePosixPath(unquote(name).replace("\\", "/")).name[:200]
