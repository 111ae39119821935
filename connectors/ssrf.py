"""Which addresses that somebody typed may be connected to, checked at the moment of connecting.

A name is resolved once and the connection goes to exactly the addresses that were checked, so a
name server that changes its mind between check and use gains nothing. Only addresses of the open
internet pass, unless the deployment lists a network. Refuses to follow redirects and to use
proxies of the environment: both would connect elsewhere.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import httpcore
import httpx
from typing_extensions import override

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

#: IPv6 addresses that a translator turns into the IPv4 address in their last four bytes.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
MAX_ADDRESS_CHARS = 2_000
_RESOLVE_S = 5.0


class Refusal(StrEnum):
    """What is wrong with an address."""

    FORM = "form"
    SCHEME = "scheme"
    CREDENTIALS = "credentials"
    UNKNOWN_NAME = "unknown_name"
    NETWORK = "network"


class AddressRefused(Exception):
    """This address may not be connected to."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


async def resolve(host: str, port: int) -> Sequence[str]:
    """All addresses of a name, as the machine resolves it. Raises ``OSError``."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """Decides by address, not by name; ``allowed`` are the deployment's own networks."""

    allowed: tuple[Network, ...] = ()
    resolver: Resolver = resolve

    def check_form(self, address: str) -> tuple[str, int]:
        """Host and port of an HTTP address. Raises :class:`AddressRefused`."""
        if len(address) > MAX_ADDRESS_CHARS or not address.isascii() or not address.isprintable():
            raise AddressRefused(Refusal.FORM)
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError:
            raise AddressRefused(Refusal.FORM) from None
        if parts.scheme not in ("http", "https"):
            raise AddressRefused(Refusal.SCHEME)
        if parts.username is not None or parts.password is not None:
            raise AddressRefused(Refusal.CREDENTIALS)
        if not parts.hostname or " " in address or "\\" in address or port == 0:
            raise AddressRefused(Refusal.FORM)
        return parts.hostname, port or (443 if parts.scheme == "https" else 80)

    async def check(self, address: str) -> None:
        """Form and network of an HTTP address. Raises :class:`AddressRefused`."""
        await self.addresses(*self.check_form(address))

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """The numeric addresses to connect to. Raises :class:`AddressRefused`.

        One forbidden address forbids the name: which one a client takes is chance.
        """
        try:
            async with asyncio.timeout(_RESOLVE_S):
                found = await self.resolver(host, port)
        except (OSError, UnicodeError):
            raise AddressRefused(Refusal.UNKNOWN_NAME) from None
        if not found:
            raise AddressRefused(Refusal.UNKNOWN_NAME)
        if not all(self.permits(one) for one in found):
            raise AddressRefused(Refusal.NETWORK)
        return found

    def permits(self, numeric: str) -> bool:
        """Whether this numeric address may be connected to."""
        try:
            address = ipaddress.ip_address(numeric.partition("%")[0])
        except ValueError:
            return False
        return all(self._permits(one) for one in _meant(address))

    def _permits(self, address: Address) -> bool:
        if any(address in network for network in self.allowed):
            return True
        return address.is_global and not address.is_multicast and not address.is_reserved


def _meant(address: Address) -> Iterable[Address]:
    """The IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return (address.ipv4_mapped,)
        if address in _NAT64:
            return (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF),)
        if address.sixtofour is not None:
            return (address, address.sixtofour)
        if address.teredo is not None:
            return (address, *address.teredo)
    return (address,)


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only; TLS still asks for the name."""

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._network = httpcore.AnyIOBackend()

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        error: Exception = httpcore.ConnectError("no address")
        for numeric in await self._guard.addresses(host, port):
            try:
                return await self._network.connect_tcp(
                    numeric, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                error = failed
        raise error

    @override
    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # the signature is httpcore's
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise AddressRefused(Refusal.SCHEME)

    @override
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx has no way to hand a network backend in, so its pool is made here instead."""

    def __init__(self, guard: AddressGuard, context: ssl.SSLContext) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=20,
            max_keepalive_connections=5,
            keepalive_expiry=30.0,
            network_backend=_GuardedBackend(guard),
        )


def guarded_client(
    guard: AddressGuard, context: ssl.SSLContext, timeout_s: float
) -> httpx.AsyncClient:
    """An HTTP client for addresses that somebody typed."""
    return httpx.AsyncClient(
        transport=_GuardedTransport(guard, context),
        timeout=timeout_s,
        follow_redirects=False,
        trust_env=False,
    )


async def guarded_socket(guard: AddressGuard, host: str, port: int) -> socket.socket:
    """A connected socket for protocols other than HTTP. Raises ``AddressRefused``, ``OSError``."""
    loop = asyncio.get_running_loop()
    error: OSError = ConnectionError("no address")
    for numeric in await guard.addresses(host, port):
        family = socket.AF_INET6 if ":" in numeric else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            await loop.sock_connect(connection, (numeric, port))
        except OSError as failed:
            connection.close()
            error = failed
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise error
