"""Reads files in a separate process, so that a hostile one can waste neither memory nor time.

One process serves many files; it is replaced after a timeout or a crash. The caller gets exactly
what `import_file` would give, or a refusal.
"""

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from kb.confinement import LENGTH, PipeClosed, receive
from kb.errors import ImportRefused, RefusalReason
from kb.importer.converter import Converted, Converter
from kb.importer.limits import MIB, ImportLimits
from kb.importer.scans import Pages, read_pages
from kb.importer.wire import (
    PAGE,
    MalformedReply,
    decode,
    decode_pictures,
    decode_scanned,
    image_sizes,
)
from kb.ocr import IsolatedTextReader, OcrLimits
from kb.sections import FaqTable, Guide, ImportNotice, WarningCode
from kb.worker_process import WorkerProcess

Value = TypeVar("Value")

_MOST_JSON = 256 * MIB
_SECONDS_A_SCAN = 60  # a full page on a busy machine
_KILLED_FOR_TIME = {-signal.SIGXCPU}


class IsolatedImporter:
    """A parser process on demand. Safe to share between threads; files are read one at a time."""

    def __init__(self, limits: ImportLimits | None = None, programs: str | None = None) -> None:
        """`programs` is where converters are looked for, as in PATH; None is the process's own."""
        self._limits = limits or ImportLimits()
        self._interrupted = threading.Event()
        self._converter = Converter(self._limits, programs, self._interrupted)
        self._texts = IsolatedTextReader(OcrLimits(seconds=_SECONDS_A_SCAN))
        self._lock = threading.Lock()
        self._worker = WorkerProcess("kb.importer.worker", self._limits.memory_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def read(self, path: Path, *, name: str | None = None) -> Guide | FaqTable:
        """Read one file; `name` is what its owner calls it, where the path is a temporary one.

        Old formats are converted and drawn metafiles become pictures, where this machine has a
        program for that; scanned pages are read from their pictures.

        Raises:
            ImportRefused: as `import_file`, and timeout, out_of_memory, crashed, no_converter or
                conversion_failed.
        """
        name = name or path.name
        with self._lock:
            self._interrupted.clear()
            try:
                return self._parse_aided(path, name)
            except ImportRefused as refusal:
                if refusal.reason is not RefusalReason.LEGACY_FORMAT:
                    raise
                kind = refusal.detail
            with self._converter.converted(path, kind) as made:
                stem = name.rpartition(".")[0] or name
                return _noted(self._parse_aided(made.path, f"{stem}.{made.ending}"), kind, made)

    def close(self) -> None:
        """End the processes; a later `read` starts others."""
        with self._lock:
            self._worker.stop()
            self._texts.close()

    def interrupt(self) -> None:
        """Let a `read` in another thread fail now, as a crash; does not wait for it."""
        self._interrupted.set()
        self._worker.kill()
        self._converter.interrupt()
        self._texts.interrupt()

    def _parse_aided(self, path: Path, name: str) -> Guide | FaqTable:
        """Twice where other programs can add something: to find that out, and with it."""
        try:
            read = self._parse(path, name, {}, None)
        except ImportRefused as refusal:
            scanned = self._scanned(path) if refusal.reason is RefusalReason.NO_TEXT else {}
            if not scanned:
                raise
            return self._parse(path, name, scanned, None)
        doubts = {notice.code for notice in read.warnings}
        scanned = self._scanned(path) if WarningCode.PAGE_WITHOUT_TEXT in doubts else {}
        undrawn = self._undrawn(path, name) if WarningCode.UNCONVERTED_IMAGE in doubts else {}
        with self._converter.drawn(undrawn) as drawings:
            if not scanned and drawings is None:
                return read
            return self._parse(path, name, scanned, drawings)

    def _scanned(self, path: Path) -> Pages:
        if self._limits.scanned_pages == 0 or not self._texts.is_installed():
            return {}
        head, _ = self._ask(path, want="scanned")
        pages = self._decoded(partial(decode_scanned, head, self._limits.scanned_pages))
        return read_pages(pages, partial(self._page, path), self._texts, self._interrupted)

    def _page(self, path: Path, number: int) -> bytes:
        reply = self._ask(path, want="page", page=number)
        return self._decoded(partial(decode_pictures, *reply)).get(PAGE, b"")

    def _undrawn(self, path: Path, name: str) -> Mapping[str, bytes]:
        """Metafiles that only a drawing program can show."""
        if not self._converter.can_draw():
            return {}
        reply = self._ask(path, want="undrawn", name=name)
        return self._decoded(partial(decode_pictures, *reply))

    def _parse(
        self, path: Path, name: str, scanned: Pages, drawings: Path | None
    ) -> Guide | FaqTable:
        lines = {page: [line.to_json() for line in found] for page, found in scanned.items()}
        folder = str(drawings) if drawings is not None else ""
        reply = self._ask(path, want="content", name=name, scanned=lines, drawings=folder)
        return self._decoded(partial(decode, *reply))

    def _ask(self, path: Path, **request: Any) -> tuple[bytes, dict[str, bytes]]:
        """What the process replies: JSON, and pictures by name."""
        process = self._worker.running()
        if self._interrupted.is_set():
            # The process may have been started after the interrupt ended the one before.
            raise ImportRefused(RefusalReason.CRASHED, "interrupted")
        deadline = time.monotonic() + self._limits.seconds
        try:
            assert process.stdin is not None  # noqa: S101 - opened with a pipe
            whole = {**request, "path": str(path.resolve()), "limits": asdict(self._limits)}
            process.stdin.write(json.dumps(whole).encode() + b"\n")
            process.stdin.flush()
            return _receive(process, deadline, self._limits)
        except TimeoutError as error:
            self._worker.stop()
            raise ImportRefused(RefusalReason.TIMEOUT, f"{self._limits.seconds:g} s") from error
        except (PipeClosed, BrokenPipeError) as error:
            raise self._obituary() from error
        except MalformedReply as error:
            raise self._distrust(error) from error

    def _decoded(self, decoding: Callable[[], Value]) -> Value:
        try:
            return decoding()
        except MalformedReply as error:
            raise self._distrust(error) from error

    def _distrust(self, error: MalformedReply) -> ImportRefused:
        """A process that replies nonsense is not asked again."""
        self._worker.stop()
        return ImportRefused(RefusalReason.CRASHED, str(error))

    def _obituary(self) -> ImportRefused:
        """What the way the process died says about the file."""
        process = self._worker.process
        code = process.wait() if process is not None else None
        self._worker.stop()
        if code in _KILLED_FOR_TIME:
            return ImportRefused(RefusalReason.TIMEOUT, "cpu")
        return ImportRefused(RefusalReason.CRASHED, f"exit {code}")


def _noted(read: Guide | FaqTable, kind: str, made: Converted) -> Guide | FaqTable:
    """The result with a notice of how the file was read."""
    code = WarningCode.CONVERTED_TEXT if made.text_only else WarningCode.CONVERTED
    notice = ImportNotice(code, f"{kind}, {made.program}")
    return replace(read, warnings=(notice, *read.warnings))


def _receive(
    process: subprocess.Popen[bytes], deadline: float, limits: ImportLimits
) -> tuple[bytes, dict[str, bytes]]:
    assert process.stdout is not None  # noqa: S101 - opened with a pipe
    pipe = process.stdout.fileno()
    length = LENGTH.unpack(receive(pipe, LENGTH.size, deadline))[0]
    if length > _MOST_JSON:
        raise MalformedReply(f"{length} bytes")
    head = receive(pipe, length, deadline)
    sizes = image_sizes(head)
    if sum(sizes.values()) > limits.unpacked_bytes * 2:
        raise MalformedReply(f"{sum(sizes.values())} picture bytes")
    return head, {key: receive(pipe, size, deadline) for key, size in sizes.items()}
