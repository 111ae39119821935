"""Questions whose category people have set, as examples of categories and of intents.

Reads FAQ tables (``csv``, ``tsv``) that have a category column, in the English or Chinese header
that the knowledge base imports. Tables without that column and rows without a known category are
passed over: a category is optional there. Refuses to read anything else of a table.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlu.errors import TrainingDataInvalid, TrainingFailed
from nlu.training_data import Example, TrainingData
from nlu.types import Intent
from store.vocabulary import Category

_QUESTION = ("question", "问题", "标准问题")
_SIMILAR = ("similar", "相似问", "相似问题")
_CATEGORY = ("category", "类别", "分类")

#: Intents that are a category by their definition.
_BY_INTENT: Mapping[str, Category] = {
    Intent.POLICY_QUESTION: Category.POLICY,
    Intent.SUGGEST_IMPROVEMENT: Category.REQUIREMENT,
}


#: The intent with which such a matter is brought up.
_INTENTS: Mapping[Category, Intent] = {
    Category.FAULT: Intent.REPORT_FAULT,
    Category.POLICY: Intent.POLICY_QUESTION,
    Category.REQUIREMENT: Intent.SUGGEST_IMPROVEMENT,
}
_ASKING = re.compile(
    r"[吗么呢咩?？谁几哪求]|怎|咋|点[样整搞解]|如何|什么|啥|边[度个]|多[少久大]|为何|能不能|可[不唔]可以"
    r"|是不是|要不要|系咪|得唔得"
)


@dataclass(frozen=True, slots=True)
class Categorised:
    """A message and its category."""

    text: str
    category: Category


def read_faq_categories(paths: Iterable[Path]) -> tuple[Categorised, ...]:
    """Every question and similar question that has a category; folders are searched for tables.

    Raises TrainingDataInvalid for a file that is no readable table.
    """
    return tuple(example for path in _tables(paths) for example in _examples(path))


def intent_categories(data: TrainingData) -> tuple[Categorised, ...]:
    """The training messages with a category of their own, or an intent that is one by definition.

    Raises TrainingFailed for a category that is not ours.
    """
    named = ((example.text, _named_category(example)) for example in data.examples)
    return tuple(Categorised(text, category) for text, category in named if category)


def _named_category(example: Example) -> Category | None:
    if example.category is None:
        return _BY_INTENT.get(example.intent)
    try:
        return Category(example.category)
    except ValueError as foreign:
        raise TrainingFailed(f"a category that is not ours: {example.category}") from foreign


def asked_examples(categorised: Iterable[Categorised]) -> tuple[Example, ...]:
    """What these messages teach about intents.

    The knowledge base's own questions show how people ask in this domain. A statement without a
    question in it could as well be a report; it teaches nothing.
    """
    return tuple(
        Example(item.text, _INTENTS.get(item.category, Intent.ASK_QUESTION))
        for item in categorised
        if item.category in _INTENTS or _ASKING.search(item.text)
    )


def _tables(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted([*path.rglob("*.csv"), *path.rglob("*.tsv")]) if path.is_dir() else [path]


def _examples(path: Path) -> Iterator[Categorised]:
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as unreadable:
        raise TrainingDataInvalid(path, str(unreadable)) from unreadable
    delimiter = "\t" if path.suffix == ".tsv" else ","
    try:
        for row in csv.DictReader(io.StringIO(content, newline=""), delimiter=delimiter):
            yield from _row_examples(row)
    except csv.Error as wrong:
        raise TrainingDataInvalid(path, str(wrong)) from wrong


def _row_examples(row: Mapping[str, str | None]) -> Iterator[Categorised]:
    try:
        category = Category(_cell(row, _CATEGORY))
    except ValueError:
        return
    similar = _cell(row, _SIMILAR).replace("\n", "|").split("|")
    for text in (_cell(row, _QUESTION), *similar):
        if text.strip():
            yield Categorised(text.strip(), category)


def _cell(row: Mapping[str, str | None], names: Sequence[str]) -> str:
    return next((value.strip() for name in names if (value := row.get(name))), "")
