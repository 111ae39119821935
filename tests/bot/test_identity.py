"""Proofs of identity by a host page: taken once, from the right signer, in time; else refused."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.accounts.identity import Identities
from bot.errors import IdentityRefused
from bot.settings import WebSettings

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
SECRET = "a secret of the test with enough characters"
IDENTITIES = Identities({"portal": SECRET, "other": SECRET[::-1]})
CLAIMS: dict[str, Any] = {
    "aud": "portal",
    "sub": "u1024",
    "iat": int(NOW.timestamp()),
    "exp": int((NOW + timedelta(minutes=5)).timestamp()),
    "jti": "n1",
    "name": "张三",
    "unit": "市教育局",
    "region": "市本级",
}


def signed(secret: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return jwt.encode(claims, secret, algorithm=algorithm)


def at(**after: float) -> int:
    return int((NOW + timedelta(**after)).timestamp())


def test_a_good_proof_names_a_verified_person() -> None:
    proven = IDENTITIES.check(signed(), device="Chrome", now=NOW)
    assert proven.proof_id == "portal:n1"
    user = proven.user
    assert (user.external_user, user.name, user.unit) == ("portal:u1024", "张三", "市教育局")
    assert user.verified


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": at(seconds=-61)},
        {"exp": at(minutes=17)},
        {"iat": at(seconds=61)},
        {"iat": at(minutes=-20)},
        {"exp": "soon"},
        {"exp": 2**60},
        {"aud": "unknown"},
        {"aud": "other"},
        {"aud": ["portal"]},
        {"aud": None},
        {"sub": None},
        {"sub": " "},
        {"jti": None},
        {"jti": ""},
        {"exp": None},
        {"iat": None},
    ],
)
def test_a_claim_that_is_wrong_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(IdentityRefused):
        IDENTITIES.check(signed(**changes), device="", now=NOW)


def _unsigned() -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(CLAIMS)}."


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "x" * 5_000,
        _unsigned(),
        signed(SECRET + "x"),
        signed(SECRET * 2, algorithm="HS512"),
        signed()[:-2] + "AA",
        "\x00" * 10,
    ],
    ids=["empty", "parts", "long", "unsigned", "key", "algorithm", "signature", "binary"],
)
def test_a_token_that_is_not_ours_is_refused(token: str) -> None:
    with pytest.raises(IdentityRefused):
        IDENTITIES.check(token, device="", now=NOW)


@given(st.text(max_size=200))
def test_anything_else_is_refused_alike(token: str) -> None:
    with pytest.raises(IdentityRefused):
        IDENTITIES.check(token, device="", now=NOW)


def test_without_secrets_nothing_is_taken() -> None:
    with pytest.raises(IdentityRefused):
        Identities({}).check(signed(), device="", now=NOW)


def test_a_weak_secret_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="portal"):
        WebSettings(identity_secrets={"portal": "short"})
    assert SECRET not in repr(WebSettings(identity_secrets={"portal": SECRET}))
