"""Chance that belongs to a text: it depends on the text and a seed alone.

What training leaves to chance is drawn from here and not in turn, so that one answer more or less
leaves the numbers of all others as they were, and with them what the others are found by. Nothing
here is secret or fit for it.
"""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]

_MOST_DIGEST = 64
_BITS = 64
#: Odd numbers of the SplitMix64 generator (Steele, Lea, Flood 2014), whose mixing this is.
_STEP = 0x9E3779B97F4A7C15
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def signs(texts: Sequence[str], dimension: int, seed: int) -> NDArray[np.float32]:
    """One row of `dimension` numbers per text, each -1 or 1: as good as uncorrelated."""
    length = -(-dimension // 8)
    drawn = b"".join(_digest(text, length, seed) for text in texts)
    bits = np.unpackbits(np.frombuffer(drawn, np.uint8).reshape(len(texts), length), axis=1)
    return np.asarray(bits[:, :dimension] * np.float32(2.0) - np.float32(1.0), np.float32)


def keys(texts: Iterable[str], seed: int) -> Keys:
    """A number for each text, its own wherever it stands."""
    return np.array([int.from_bytes(_digest(text, 8, seed), "little") for text in texts], np.uint64)


def pair(keys: Keys, others: Keys) -> None:
    """Make each key the key of a pair, in place: there are many in a large knowledge base."""
    keys *= np.uint64(_STEP)
    keys ^= others


def shares(drawn: Keys, turn: int) -> NDArray[np.float64]:
    """A number from 0 to 1 for each key, another in every turn."""
    mixed = drawn + np.uint64(turn * _STEP % 2**_BITS)
    for shift, factor in zip((30, 27), _MIX, strict=True):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * factor
    return np.asarray((mixed ^ (mixed >> np.uint64(31))) / 2.0**_BITS)


def order(texts: Iterable[str], seed: int) -> NDArray[np.int64]:
    """The places of the texts, shuffled; one more or less moves no two others past each other."""
    return np.argsort(keys(texts, seed), kind="stable")


def _digest(text: str, length: int, seed: int) -> bytes:
    """So many bytes; a hash gives 64 at once."""
    spelled = text.encode("utf-8", "surrogatepass")
    parts = []
    for place in range(0, length, _MOST_DIGEST):
        salt = (seed % 2**32).to_bytes(8, "little") + place.to_bytes(8, "little")
        size = min(_MOST_DIGEST, length - place)
        parts.append(hashlib.blake2b(spelled, digest_size=size, salt=salt).digest())
    return b"".join(parts)
