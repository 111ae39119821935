"""Guides without similar questions: `python -m bench.guides_qa`.

Measures (1) the sample guides alone with `data/evaluation/questions.tsv`, (2) if present, the real
guides in `../shared/kb/guides` (or $CAIWEN_SHARED) with `kb/qa_dev.tsv`: an answer is right when
its text holds the passage that answers. Printed beside character-pair BM25 in the same run.
"""

import re
from collections.abc import Sequence

from bench.faq import DATA, SHARED, compare, imported, read_tsv, sample_corpus
from kb.articles import Corpus
from kb.errors import ImportRefused
from kb.evaluate import Question, read_questions


def sample_guides() -> Corpus:
    """The passages of the sample guides."""
    return Corpus(tuple(sample_corpus().passages))


def real_guides() -> tuple[Corpus, list[Question]]:
    """The real guides and the questions on them."""
    answers = []
    for path in sorted((SHARED / "kb" / "guides").iterdir()):
        if path.suffix == ".tsv":
            continue
        try:
            answers += imported(path)
        except ImportRefused as refused:
            print(f"refused {path.name}: {refused.reason}")
    bare = {answer.answer_id: _bare(answer.text) for answer in answers}
    questions = []
    for row in read_tsv(SHARED / "kb" / "qa_dev.tsv"):
        snippets = [_bare(part) for part in row["gold_snippet"].split("||") if part.strip()]
        right = frozenset(
            one for one, text in bare.items() if any(part in text for part in snippets)
        )
        questions.append(Question(row["question"], right, row["kind"]))
    return Corpus(tuple(answers)), questions


def main(_arguments: Sequence[str] = ()) -> None:
    """Run every part that has its data."""
    guides = sample_guides()
    path = DATA / "evaluation" / "questions.tsv"
    for split in ("dev", "test"):
        questions = read_questions(path, guides.answers, split=split)
        compare(f"sample guides, {split}", guides, questions)
    if not (SHARED / "kb" / "qa_dev.tsv").exists():
        print(f"\nskipped: no guides in {SHARED / 'kb'}")
        return
    compare("real guides", *real_guides())


def _bare(text: str) -> str:
    return re.sub(r"\W+", "", text)


if __name__ == "__main__":
    main()
