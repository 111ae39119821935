"""Who somebody is, by a platform's word: the interface, for estates tell it differently."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Person:
    """A member as the platform names them; what it does not tell is ``None``."""

    subject: str
    name: str | None = None
    unit: str | None = None
    region: str | None = None


class IdentityProvider(Protocol):
    """A platform that people are logged in to already."""

    def login_address(self, *, back: str, state: str, inside: bool = True) -> str:
        """Where a browser is sent; it returns to ``back`` with a code and this state.

        ``inside`` is one within the platform's client, where the person is logged in already.
        """
        ...

    async def person_of_code(self, code: str) -> Person:
        """Whose code it is; good once.

        Raises :class:`~connectors.wecom_api.LoginRefused` for a code that is not taken, and
        :class:`TransientError` when the platform cannot be asked now.
        """
        ...

    async def person(self, subject: str) -> Person:
        """What the platform tells about a member. Raises :class:`TransientError`."""
        ...
