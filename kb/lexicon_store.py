"""Where a workspace keeps the lexicon that is in force, and reading it.

Refuses to fail a search for it: a file that cannot be read counts as none.
"""

import json
from pathlib import Path

import structlog

from kb.lexicon import Lexicon, lexicon_from_json

log = structlog.get_logger(__name__)


def lexicon_file(home: Path) -> Path:
    """The file that every process follows."""
    return home / "lexicon.json"


def read_lexicon(home: Path) -> Lexicon | None:
    """What is in force; None where editors have changed nothing."""
    path = lexicon_file(home)
    try:
        return lexicon_from_json(json.loads(path.read_text(encoding="utf-8"))["lexicon"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        log.warning("lexicon_unreadable", path=str(path))
        return None
