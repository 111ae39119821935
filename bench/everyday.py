"""Writes `data/lexicon/everyday.tsv`: `python -m bench.everyday`.

Counts in how many of the Chinese sentences of Tatoeba each word occurs. The sentences are read
from `../shared/datasets` (or $CAIWEN_SHARED); only words and their shares are written.
"""

import gzip
import json
import math
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import rjieba

from bench.faq import DATA, SHARED
from kb.lexicon import Lexicon
from kb.normalise import Normaliser

PAIRS = SHARED / "datasets" / "permissive_pairs" / "pairs.jsonl.gz"
TARGET = DATA / "lexicon" / "everyday.tsv"
#: A word of one sentence may be a name or a slip.
FEWEST_SENTENCES = 2
HEAD = (
    "# How much a word of everyday speech says of a question's subject, 0 to 1; see kb.covered.\n"
    "# Counted by bench.everyday in Chinese sentences of Tatoeba (tatoeba.org, CC BY 2.0 FR).\n"
)


def sentences(path: Path) -> set[str]:
    """The Chinese sentences of Tatoeba in the form of search texts."""
    normaliser = Normaliser(Lexicon())
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    texts = (row[side] for row in rows if row["src"] == "tatoeba_zh" for side in row_sides(row))
    return {normaliser.fold(text) for text in texts if _is_chinese(text)}


def row_sides(row: dict[str, str]) -> tuple[str, ...]:
    """Both sides: of a translation one is Chinese, of a paraphrase both."""
    return tuple(side for side in ("anchor", "positive") if side in row)


def shares(texts: Sequence[str] | set[str]) -> Iterator[tuple[str, float]]:
    """Each Chinese word and what it says of a subject, the most usual first."""
    counts = Counter(word for text in texts for word in set(rjieba.cut(text)))
    highest = math.log(len(texts) + 1)
    for word, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        if count >= FEWEST_SENTENCES and _is_chinese(word):
            yield word, 1.0 - math.log(count + 1) / highest


def main(_arguments: Sequence[str] = ()) -> None:
    """Write the table, or say that there is nothing to count."""
    if not PAIRS.exists():
        sys.exit(f"skipped: no sentences in {PAIRS}")
    lines = [f"{word}\t{share:.3f}\n" for word, share in shares(sentences(PAIRS))]
    TARGET.write_text(HEAD + "".join(lines), encoding="utf-8")
    print(f"{len(lines)} words in {TARGET}")


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


if __name__ == "__main__":
    main()
