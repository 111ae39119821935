"""Guides written out so that a person can judge them, and the golden files made of that.

`python -m tests.kb.importer.trees` writes the golden files anew; read the difference before you
keep it.
"""

import re
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

from kb.importer import ImportLimits, import_file
from kb.importer.reading import read_bytes
from kb.sections import Block, Callout, FaqTable, Guide, Image, Paragraph, Section, Step, Table

GOLDEN = Path(__file__).parent / "golden"
SYNTHETIC = GOLDEN / "synthetic"
GUIDES = Path(__file__).parents[3] / "data" / "guides"


def read(data: bytes, name: str, limits: ImportLimits | None = None) -> Guide:
    """The guide in the bytes of a file."""
    result = read_bytes(data, name, limits or ImportLimits())
    assert isinstance(result, Guide)
    return result


def read_table(data: bytes, name: str) -> FaqTable:
    """The question table in the bytes of a file."""
    result = read_bytes(data, name, ImportLimits())
    assert isinstance(result, FaqTable)
    return result


def headings(guide: Guide) -> list[str]:
    """Headings alone, two blanks per level."""
    return ["  " * (section.level - 1) + (section.heading or "∅") for _, section in guide.walk()]


def tree(guide: Guide) -> list[str]:
    """Headings and the text of every block."""
    lines: list[str] = []
    for _, section in guide.walk():
        lines.append("  " * (section.level - 1) + f"# {section.heading or '∅'}")
        lines.extend("  " * section.level + line for line in map(describe, section.blocks))
    return lines


def describe(block: Block) -> str:
    """One block on one line."""
    match block:
        case Paragraph(text=text, label=label):
            return f"{label}：{text}" if label else text
        case Step(number=number, text=text):
            return f"<{number}> {text}"
        case Callout(kind=kind, title=title, text=text):
            return f"!{kind} {title}：{text}"
        case Table():
            head = f"{block.caption}: " if block.caption else ""
            return head + " / ".join("|".join(row) for row in block.rows)
        case Image(caption=caption):
            return f"[{caption or '图'}]"


def structure(guide: Guide) -> str:
    """The tree with kinds instead of texts: what must not change unnoticed."""
    lines = [f"{guide.title} · {guide.version or '-'} · {guide.issued or '-'}"]
    lines.extend(
        "  " * section.level + f"{section.heading or '∅'}  {_kinds(section)}".rstrip()
        for _, section in guide.walk()
    )
    lines.extend(f"! {each.code.value} {each.detail}" for each in guide.warnings)
    return "\n".join(lines) + "\n"


def _kinds(section: Section) -> str:
    return " ".join(_kind(block) for block in section.blocks)


def _kind(block: Block) -> str:
    match block:
        case Paragraph(label=label):
            return f"¶{label}" if label else "¶"
        case Step(number=number):
            return number
        case Callout(kind=kind):
            return f"!{kind}"
        case Table():
            return f"表{len(block.rows)}×{len(block.rows[0])}"
        case Image(caption=caption):
            return f"[{caption}]"


def written(result: Guide | FaqTable) -> str:
    """Everything in a small file: title, headings, texts, pictures, references and doubts."""
    if isinstance(result, FaqTable):
        lines = [result.title]
        for entry in result.entries:
            lines += [f"? {entry.group} {entry.question}", *_indented(_shots(entry.answer))]
    else:
        lines = [f"{result.title} · {result.version or '-'} · {result.issued or '-'}"]
        for line in tree(result):
            lines += line.split("\n")
        lines += [
            f"→ {' > '.join(path)}: {reference.text} → {' > '.join(reference.target or ('?',))}"
            for path, section in result.walk()
            for reference in section.references
        ]
    lines.append(f"= {len(result.images)} pictures")
    lines += [
        f"! {each.code.value} {each.detail} @ {' > '.join(each.where)}".rstrip(" @")
        for each in result.warnings
    ]
    return "\n".join(lines) + "\n"


def _shots(answer: str) -> str:
    return re.sub(r"!\[.*?\]\(/media/\w+\)", "[图]", answer)


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in text.split("\n")]


def difference(kept: str, found: str) -> str:
    """Line by line what changed, for a person; empty when nothing did."""
    return "\n".join(
        unified_diff(kept.splitlines(), found.splitlines(), "kept", "found", lineterm="", n=2)
    )


def golden_pairs() -> Iterator[tuple[Path, Path]]:
    """Each golden file with the guide that it describes."""
    for golden in sorted(GOLDEN.glob("*.txt")):
        number = golden.stem.partition("-")[0]
        yield golden, next(GUIDES.glob(f"{number}-*"))


def main() -> None:
    """Write every golden file anew."""
    for golden, guide in golden_pairs():
        result = import_file(guide)
        assert isinstance(result, Guide)
        golden.write_text(structure(result), encoding="utf-8")
    from tests.kb.importer.synthetic import FILES  # made of tests that need this module

    for stem, (name, build) in FILES.items():
        made = written(read_bytes(build(), name, ImportLimits()))
        (SYNTHETIC / f"{stem}.txt").write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
