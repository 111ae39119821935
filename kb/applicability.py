"""For whom and for which fiscal year an answer holds, against what is known of who asks.

Pure. What is not known shuts nobody out: an asker without a group is shown everything, and an
answer without one is for everybody. Refuses to guess a year that the question does not name.
"""

import re
import unicodedata
from collections.abc import Iterable

#: Editors write 各预算单位 where a host page says 预算单位: one within the other is the same group.
_APART = re.compile(r"[\s、，,;；/|]+")
#: A year that is said as such, not the beginning of a date.
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)\s*\u5e74(?!\s*\d{1,2}\s*\u6708)")
MAX_GROUPS = 10


def groups(text: str | None) -> tuple[str, ...]:
    """The groups that a host page says a person belongs to, by whatever mark they stand apart."""
    found = dict.fromkeys(one for one in _APART.split(text or "") if one)
    return tuple(found)[:MAX_GROUPS]


def is_for(audience: Iterable[str], told: Iterable[str]) -> bool:
    """Whether an answer for this audience concerns somebody of these groups."""
    wanted, known = [_folded(one) for one in audience], [_folded(one) for one in told]
    if not wanted or not known:
        return True
    return any(one in other or other in one for one in wanted for other in known)


def named_years(question: str) -> frozenset[int]:
    """The years that a question names; empty when it names none."""
    return frozenset(int(year) for year in _YEAR.findall(unicodedata.normalize("NFKC", question)))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()
