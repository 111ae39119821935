"""How fast search is at up to 20,000 answers, and what training takes: `python -m bench.search`.

The knowledge base is made up on the spot from the words of the sample content, six questions per
answer. Prints milliseconds per query, one query at a time, beside character-pair BM25 over the same
texts; and for training seconds, seconds of the processor (which other work on the machine does not
lengthen) and the largest memory.
"""

import argparse
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import rjieba

from bench.bm25 import PairBm25
from kb.articles import AnswerKind, AnswerOrigin, Corpus, IndexedAnswer, Source
from kb.importer import import_file
from kb.index_holder import IndexHolder
from kb.lexicon import load_lexicon
from kb.retriever import Retriever
from kb.sections import FaqTable
from kb.settings import KnowledgeSettings
from kb.train import build_index

DATA = Path(__file__).parents[1] / "data"
QUESTIONS_EACH = 6
QUERIES = 400


def sample_words() -> list[str]:
    """Words of the sample questions, with repetition, so that frequent ones stay frequent."""
    words: list[str] = []
    for path in sorted((DATA / "faq").glob("*.csv")):
        table = import_file(path)
        assert isinstance(table, FaqTable)
        for entry in table.entries:
            for text in (entry.question, *entry.similar):
                words += [word for word in rjieba.cut(text) if word.strip()]
    return words


def make_corpus(answers: int, words: list[str], chance: random.Random) -> Corpus:
    """Answers with six questions that share most of their words, and a short text."""
    made = []
    for number in range(answers):
        core = chance.sample(words, 5)
        questions = tuple(
            "".join(chance.sample(core, 3) + chance.sample(words, 4)) for _ in range(QUESTIONS_EACH)
        )
        made.append(
            IndexedAnswer(
                answer_id=f"{number:032}",
                origin=AnswerOrigin.ARTICLE,
                kind=AnswerKind.ANSWER,
                title=questions[0],
                text="。".join("".join(chance.sample(words, 12)) for _ in range(4)),
                source=Source("made up"),
                questions=questions,
            )
        )
    return Corpus(tuple(made))


def measure(answers: int, threads: int) -> None:
    """Build an index of that many answers and ask it."""
    chance = random.Random(1)
    words = sample_words()
    corpus = make_corpus(answers, words, chance)
    settings = KnowledgeSettings(training_threads=threads)
    with tempfile.TemporaryDirectory() as home:
        began = time.process_time()
        build = build_index(
            Path(home),
            corpus,
            settings,
            lexicon=load_lexicon(DATA / "lexicon"),
            negatives=(),
            now=datetime.now(UTC),
        )
        worked = time.process_time() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        retriever = Retriever(IndexHolder(Path(home), settings))
        began = time.perf_counter()
        retriever.search("试一下")
        loading = time.perf_counter() - began
        queries = [
            "".join(chance.sample(list(rjieba.cut(chance.choice(answer.questions))), 3))
            for answer in chance.choices(corpus.answers, k=QUERIES)
        ]
        ours = [_milliseconds(lambda query=query: retriever.search(query)) for query in queries]
    bm25 = PairBm25([" ".join(answer.questions) for answer in corpus.answers])
    plain = [_milliseconds(lambda query=query: bm25.scores(query)) for query in queries]
    print(f"{answers} answers, {build.units} questions, {threads} threads")
    print(f"  build {build.seconds:.1f} s (processor {worked:.1f} s), peak memory {peak:.0f} MB")
    print(f"  load {loading:.1f} s")
    print(f"  search       {_spread(ours)}")
    print(f"  pair BM25    {_spread(plain)}")


def _milliseconds(call: object) -> float:
    began = time.perf_counter()
    call()  # type: ignore[operator]
    return (time.perf_counter() - began) * 1000


def _spread(times: list[float]) -> str:
    cuts = statistics.quantiles(times, n=100)
    return f"p50 {cuts[49]:.2f} ms   p95 {cuts[94]:.2f} ms   p99 {cuts[98]:.2f} ms"


def main(_arguments: Sequence[str] = ()) -> None:
    """The sizes that a deployment grows through, on two threads."""
    for size in (1_000, 10_000, 20_000):
        measure(size, 2)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, nargs="+", default=[1_000, 10_000, 20_000])
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    for size in chosen.answers:
        measure(size, chosen.threads)
