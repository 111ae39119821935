"""Files in, section trees out; one module per format."""

from pathlib import Path

from kb.importer.limits import ImportLimits
from kb.sections import FaqTable, Guide

__all__ = ["ImportLimits", "import_file", "import_isolated"]


def import_file(path: Path, *, limits: ImportLimits | None = None) -> Guide | FaqTable:
    """Read one file in this process.

    Raises:
        ImportRefused: with the one reason that tells the editor what to do about the file.
    """
    raise NotImplementedError


def import_isolated(path: Path, *, limits: ImportLimits | None = None) -> Guide | FaqTable:
    """Read one file in a separate process with bounded memory and time; same result and errors."""
    raise NotImplementedError
