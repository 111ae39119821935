"""Addresses that administrators type: what passes, and that a changing name gains nothing."""

import ssl
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.notify_base import Misconfigured
from connectors.notify_http import post
from connectors.ssrf import (
    AddressGuard,
    AddressRefused,
    Refusal,
    guarded_client,
    guarded_socket,
)
from tests.connectors.notify_peers import HERE, client, http_peer

OPEN = AddressGuard()


def resolving(*answers: Sequence[str]) -> AddressGuard:
    """A guard whose names resolve to these in turn."""
    left = list(answers)

    async def resolver(_host: str, _port: int) -> Sequence[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return AddressGuard((), resolver)


@pytest.mark.parametrize(
    "numeric",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",  # noqa: S104  # an address to refuse
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "no address",
        "",
    ],
)
def test_inner_addresses_are_refused(numeric: str) -> None:
    assert not OPEN.permits(numeric)


@pytest.mark.parametrize("numeric", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_the_open_internet_passes(numeric: str) -> None:
    assert OPEN.permits(numeric)


def test_a_listed_network_passes_and_nothing_beside_it() -> None:
    guard = AddressGuard((IPv4Network("10.8.0.0/16"),))
    assert guard.permits("10.8.3.4")
    assert guard.permits("::ffff:10.8.3.4")
    assert not guard.permits("10.9.0.1")
    assert not guard.permits("169.254.169.254")


@given(st.integers(0, 2**32 - 1))
def test_a_mapped_address_is_judged_as_what_it_maps_to(number: int) -> None:
    plain, mapped = IPv4Address(number), IPv6Address(0xFFFF00000000 + number)
    assert OPEN.permits(str(plain)) == OPEN.permits(str(mapped))


@pytest.mark.parametrize(
    ("address", "refusal"),
    [
        ("ftp://example.cn/", Refusal.SCHEME),
        ("file:///etc/passwd", Refusal.SCHEME),
        ("gopher://127.0.0.1:25/", Refusal.SCHEME),
        ("//example.cn/", Refusal.SCHEME),
        ("https://user:pw@example.cn/", Refusal.CREDENTIALS),
        ("https://example.cn@127.0.0.1/", Refusal.CREDENTIALS),
        ("https:///x", Refusal.FORM),
        ("https://exa mple.cn/", Refusal.FORM),
        ("https://example.cn:99999/", Refusal.FORM),
        ("https://example.cn:0/", Refusal.FORM),
        ("https://[::1/", Refusal.FORM),
        ("https://example.cn/\r\nX: y", Refusal.FORM),
        ("https://127。0。0。1/", Refusal.FORM),
        ("https://example.cn/" + "x" * 3_000, Refusal.FORM),
    ],
)
async def test_forms_that_mean_something_else_are_refused(address: str, refusal: Refusal) -> None:
    with pytest.raises(AddressRefused) as caught:
        await OPEN.check(address)
    assert caught.value.refusal is refusal


@given(st.text(max_size=200))
def test_no_text_is_anything_but_refused_or_split(text: str) -> None:
    try:
        host, port = OPEN.check_form(text)
    except AddressRefused:
        return
    assert host
    assert 0 < port <= 65_535


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f000001", "localhost", "[::1]"])
async def test_other_spellings_of_this_machine_are_refused(host: str) -> None:
    with pytest.raises(AddressRefused):
        await OPEN.check(f"http://{host}/")


async def test_a_name_with_one_inner_address_is_refused() -> None:
    with pytest.raises(AddressRefused) as caught:
        await resolving(["8.8.8.8", "10.0.0.1"]).check("https://example.cn/")
    assert caught.value.refusal is Refusal.NETWORK


async def test_an_unknown_name_is_said_to_be_unknown() -> None:
    async def nowhere(_host: str, _port: int) -> Sequence[str]:
        raise OSError("no such name")

    with pytest.raises(AddressRefused) as caught:
        await AddressGuard((), nowhere).check("https://example.invalid/")
    assert caught.value.refusal is Refusal.UNKNOWN_NAME


async def test_a_name_that_changes_after_the_check_reaches_nothing() -> None:
    """The peer is there and would answer; only the guard is in the way."""
    async with http_peer() as peer:
        guard = resolving(["8.8.8.8"], ["127.0.0.1"])
        address = peer.address.replace("127.0.0.1", "rebinding.example")
        await guard.check(address)
        async with guarded_client(guard, ssl.create_default_context(), 2.0) as http:
            with pytest.raises(Misconfigured, match="network"):
                await post(http, address, b"{}", {})
        assert peer.taken == []


async def test_redirects_are_not_followed() -> None:
    async with http_peer() as peer, client() as http:
        peer.answers = [(302, {}, {"Location": f"{peer.address}/inner"})]
        with pytest.raises(Misconfigured, match="302"):
            await post(http, f"{peer.address}/hook", b"{}", {})
        assert [one.path for one in peer.taken] == ["/hook"]


async def test_a_permitted_name_is_reached_and_keeps_its_name() -> None:
    async with http_peer() as peer:

        async def here(_host: str, _port: int) -> Sequence[str]:
            return ["127.0.0.1"]

        guard = AddressGuard((IPv4Network("127.0.0.1/32"),), here)
        address = peer.address.replace("127.0.0.1", "hook.example.cn")
        async with guarded_client(guard, ssl.create_default_context(), 2.0) as http:
            answer = await post(http, address, b"{}", {})
        assert answer.status == 200
        assert peer.taken[0].headers["Host"].startswith("hook.example.cn")


async def test_sockets_of_other_protocols_are_guarded_too() -> None:
    async with http_peer() as peer:
        port = httpx.URL(peer.address).port or 0
        with pytest.raises(AddressRefused):
            await guarded_socket(OPEN, "127.0.0.1", port)
        connection = await guarded_socket(HERE, "127.0.0.1", port)
        assert connection.getpeername()[1] == port
        connection.close()
    with pytest.raises(OSError):
        await guarded_socket(HERE, "127.0.0.1", port)
