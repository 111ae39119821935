"""A private deployment's own authority and its proxy: obeyed, and nothing else is trusted."""

import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.clock import utc_now
from connectors.base import TransientError
from connectors.fake_wecom.app import create_app
from connectors.fake_wecom.platform import FakeWecom
from connectors.fake_wecom.settings import FakeSettings, Member
from connectors.settings import WecomSettings
from connectors.wecom_api import WecomApi, make_client
from tests.connectors.local_proxy import PASSWORD, a_proxy
from tests.listening import listening

CORP, AGENT, SECRET = "ww1", 1000002, "the-secret-of-the-application"
NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Authority:
    """Signs certificates for this machine; `bundle` is what must be trusted for them."""

    bundle: Path
    certificate: Path
    key: Path


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("authority")
    made = Authority(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    root, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _named("City authority", "City authority", root.public_key())
    ca = ca.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    leaf = _named("127.0.0.1", "City authority", own.public_key())
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    leaf = leaf.add_extension(here, critical=False)
    pem = serialization.Encoding.PEM
    made.bundle.write_bytes(ca.sign(root, hashes.SHA256()).public_bytes(pem))
    made.certificate.write_bytes(leaf.sign(root, hashes.SHA256()).public_bytes(pem))
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    made.key.write_bytes(own.private_bytes(pem, *plain))
    return made


def _named(name: str, issuer: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    subject, signer = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (name, issuer)
    )
    builder = x509.CertificateBuilder(signer, subject, key, x509.random_serial_number())
    return builder.not_valid_before(NOW - timedelta(days=1)).not_valid_after(
        NOW + timedelta(days=1)
    )


@asynccontextmanager
async def platform(authority: Authority | None = None) -> AsyncIterator[str]:
    """The pretended platform's address, by HTTPS when there is an authority."""
    own: dict[str, Any] = (
        {"ssl_certfile": authority.certificate, "ssl_keyfile": authority.key} if authority else {}
    )
    known = FakeSettings(CORP, AGENT, SECRET, members={"lihua": Member("lihua", "Li Hua")})
    fake = FakeWecom(known, utc_now)
    async with listening(create_app(fake), **own) as port:
        yield f"{'https' if authority else 'http'}://127.0.0.1:{port}"


async def told(base_url: str, **more: object) -> str:
    """Who a code is of, through a client made as the product makes it."""
    settings = WecomSettings.model_validate(
        {"base_url": base_url, "corp_id": CORP, "agent_id": AGENT, "secret": SECRET, **more}
    )
    async with make_client(settings) as client:
        found = await WecomApi(client, settings, utc_now).get("/cgi-bin/user/get", userid="lihua")
    return str(found["userid"])


async def test_a_private_authority_is_trusted_where_it_is_set_and_only_there(
    authority: Authority,
) -> None:
    async with platform(authority) as address:
        assert await told(address, ca_bundle=authority.bundle) == "lihua"
        with pytest.raises(TransientError):
            await told(address)


async def test_calls_go_through_the_proxy_and_none_past_it() -> None:
    async with platform() as address, a_proxy() as proxy:
        through = f"http://caiwen:{PASSWORD}@127.0.0.1:{proxy.port}"
        assert await told(address, proxy=through) == "lihua"
        assert [line.split(" ")[1].startswith(address) for line in proxy.asked] == [True, True]
        with pytest.raises(TransientError) as refused:
            await told(address, proxy=through.replace(PASSWORD, "guessed"))
    assert "guessed" not in repr(refused.value)
