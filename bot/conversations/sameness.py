"""Whether two messages of one person tell of the same problem. Pure text work."""

import re
import unicodedata

#: Share of the shorter text's character pairs that the longer one must have too. Chosen on
#: pairs of reports of one problem by one person; see tests/bot/test_sameness.py.
SHARE = 0.6
#: Shorter texts share too many pairs by accident.
MIN_PAIRS = 4
_NOISE = re.compile(
    r"您好|你好|请问|麻烦|急+|在线等|谢谢|老师|怎么办|怎么回事|帮忙|看一?下|还是|又|了|啊|呀|吗|呢|的"
)


def alike(one: str, other: str) -> bool:
    """Whether the shorter text is mostly contained in the longer one, character pair by pair."""
    first, second = _pairs(one), _pairs(other)
    shorter = min(len(first), len(second))
    return shorter >= MIN_PAIRS and len(first & second) / shorter >= SHARE


def _pairs(text: str) -> frozenset[str]:
    text = unicodedata.normalize("NFKC", text).lower()
    text = re.sub(r"[\W_]+", "", _NOISE.sub("", text))
    return frozenset(text[i : i + 2] for i in range(len(text) - 1))
