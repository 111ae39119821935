"""The widget as a page inside 粤政易: the platform says who it is, and the widget is told by proof.

The proof is the same short token that a host page signs (:mod:`bot.accounts.identity`), made by us.
No token and no code ever stands in an address of ours that is kept.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import jwt

from bot.accounts.identity import ALGORITHM
from bot.clock import Clock
from bot.settings import Settings
from connectors.identity_provider import IdentityProvider, Person

#: The name that these people's proofs are made for; a host page cannot have it.
WIDGET = "wecom"
LASTING = timedelta(minutes=5)
#: A nonce as the browser keeps it.
NONCE_CHARS = 43
#: How browsers within the client of 粤政易, 政务微信 and WeCom name themselves.
CLIENT_MARKS = ("zwwx", "wxwork", "micromessenger")


class Present(Protocol):
    """The channels as they are set up now."""

    @property
    def settings(self) -> Settings:
        """The settings, with what pages keep."""
        ...

    @property
    def identity(self) -> IdentityProvider | None:
        """Says who members are, where a channel can."""
        ...


@dataclass(frozen=True, slots=True)
class H5Login:
    """Web login of members."""

    channels: Present
    clock: Clock

    @property
    def settings(self) -> Settings:
        """The settings as they are now."""
        return self.channels.settings

    @property
    def provider(self) -> IdentityProvider | None:
        """Says who members are, where a channel can."""
        return self.channels.identity

    @property
    def is_on(self) -> bool:
        """Whether a member can be logged in: the platform must know where to send them back."""
        return self.provider is not None and bool(self.settings.wecom.public_url)

    def begin(self, *, again: bool, browser: str = "") -> tuple[str, str]:
        """A nonce for the browser to keep, and the address to send it to.

        ``browser`` is how it names itself, which decides nothing but which login page it sees.
        """
        assert self.provider is not None  # noqa: S101  # asked by is_on
        nonce = secrets.token_urlsafe(32)
        back = f"{self.settings.wecom.public_url.rstrip('/')}/h5/back"
        state = ("1" if again else "0") + _digest(nonce)
        inside = any(mark in browser.lower() for mark in CLIENT_MARKS)
        return nonce, self.provider.login_address(back=back, state=state, inside=inside)

    @staticmethod
    def is_own(state: str, nonce: str) -> bool:
        """Whether this browser began what comes back: nobody is logged in as somebody else."""
        known = len(nonce) == NONCE_CHARS and state[1:].isascii()
        return known and hmac.compare_digest(state[1:].encode(), _digest(nonce).encode())

    async def finish(self, code: str) -> tuple[Person, str]:
        """The person of a code and their proof. Raises as the provider does."""
        assert self.provider is not None  # noqa: S101  # asked by is_on
        person = await self.provider.person_of_code(code)
        now = self.clock()
        told = {"name": person.name, "unit": person.unit, "region": person.region}
        claims: dict[str, object] = {
            "aud": WIDGET,
            "sub": person.subject,
            "iat": int(now.timestamp()),
            "exp": int((now + LASTING).timestamp()),
            "jti": secrets.token_urlsafe(16),
            **{name: value for name, value in told.items() if value},
        }
        return person, jwt.encode(claims, own_secret(self.settings), algorithm=ALGORITHM)


def own_secret(settings: Settings) -> str:
    """What our own proofs are signed with: the same in every process, and nobody else's."""
    key = settings.wecom.secret.encode()
    return hmac.new(key, b"caiwen h5 identity", hashlib.sha256).hexdigest()


def identity_secrets(settings: Settings) -> Mapping[str, str]:
    """The secrets of host pages, and ours where members can be logged in."""
    given = dict(settings.web.identity_secrets)
    given.pop(WIDGET, None)
    wecom = settings.wecom
    own = {WIDGET: own_secret(settings)} if wecom.enabled and wecom.public_url else {}
    return given | own


def _digest(nonce: str) -> str:
    return hashlib.sha256(nonce.encode()).hexdigest()
