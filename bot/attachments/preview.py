"""The beginning of a document as text, read by the importer's own process."""

from collections.abc import Iterator
from pathlib import Path

from kb.importer import ImportLimits, IsolatedImporter
from kb.sections import FaqTable, Guide, block_text

_MIB = 1024 * 1024
LIMITS = ImportLimits(
    file_bytes=200 * _MIB,
    unpacked_bytes=200 * _MIB,
    pages=300,
    seconds=30.0,
    memory_bytes=1024 * _MIB,
)


class DocumentPreviewer:
    """Texts of docx, xlsx, pptx, pdf and plain texts. Safe to share between threads."""

    def __init__(self) -> None:
        self._importer = IsolatedImporter(LIMITS)

    def preview(self, path: Path, name: str, *, chars: int) -> str:
        """So much of its text, one section or row a line. Raises ``ImportRefused``."""
        read = self._importer.read(path, name=name)
        taken, kept = 0, []
        for line in _questions(read) if isinstance(read, FaqTable) else _sections(read):
            kept.append(line)
            taken += len(line)
            if taken >= chars:
                break
        return "\n".join(kept)[:chars]

    def close(self) -> None:
        """End the reading process."""
        self._importer.close()


def _questions(table: FaqTable) -> Iterator[str]:
    for entry in table.entries:
        yield f"{entry.question} {entry.answer}"


def _sections(guide: Guide) -> Iterator[str]:
    for _, section in guide.walk():
        if section.heading:
            yield section.heading
        yield from map(block_text, section.blocks)
