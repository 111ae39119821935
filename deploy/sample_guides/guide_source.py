"""Reads a guide's Markdown source into the small document tree that the renderers share.

Responsible for the front matter, the blocks the guides use (headings, paragraphs, steps, bullets,
callouts, tables with merged cells, figures, questions) and for numbering headings and figures. It
refuses anything else with the source's name, so that a typing slip never reaches a finished file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from numbering import HeadingNumbers

CALLOUT = re.compile(r"^(★|▲)?(注意|提示|温馨提示|特别说明|说明|讲解|★)[:：]?\s*")
REFERENCE = re.compile(r"\[\[([a-z0-9-]+)\]\]")
QUESTION = re.compile(r"^(问|Q\d*)[:：]")
ANSWER = re.compile(r"^(答|A\d*)[:：]")


class SourceError(ValueError):
    """A source file that cannot be rendered; the message names the file and the place."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one weight; ``text`` may hold ``\\n`` for a soft line break."""

    text: str
    bold: bool = False


Runs = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """``number`` is the written number (第1章, 1.2, 一、) or empty when there is none."""

    level: int
    number: str
    text: str


@dataclass(frozen=True, slots=True)
class Para:
    """A paragraph of running text."""

    runs: Runs


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawn screen with its printed label (图2-1) and caption."""

    screen: str
    label: str
    caption: str


@dataclass(frozen=True, slots=True)
class Callout:
    """A note set apart from the text: ``kind`` is 注意, 提示, ★ and the like."""

    kind: str
    runs: Runs


@dataclass(frozen=True, slots=True)
class Step:
    """One numbered step and what stands beneath it."""

    number: int
    runs: Runs
    below: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Steps:
    """A numbered list."""

    items: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Bullets:
    """An unnumbered list."""

    items: tuple[Runs, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cell texts; ``^^`` continues the cell above, ``<<`` the cell to the left."""

    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its answer, folded on web pages and written out on paper."""

    question: str
    answer: Runs


Block = Heading | Para | Figure | Callout | Steps | Bullets | Table | Question


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed guide: front matter in ``meta``, the text in ``blocks``."""

    path: Path
    meta: dict[str, object]
    blocks: tuple[Block, ...]

    def text(self, key: str, default: str = "") -> str:
        """The front matter value of ``key`` as text."""
        return str(self.meta.get(key, default))

    @property
    def revisions(self) -> list[list[str]]:
        """Rows of the 修改记录 table: version, date, author, change."""
        rows = self.meta.get("revisions") or []
        return [[str(cell) for cell in row] for row in rows] if isinstance(rows, list) else []


def read_source(path: Path) -> Source:
    """Parse ``path``; raises SourceError for a missing front matter or an unknown construct."""
    raw = path.read_text(encoding="utf-8")
    parts = raw.split("---\n", 2)
    if len(parts) != 3 or parts[0]:
        raise SourceError(f"{path.name}: no front matter")
    meta = yaml.safe_load(parts[1])
    for key in ("title", "file", "format", "version", "date", "audience"):
        if key not in meta:
            raise SourceError(f"{path.name}: front matter lacks {key}")
    reader = _Reader(path.name, str(meta.get("numbering", "official")))
    tokens = MarkdownIt("commonmark").enable("table").parse(parts[2])
    blocks = tuple(reader.blocks(tokens))
    return Source(path, meta, tuple(_resolve(block, reader.labels, path.name) for block in blocks))


def walk(blocks: Sequence[Block]) -> Iterator[Block]:
    """Every block, those beneath steps included, in reading order."""
    for block in blocks:
        yield block
        if isinstance(block, Steps):
            for step in block.items:
                yield from walk(step.below)


def plain(runs: Runs) -> str:
    """The runs' text without weight."""
    return "".join(run.text for run in runs)


@dataclass(slots=True)
class _Reader:
    """Turns a token stream into blocks, numbering headings and figures as it goes."""

    name: str
    scheme: str
    labels: dict[str, str] = field(default_factory=dict)
    _numbers: HeadingNumbers = field(init=False)

    def __post_init__(self) -> None:
        self._numbers = HeadingNumbers(self.scheme)

    def blocks(self, tokens: list[Token]) -> Iterator[Block]:
        at = 0
        while at < len(tokens):
            end = _closing(tokens, at)
            yield from self._block(tokens[at : end + 1])
            at = end + 1

    def _block(self, group: list[Token]) -> Iterator[Block]:
        match group[0].type:
            case "heading_open":
                yield self._heading(int(group[0].tag[1]), group[1].content)
            case "paragraph_open":
                yield from self._paragraph(group[1])
            case "blockquote_open":
                yield self._callout(group)
            case "ordered_list_open":
                yield self._steps(group)
            case "bullet_list_open":
                yield Bullets(tuple(_runs(t) for t in group if t.type == "inline"))
            case "table_open":
                yield _table(group)
            case other:
                raise SourceError(f"{self.name}: {other} at line {group[0].map} is not used here")

    def _heading(self, level: int, text: str) -> Heading:
        return Heading(level, *self._numbers.next(level, text))

    def _paragraph(self, inline: Token) -> Iterator[Block]:
        kept: list[Token] = []
        for child in inline.children or []:
            if child.type == "image":
                yield from _text_block(kept)
                kept = []
                yield self._figure(child)
            else:
                kept.append(child)
        yield from _text_block(kept)

    def _figure(self, image: Token) -> Figure:
        screen = str(image.attrs["src"])
        label = self._numbers.figure()
        self.labels.setdefault(screen, label)
        return Figure(screen, label, image.content)

    def _callout(self, group: list[Token]) -> Callout:
        inlines = [t for t in group if t.type == "inline"]
        runs = tuple(
            run
            for n, inline in enumerate(inlines)
            for run in (*((Run("\n"),) if n else ()), *_runs(inline))
        )
        if not runs or not (found := CALLOUT.match(runs[0].text)):
            raise SourceError(f"{self.name}: callout without a kind at line {group[0].map}")
        first = Run(runs[0].text[found.end() :], runs[0].bold)
        return Callout(found.group(0).rstrip(" ：:"), (first, *runs[1:]))

    def _steps(self, group: list[Token]) -> Steps:
        number = int(group[0].attrs.get("start", 1))
        items: list[Step] = []
        at = 1
        while at < len(group) - 1:
            end = _closing(group, at)
            inner = list(self.blocks(group[at + 1 : end]))
            if not inner or not isinstance(inner[0], Para):
                raise SourceError(f"{self.name}: step without text at line {group[at].map}")
            items.append(Step(number, inner[0].runs, tuple(inner[1:])))
            number, at = number + 1, end + 1
        return Steps(tuple(items))


def _closing(tokens: list[Token], at: int) -> int:
    """Index of the token that closes the one at ``at`` (itself when it has no pair)."""
    depth = 0
    for index in range(at, len(tokens)):
        depth += tokens[index].nesting
        if depth == 0:
            return index
    return len(tokens) - 1


def _runs(inline: Token) -> Runs:
    return _join(inline.children or [])


def _join(children: Sequence[Token]) -> Runs:
    runs: list[Run] = []
    bold = False
    for child in children:
        if child.type in {"strong_open", "strong_close"}:
            bold = child.type == "strong_open"
        elif child.type == "hardbreak":
            runs.append(Run("\n", bold))
        elif child.type == "softbreak":
            continue  # a wrapped source line; Chinese needs no space
        elif child.content:
            runs.append(Run(child.content, bold))
    return tuple(runs)


def _text_block(children: Sequence[Token]) -> Iterator[Block]:
    runs = _join(children)
    text = plain(runs).strip()
    if not text:
        return
    if QUESTION.match(text) and "\n" in text:
        question, _, answer = text.partition("\n")
        yield Question(QUESTION.sub("", question).strip(), (Run(ANSWER.sub("", answer).strip()),))
        return
    yield Para(runs)


def _table(group: list[Token]) -> Table:
    rows: list[tuple[str, ...]] = []
    cells: list[str] = []
    for token in group:
        if token.type == "tr_open":
            cells = []
        elif token.type == "inline":
            cells.append(re.sub(r"\s*<br>\s*", "\n", token.content.strip()))
        elif token.type == "tr_close":
            rows.append(tuple(cells))
    return Table(tuple(rows))


def _resolve(block: Block, labels: dict[str, str], name: str) -> Block:
    """Replace ``[[screen]]`` with the figure's label."""

    def label(found: re.Match[str]) -> str:
        if found.group(1) not in labels:
            raise SourceError(f"{name}: no figure {found.group(1)}")
        return labels[found.group(1)]

    return _rewrite(block, lambda text: REFERENCE.sub(label, text))


def _rewrite(block: Block, change: Callable[[str], str]) -> Block:
    """``block`` with ``change`` applied to its running text; headings and figures stay."""

    def runs(old: Runs) -> Runs:
        return tuple(Run(change(run.text), run.bold) for run in old)

    match block:
        case Para(old):
            return Para(runs(old))
        case Callout(kind, old):
            return Callout(kind, runs(old))
        case Bullets(items):
            return Bullets(tuple(runs(item) for item in items))
        case Question(question, answer):
            return Question(question, runs(answer))
        case Table(rows):
            return Table(tuple(tuple(change(cell) for cell in row) for row in rows))
        case Steps(items):
            return Steps(tuple(_rewrite_step(step, change) for step in items))
        case _:
            return block


def _rewrite_step(step: Step, change: Callable[[str], str]) -> Step:
    runs = tuple(Run(change(run.text), run.bold) for run in step.runs)
    return Step(step.number, runs, tuple(_rewrite(block, change) for block in step.below))
