"""Where the index of a workspace is, which one is current, and how a running process follows it.

`indexes/current` is a file that names a folder beside it and is replaced in one step; a search in
progress keeps the index it began with. Refuses an index that does not fit the settings.
"""

import os
import shutil
import threading
import time
from pathlib import Path
from zipfile import BadZipFile

import structlog

from kb.embedder import Embedder, load_embedder
from kb.errors import IndexMismatch, IndexMissing
from kb.search_index import Manifest, SearchIndex, read_manifest
from kb.settings import KnowledgeSettings

log = structlog.get_logger(__name__)

#: How the manifest marks a model that was trained from the knowledge base itself.
TRAINED_PREFIX = "trained/"
#: Old folders that stay: another process may still be reading the one before.
KEPT_BUILDS = 3
#: What loading a build raises when its files are missing, foreign or cut short.
_UNREADABLE = (IndexMissing, IndexMismatch, OSError, ValueError, KeyError, BadZipFile)


def indexes_dir(home: Path) -> Path:
    """The folder of all index builds."""
    return home / "indexes"


def trained_model_dir(home: Path, model: str) -> Path:
    """The folder of a model trained here, by its manifest name."""
    return home / "models" / "embedder" / model.removeprefix(TRAINED_PREFIX)


def current_folder(home: Path) -> Path:
    """The folder of the current index; raises IndexMissing before the first build."""
    pointer = indexes_dir(home) / "current"
    try:
        name = pointer.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise IndexMissing(str(pointer)) from None
    return indexes_dir(home) / name


def make_current(home: Path, revision: str) -> None:
    """Point the workspace at another build, in one step, then drop builds long replaced."""
    pointer = indexes_dir(home) / "current"
    written = pointer.with_suffix(".tmp")
    with written.open("w", encoding="utf-8") as file:
        file.write(revision)
        file.flush()
        os.fsync(file.fileno())
    written.replace(pointer)
    _drop_old_builds(home, revision)


def open_index(home: Path, settings: KnowledgeSettings) -> SearchIndex:
    """Load the current index; raises IndexMissing, or IndexMismatch when it does not fit."""
    folder = current_folder(home)
    if not (folder / "manifest.json").exists():
        raise IndexMissing(str(folder))
    manifest = read_manifest(folder)
    embedder = _embedder(home, manifest, settings)
    return SearchIndex.load(folder, embedder, manifest)


class IndexHolder:
    """The current index of a workspace, kept up to date while it serves.

    A new build is loaded beside the old one, in a thread of its own; a build that cannot be
    loaded is logged and the old one keeps serving.
    """

    def __init__(self, home: Path, settings: KnowledgeSettings) -> None:
        self._home = home
        self._settings = settings
        self._index: SearchIndex | None = None
        self._looked_at = 0.0
        self._refused = ""
        self._lock = threading.Lock()
        self._loading = threading.Lock()

    def current(self) -> SearchIndex:
        """The index to search now; the first call loads it and may raise as `open_index` does."""
        index = self._index
        if index is None:
            return self.refresh()
        if self._is_time_to_look() and self._has_changed(index):
            threading.Thread(target=self._follow, name="index-reload", daemon=True).start()
        return index

    def is_settled(self) -> bool:
        """Whether an index is loaded; a newer one is loaded beside it."""
        return self._index is not None

    def refresh(self) -> SearchIndex:
        """Load the current build now if it is not loaded yet, and return it."""
        with self._loading:
            index = self._index
            if index is None or self._has_changed(index):
                index = open_index(self._home, self._settings)
                self._index = index
            return index

    def _follow(self) -> None:
        try:
            index = self.refresh()
        except (*_UNREADABLE, RuntimeError) as error:
            self._refused = _pointed_at(self._home)
            log.warning("index_not_loaded", build=self._refused, error=type(error).__name__)
        else:
            log.info("index_loaded", revision=index.manifest.revision)

    def _is_time_to_look(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now - self._looked_at < self._settings.refresh_seconds:
                return False
            self._looked_at = now
            return True

    def _has_changed(self, index: SearchIndex) -> bool:
        name = _pointed_at(self._home)
        return name not in ("", index.manifest.revision, self._refused)


def _pointed_at(home: Path) -> str:
    try:
        return current_folder(home).name
    except IndexMissing:
        return ""


def _embedder(home: Path, manifest: Manifest, settings: KnowledgeSettings) -> Embedder:
    trained = manifest.model.startswith(TRAINED_PREFIX)
    if settings.embedder and manifest.model != settings.embedder:
        raise IndexMismatch("model", expected=settings.embedder, found=manifest.model)
    if not settings.embedder and not trained:
        raise IndexMismatch("model", expected=TRAINED_PREFIX + "…", found=manifest.model)
    model = trained_model_dir(home, manifest.model) if trained else manifest.model
    return load_embedder(model, query_prompt=settings.query_prompt)


def _drop_old_builds(home: Path, current: str) -> None:
    builds = sorted(
        path.name
        for path in indexes_dir(home).iterdir()
        if path.is_dir() and not path.name.endswith(".tmp")
    )
    for name in builds[:-KEPT_BUILDS]:
        if name != current:
            shutil.rmtree(indexes_dir(home) / name, ignore_errors=True)
            shutil.rmtree(trained_model_dir(home, name), ignore_errors=True)
