"""Files in, section trees out; one module per format."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kb.errors import ImportRefused
from kb.importer.isolation import IsolatedImporter
from kb.importer.limits import ImportLimits, limits_of
from kb.importer.reading import read_file
from kb.sections import FaqTable, Guide

__all__ = [
    "ImportLimits",
    "IsolatedImporter",
    "Outcome",
    "import_batch",
    "import_file",
    "import_isolated",
    "limits_of",
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: a result or a refusal, and the seconds it took."""

    path: Path
    result: Guide | FaqTable | None
    refusal: ImportRefused | None
    seconds: float


def import_file(
    path: Path, *, limits: ImportLimits | None = None, name: str | None = None
) -> Guide | FaqTable:
    """Read one trusted file in this process; `name` overrides the path's own.

    Raises:
        ImportRefused: with the one reason that tells the editor what to do about the file.
        OSError: the path cannot be read.
    """
    return read_file(path, limits or ImportLimits(), name)


def import_isolated(
    path: Path, *, limits: ImportLimits | None = None, name: str | None = None
) -> Guide | FaqTable:
    """Read one file in a process of its own, with bounded memory and time; same result.

    Raises:
        ImportRefused: as `import_file`, and timeout, out_of_memory or crashed.
    """
    with IsolatedImporter(limits) as importer:
        return importer.read(path, name=name)


def import_batch(paths: Iterable[Path], *, limits: ImportLimits | None = None) -> Iterator[Outcome]:
    """Read files one after the other in one isolated process; a refusal never stops the rest."""
    with IsolatedImporter(limits) as importer:
        for path in paths:
            began = time.monotonic()
            result: Guide | FaqTable | None = None
            refusal: ImportRefused | None = None
            try:
                result = importer.read(path)
            except ImportRefused as refused:
                refusal = refused
            yield Outcome(path, result, refusal, time.monotonic() - began)
