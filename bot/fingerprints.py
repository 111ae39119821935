"""What a workspace was last prepared from, so that a second run does nothing twice."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path


def of_files(paths: Iterable[Path]) -> str:
    """SHA-256 over names and contents of files and folders."""
    digest = hashlib.sha256()
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            digest.update(file.name.encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


class Fingerprints:
    """A small JSON file of name to fingerprint; a damaged one counts as empty."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, name: str) -> str:
        """The fingerprint of the last success, or an empty text."""
        return self._read().get(name, "")

    def put(self, name: str, value: str) -> None:
        """Note a success, in one step."""
        written = self._path.with_suffix(".tmp")
        written.write_text(json.dumps({**self._read(), name: value}), encoding="utf-8")
        written.replace(self._path)

    def _read(self) -> dict[str, str]:
        try:
            raw = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(k): str(v) for k, v in raw.items()} if isinstance(raw, dict) else {}
