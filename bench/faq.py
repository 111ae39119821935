"""Question tables: how often the right answer comes first, and what is refused.

`python -m bench.faq` measures (1) the sample tables with five similar questions kept per entry and
the others asked, (2) the messages of `data/evaluation/messages.tsv`, (3) if present, a development
table of another subject in `../shared/kb/faq_dev` (or $CAIWEN_SHARED). Every figure is printed
beside character-pair BM25 over the same questions in the same run.
"""

import csv
import os
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench.bm25 import PairBm25
from bot.learning import negatives
from kb.articles import AnswerKind, AnswerOrigin, Corpus, IndexedAnswer, Source
from kb.evaluate import DEPTH, Question, Ranked, Ranking, evaluate, retriever_ranking, table
from kb.importer import import_file
from kb.index_holder import IndexHolder
from kb.lexicon import load_lexicon
from kb.passages import make_passages
from kb.retriever import Retriever
from kb.sections import FaqTable
from kb.settings import KnowledgeSettings
from kb.train import build_index

ROOT = Path(__file__).parents[1]
DATA = ROOT / "data"
SHARED = Path(os.environ.get("CAIWEN_SHARED", ROOT.parent / "shared"))
REMOVED_SHARE = 0.1


def compare(name: str, corpus: Corpus, questions: Sequence[Question]) -> None:
    """Build an index in a workspace of its own, ask, and print beside BM25."""
    with tempfile.TemporaryDirectory() as home:
        settings = KnowledgeSettings()
        build = build_index(
            Path(home),
            corpus,
            settings,
            lexicon=load_lexicon(DATA / "lexicon"),
            negatives=negatives(),
            now=datetime.now(UTC),
        )
        ranking = retriever_ranking(Retriever(IndexHolder(Path(home), settings)))
        ours = evaluate(ranking, questions)
        alike = evaluate(ranking, [replace(one, sort="any") for one in questions])
    plain = evaluate(bm25_ranking(corpus), questions)
    print(f"\n{name}: {build.answers} answers, {len(questions)} questions, {build.seconds:.0f} s")
    print(table({"caiwen": ours, "pair BM25": plain}))
    print(f"ratio hit@1 {ours.hit1 / max(plain.hit1, 1e-9):.2f}", end="  ")
    print(f"AUROC of all sorts together {alike.auroc.get('any', float('nan')):.3f}", flush=True)


def bm25_ranking(corpus: Corpus) -> Ranking:
    """Character-pair BM25 over every question and passage; the best of an answer counts."""
    texts: list[str] = []
    owners: list[int] = []
    for row, answer in enumerate(corpus.answers):
        heading = " ".join(answer.source.section)
        own = answer.questions or (f"{heading} {answer.text}",)
        texts.extend(own)
        owners.extend([row] * len(own))
    index = PairBm25(texts, owners)

    def rank(query: str) -> Ranked:
        scores = index.scores(query)
        order = (-scores).argsort(kind="stable")[:DEPTH]
        return Ranked(
            tuple(corpus.answers[row].answer_id for row in order),
            tuple(float(scores[row]) for row in order),
        )

    return rank


def sample_corpus() -> Corpus:
    """Everything in `data/faq` and `data/guides`."""
    answers: list[IndexedAnswer] = []
    for path in [*sorted((DATA / "faq").iterdir()), *sorted((DATA / "guides").iterdir())]:
        answers += imported(path)
    return Corpus(tuple(answers))


def imported(path: Path) -> list[IndexedAnswer]:
    """The answers of one file."""
    content = import_file(path)
    if isinstance(content, FaqTable):
        return [
            IndexedAnswer(
                answer_id=f"{path.name}#{number}",
                origin=AnswerOrigin.ARTICLE,
                kind=AnswerKind(entry.kind),
                title=entry.question,
                text=entry.answer,
                source=Source(content.title),
                questions=(entry.question, *entry.similar),
                ref=entry.ref,
            )
            for number, entry in enumerate(content.entries)
        ]
    return [
        IndexedAnswer(
            answer_id=f"{path.name}#{draft.position}",
            origin=AnswerOrigin.PASSAGE,
            kind=AnswerKind.ANSWER,
            title=draft.heading or content.title,
            text=draft.text,
            source=Source(content.title, tuple(draft.section_path), file=path.name),
        )
        for draft in make_passages(content)
    ]


def held_back(corpus: Corpus, kept: int, seed: int) -> tuple[Corpus, list[Question]]:
    """Articles with `kept` similar questions; the others are asked, some entries removed."""
    chance = random.Random(seed)
    answers: list[IndexedAnswer] = []
    questions: list[Question] = []
    for answer in corpus.articles:
        similar = list(answer.questions[1:])
        chance.shuffle(similar)
        if chance.random() < REMOVED_SHARE:
            questions += [Question(text, frozenset(), "removed") for text in similar[:4]]
            continue
        answers.append(replace(answer, questions=(answer.questions[0], *similar[:kept])))
        right = frozenset([answer.answer_id])
        questions += [Question(text, right) for text in similar[kept:]]
    return Corpus(tuple(answers)), questions


def messages(corpus: Corpus, split: str) -> list[Question]:
    """The messages that are searched: those with an answer, and those of foreign subjects."""
    path = DATA / "evaluation" / "messages.tsv"
    questions = []
    for row in read_tsv(path):
        if row["split"] != split or row["must"] == "talk":
            continue
        refs = set(filter(None, row["ref"].split("|")))
        right = frozenset(a.answer_id for a in corpus.answers if a.ref in refs)
        if right or row["topic"].startswith("none"):
            questions.append(Question(row["text"], right, "foreign"))
    return questions


def development(kept: int, seed: int) -> tuple[Corpus, list[Question]]:
    """The development table with `kept` of ten similar questions per entry."""
    folder = SHARED / "kb" / "faq_dev"
    chance = random.Random(seed)
    more: dict[str, list[str]] = {}
    for row in read_tsv(folder / "dev_kb_extra.tsv"):
        more.setdefault(row["id"], []).append(row["question"])
    answers = [
        IndexedAnswer(
            answer_id=row["id"],
            origin=AnswerOrigin.ARTICLE,
            kind=AnswerKind.ANSWER,
            title=row["question"],
            text=row["question"],
            source=Source("faq_dev"),
            questions=(row["question"], *chance.sample(more[row["id"]], kept)),
        )
        for row in read_tsv(folder / "dev_kb.tsv")
    ]
    known = {answer.answer_id for answer in answers}
    questions = [
        Question(row["query"], frozenset([row["gold_id"]]) & known, row["kind"])
        for row in read_tsv(folder / "dev_queries.tsv")
    ]
    return Corpus(tuple(answers)), questions


def read_tsv(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a tab-separated file without quoting."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def main(_arguments: Sequence[str] = ()) -> None:
    """Run every part that has its data."""
    everything = sample_corpus()
    for seed in (0, 1):
        compare(f"sample tables, 5 similar, seed {seed}", *held_back(everything, 5, seed))
    for split in ("dev", "test"):
        compare(f"messages, {split}", everything, messages(everything, split))
    if not (SHARED / "kb" / "faq_dev").exists():
        print(f"\nskipped: no development table in {SHARED / 'kb' / 'faq_dev'}")
        return
    for kept, seed in ((5, 0), (5, 1), (5, 2), (10, 0)):
        compare(f"development table, {kept} similar, seed {seed}", *development(kept, seed))


if __name__ == "__main__":
    main()
