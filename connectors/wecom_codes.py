"""What helps against each error code of 政务微信/WeCom (the vendor's documents 90313 and 90455).

Decided by the code alone: the texts beside it change.
"""

from collections.abc import Mapping
from enum import StrEnum


class Remedy(StrEnum):
    """What to do about a code."""

    #: The same call again, later.
    RETRY = "retry"
    #: Another access token, and the same call once more.
    REFRESH = "refresh"
    #: Nothing for a while: the application, the corporation or our address calls too often.
    REST = "rest"
    #: Stop: going on with a wrong secret gets our address banned.
    CREDENTIALS = "credentials"
    #: An administrator has to change something; what waits is sent then.
    CONFIGURATION = "configuration"
    #: The same in plain words: this build does not take this kind of card.
    CARD = "card"
    #: Upload the file again, once.
    MEDIA = "media"
    #: A picture or file that the platform does not take; the words go without it.
    FILE = "file"
    #: Nobody can be reached at this name.
    UNREACHABLE = "unreachable"
    #: A new web login.
    LOGIN = "login"
    #: Never again.
    NEVER = "never"


_BY_REMEDY: Mapping[Remedy, tuple[int, ...]] = {
    Remedy.RETRY: (-1, 6000, 45033),
    Remedy.REFRESH: (40014, 41001, 42001),
    Remedy.REST: (45009,),
    Remedy.CREDENTIALS: (40001, 40013, 40091),
    Remedy.CONFIGURATION: (
        *(40054, 40055, 40056, 40093, 40094, 48001, 48002),
        *(50001, 50003, 60020, 301002, 301042),
    ),
    Remedy.CARD: (40008, *range(42014, 42017), *range(42030, 42052)),
    Remedy.MEDIA: (40007,),
    Remedy.FILE: (40004, 40005, 40006, 44001, 45001, 45007),
    Remedy.UNREACHABLE: (40003, 46004, 50002, 60011, 60111, 81013, 82001),
    Remedy.LOGIN: (40029, 84014, 84015),
}
_TABLE: Mapping[int, Remedy] = {
    code: remedy for remedy, codes in _BY_REMEDY.items() for code in codes
}


def remedy(code: int) -> Remedy:
    """What helps; for a code that we do not know, nothing does."""
    return _TABLE.get(code, Remedy.NEVER)


def table() -> Mapping[int, Remedy]:
    """Every known code."""
    return _TABLE
