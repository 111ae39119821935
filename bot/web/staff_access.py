"""What programs of staff must bring: a session whose password is their own, and a version.

Refuses to decide roles; each route asks for its own.
"""

from typing import Annotated

from fastapi import Depends, Header

from bot.accounts.service import Principal
from bot.errors import InvalidInput, PasswordChangeRequired
from bot.web.security import CurrentStaff

#: Longer than any version; what is longer is no version.
_DIGITS = 9


async def own_password(staff: CurrentStaff) -> Principal:
    """Who is calling. Raises :class:`PasswordChangeRequired` for a one-time password."""
    if staff.must_change_password:
        raise PasswordChangeRequired
    return staff


async def expected_version(if_match: Annotated[str, Header()] = "") -> int | None:
    """The version that ``If-Match`` names, ``None`` without one and for ``*``."""
    tag = if_match.strip()
    if tag in ("", "*"):
        return None
    return version_of(tag.removeprefix("W/").strip('"'))


def version_of(text: str) -> int:
    """A version as it was given out. Raises :class:`InvalidInput`."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        raise InvalidInput("version", "console.error.version")
    return int(text)


ApiStaff = Annotated[Principal, Depends(own_password)]
Expected = Annotated[int | None, Depends(expected_version)]
