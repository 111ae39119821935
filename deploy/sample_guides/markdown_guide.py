"""Renders a guide as Markdown, alone or zipped with its pictures.

Responsible for a plain file that any Markdown reader shows: front matter, written numbers, relative
picture links. Merged cells are repeated, because Markdown tables have none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from guide_source import (
    Block,
    Bullets,
    Callout,
    Figure,
    Heading,
    Para,
    Question,
    Runs,
    Source,
    Steps,
    Table,
    walk,
)
from layout import archive, cover_facts, step_label
from screens import ScreenStudio


def render_markdown(source: Source, _studio: ScreenStudio) -> bytes:
    """The guide as one .md file (UTF-8); it must have no figures."""
    return _text(source, "").encode()


def render_markdown_zip(source: Source, studio: ScreenStudio) -> bytes:
    """A zip with the .md file and an ``images`` folder beside it."""
    name = source.text("file").removesuffix(".zip").removesuffix(".md")
    figures = [block for block in walk(source.blocks) if isinstance(block, Figure)]
    entries = [(f"{name}.md", _text(source, "images/").encode())]
    names = dict.fromkeys(figure.screen for figure in figures)
    entries += [(f"images/{screen}.png", studio.screen(screen).png) for screen in names]
    return archive(entries)


def _text(source: Source, images: str) -> str:
    head = [f"{key}: {source.text(key)}" for key in ("title", "version", "date", "audience")]
    lines = ["---", *head, "---", "", f"# {source.text('title')}", ""]
    lines += [f"> {label}：{value}  " for label, value in cover_facts(source)]
    lines.append("")
    if source.revisions:
        rows = (("版本", "日期", "修改人", "修改说明"), *map(tuple, source.revisions))
        lines += ["**修改记录**", "", *_table(rows), ""]
    lines += _blocks(source.blocks, source.text("steps", "1."), images)
    return "\n".join(lines).rstrip() + "\n"


def _blocks(blocks: Sequence[Block], style: str, images: str, pad: str = "") -> Iterator[str]:
    for block in blocks:
        match block:
            case Heading(level, number, text):
                yield f"{'#' * (level + 1)} {f'{number} {text}'.strip()}"
            case Steps(items):
                for step in items:
                    yield f"{pad}{step_label(style, step.number)}{_inline(step.runs)}"
                    if step.below or style != "1.":
                        yield ""
                    yield from _blocks(step.below, style, images, pad + "   ")
            case Figure(screen, label, caption):
                yield f"{pad}![{label} {caption}]({images}{screen}.png)"
            case Table(rows):
                yield from _table(rows)
            case _:
                yield _running_text(block, pad)
        yield ""


def _running_text(block: Para | Bullets | Callout | Question, pad: str) -> str:
    match block:
        case Para(runs):
            return pad + _inline(runs)
        case Bullets(items):
            return "\n".join(f"{pad}- {_inline(item)}" for item in items)
        case Callout(kind, runs):
            return f"{pad}> **{kind}**{'' if kind == '★' else '：'}{_inline(runs)}"
        case Question(question, answer):
            return f"**问：{question}**\n\n答：{_inline(answer)}"


def _inline(runs: Runs) -> str:
    parts = []
    for run in runs:
        text = run.text.replace("\n", "  \n")
        parts.append(f"**{text}**" if run.bold else text)
    return "".join(parts)


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    filled: list[list[str]] = []
    for row in rows:
        cells: list[str] = []
        for column, text in enumerate(row):
            value = filled[-1][column] if text == "^^" else cells[-1] if text == "<<" else text
            cells.append(value.replace("\n", "<br>"))
        filled.append(cells)
    rule = ["---"] * len(filled[0])
    return ["| " + " | ".join(row) + " |" for row in (filled[0], rule, *filled[1:])]
