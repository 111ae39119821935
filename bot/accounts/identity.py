"""Who a host page says that its user is, proven by a token that its server has signed.

A JSON Web Token, HMAC-SHA256, made for one widget (``aud``), short-lived, and good for one use.
Refuses to say which check failed: to a caller all are one refusal, our log names it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt
import structlog

from bot.conversations.opening import NewUser
from bot.errors import IdentityRefused

#: The one way of signing; a token does not get to choose.
ALGORITHM = "HS256"
#: A token that lives longer was not made for one page view.
LONGEST = timedelta(minutes=15)
#: How far the host's clock may be ahead or behind.
SKEW = timedelta(seconds=60)
MAX_TOKEN = 4_000
_REQUIRED = ("aud", "sub", "exp", "iat", "jti")
_LIMITS = {"name": 80, "unit": 120, "region": 80, "phone": 40, "audience": 200}

log = structlog.get_logger("bot.identity")


@dataclass(frozen=True, slots=True)
class Proven:
    """A proven person, and what names the proof, which is good once."""

    user: NewUser
    proof_id: str


@dataclass(frozen=True, slots=True)
class Identities:
    """Checks proofs. ``secrets`` are by widget name; without any no proof is taken."""

    secrets: Mapping[str, str]
    #: Those before the last change, by widget name, while they are still taken.
    former: Mapping[str, str] = field(default_factory=dict)

    def check(self, token: str, *, device: str, now: datetime, key: str = "") -> Proven:
        """The person of a proof, which must be for the widget ``key`` where a page names one.

        Raises :class:`IdentityRefused`.
        """
        claims = self._claims(token, now)
        if key and claims["aud"] != key:
            raise _refused("other_widget")
        told = {name: _text(claims.get(name), limit) for name, limit in _LIMITS.items()}
        widget, subject, proof = claims["aud"], _text(claims["sub"], 120), _text(claims["jti"], 100)
        if not subject or not proof:
            raise _refused("empty")
        user = NewUser(
            channel="web",
            external_user=f"{widget}:{subject}",
            device=device[:300],
            verified=True,
            widget=widget[:40],
            **told,
        )
        return Proven(user, f"{widget}:{proof}")

    def _claims(self, token: str, now: datetime) -> dict[str, Any]:
        if len(token) > MAX_TOKEN:
            raise _refused("too_long")
        try:
            widget = jwt.decode(token, options={"verify_signature": False}).get("aud")
        except jwt.PyJWTError as error:
            raise _refused(type(error).__name__) from None
        if not isinstance(widget, str) or (secret := self.secrets.get(widget)) is None:
            raise _refused("unknown_widget")
        try:
            claims = _decoded(token, widget, secret)
        except jwt.PyJWTError as error:
            former = self.former.get(widget)
            claims = _by_former(token, widget, former, type(error).__name__)
        _require_fresh(claims, now)
        return claims


def _decoded(token: str, widget: str, secret: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        token,
        secret,
        algorithms=[ALGORITHM],
        audience=widget,
        # Instants are compared with the clock that is passed in.
        options={"require": list(_REQUIRED), "verify_exp": False, "verify_iat": False,
                 "verify_nbf": False},
    )  # fmt: skip
    return claims


def _by_former(token: str, widget: str, former: str | None, flaw: str) -> dict[str, Any]:
    """The claims under the secret before the last change; ``flaw`` is told when there is none."""
    if former is None:
        raise _refused(flaw)
    try:
        return _decoded(token, widget, former)
    except jwt.PyJWTError as error:
        raise _refused(type(error).__name__) from None


def _require_fresh(claims: Mapping[str, Any], now: datetime) -> None:
    issued, ends = claims["iat"], claims["exp"]
    if not all(isinstance(at, int | float) and 0 <= at < 2**40 for at in (issued, ends)):
        raise _refused("instants")
    moment, skew = now.timestamp(), SKEW.total_seconds()
    if ends < moment - skew:
        raise _refused("expired")
    if issued > moment + skew:
        raise _refused("from_the_future")
    if ends - min(issued, moment) > LONGEST.total_seconds() + skew:
        raise _refused("lives_too_long")


def _refused(flaw: str) -> IdentityRefused:
    log.warning("identity_refused", flaw=flaw)
    return IdentityRefused()


def _text(value: object, limit: int) -> str:
    return value.strip()[:limit] if isinstance(value, str) else ""
