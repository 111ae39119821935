"""The virus scanner's protocol: INSTREAM of clamd over a Unix or TCP socket.

Each chunk has a big-endian length of four bytes before it, and a chunk of length zero ends the
stream. Documented in clamd(8). Refuses to decide what happens to a file.
"""

import asyncio
import struct
from dataclasses import dataclass

_CHUNK = 64 * 1024
_LENGTH = struct.Struct(">I")
_MOST_REPLY = 4_096


class ScannerSilent(Exception):
    """The scanner could not be reached, or did not say what it found."""


@dataclass(frozen=True, slots=True)
class Clamd:
    """A scanner at ``unix:/path`` or ``tcp:host:port``."""

    address: str
    timeout_s: float

    async def is_clean(self, data: bytes) -> bool:
        """Whether nothing was found. Raises :class:`ScannerSilent`."""
        try:
            async with asyncio.timeout(self.timeout_s):
                reply = await self._ask(data)
        except (OSError, ValueError, TimeoutError) as error:
            raise ScannerSilent(type(error).__name__) from error
        if reply.endswith("OK"):
            return True
        if reply.endswith("FOUND"):
            return False
        raise ScannerSilent(reply[:80])

    async def _ask(self, data: bytes) -> str:
        reader, writer = await self._connect()
        try:
            writer.write(b"zINSTREAM\0")
            for start in range(0, len(data), _CHUNK):
                chunk = data[start : start + _CHUNK]
                writer.write(_LENGTH.pack(len(chunk)) + chunk)
                await writer.drain()
            writer.write(_LENGTH.pack(0))
            await writer.drain()
            return (await reader.read(_MOST_REPLY)).rstrip(b"\0\n").decode("utf-8", "replace")
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        scheme, _, place = self.address.partition(":")
        if scheme == "unix":
            return await asyncio.open_unix_connection(place)
        host, _, port = place.rpartition(":")
        if scheme != "tcp" or not host or not port.isdecimal():
            raise ValueError("address")
        return await asyncio.open_connection(host.strip("[]"), int(port))
