"""How alike two problem descriptions read: shared character pairs, weighted by rarity.

Pure, and good enough to order a few hundred solved tickets for a person's eye. Refuses to answer
users: that is the knowledge base's search.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

#: Below this a match is an accident of common words.
FLOOR = 0.12


def rank(text: str, others: Sequence[str]) -> list[tuple[int, float]]:
    """Index and score (0..1) of the ``others`` that read like ``text``, best first."""
    wanted = _pairs(text)
    pools = [_pairs(other) for other in others]
    seen: Counter[str] = Counter()
    for pool in pools:
        seen.update(pool)
    weight = {pair: math.log(1 + len(pools) / count) for pair, count in seen.items()}
    heaviest = math.log(1 + len(pools))
    own = sum(weight.get(pair, heaviest) for pair in wanted)
    scored = []
    for index, pool in enumerate(pools):
        shared = sum(weight[pair] for pair in wanted & pool)
        # All that both say weighs at least what one says: most pools are out by this alone.
        if not own or shared < FLOOR * own:
            continue
        score = shared / (own + sum(weight[pair] for pair in pool) - shared)
        if score >= FLOOR:
            scored.append((index, score))
    return sorted(scored, key=lambda entry: (-entry[1], entry[0]))


@lru_cache(maxsize=4 * 400)
def _pairs(text: str) -> frozenset[str]:
    """Kept for the pools that are looked through again with every ticket that is opened."""
    plain = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).lower())
    return frozenset(plain[i : i + 2] for i in range(len(plain) - 1))
