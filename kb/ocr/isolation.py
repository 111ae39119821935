"""Reads pictures in a separate process with bounds on time and memory; it is replaced when it dies.

One picture at a time: a second process would only take the processor from those who wait for
answers. The process starts with the first picture and can be let go while there is none.
"""

import importlib.util
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from kb.confinement import LENGTH, PipeClosed, receive, send
from kb.errors import PictureUnread, UnreadReason
from kb.ocr.lines import Recognition
from kb.ocr.wire import MalformedReply, decode
from kb.worker_process import WorkerProcess

_MIB = 1024 * 1024
_MOST_JSON = 16 * _MIB
#: Loading the models, once per process, on a busy machine.
_LOADING_S = 30.0


@dataclass(frozen=True, slots=True)
class OcrLimits:
    """What one picture may cost. ``memory_bytes`` bounds the address space, not what is used."""

    image_bytes: int = 30 * _MIB
    pixels: int = 40_000_000
    seconds: int = 20
    memory_bytes: int = 3072 * _MIB
    threads: int = 1


class IsolatedTextReader:
    """A reading process on demand. Safe to share between threads."""

    def __init__(self, limits: OcrLimits | None = None) -> None:
        self._limits = limits or OcrLimits()
        self._lock = threading.Lock()
        bounds = self._limits
        self._worker = WorkerProcess(
            "kb.ocr.worker",
            *(bounds.memory_bytes, bounds.threads, bounds.seconds, bounds.pixels),
            OMP_NUM_THREADS=str(bounds.threads),
            OPENCV_FOR_THREADS_NUM=str(bounds.threads),
        )
        self._used_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @staticmethod
    def is_installed() -> bool:
        """Whether the libraries are there; whether they work shows the first picture."""
        return all(importlib.util.find_spec(name) for name in ("rapidocr", "onnxruntime"))

    def read(self, image: bytes) -> Recognition:
        """The lines of one picture.

        Raises:
            PictureUnread: with the reason; a later picture finds a new process where needed.
        """
        if len(image) > self._limits.image_bytes:
            raise PictureUnread(UnreadReason.TOO_LARGE, f"{len(image)} bytes")
        if not self.is_installed():
            raise PictureUnread(UnreadReason.ABSENT)
        with self._lock:
            try:
                return self._ask(image)
            except TimeoutError as error:
                self._worker.stop()
                raise PictureUnread(UnreadReason.TIMEOUT, f"{self._limits.seconds} s") from error
            except (PipeClosed, BrokenPipeError, MalformedReply) as error:
                self._worker.stop()
                raise PictureUnread(UnreadReason.CRASHED, type(error).__name__) from error
            finally:
                self._used_at = time.monotonic()

    def rest(self, after_s: float) -> bool:
        """End the process when no picture came for so long; whether one was ended."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            if self._worker.process is None or time.monotonic() - self._used_at < after_s:
                return False
            self._worker.stop()
            return True
        finally:
            self._lock.release()

    def interrupt(self) -> None:
        """Let a `read` in another thread fail now; does not wait for it."""
        self._worker.kill()

    def close(self) -> None:
        """End the process; a later `read` starts another."""
        with self._lock:
            self._worker.stop()

    def _ask(self, image: bytes) -> Recognition:
        started = not self._worker.is_running
        process = self._worker.running()
        assert process.stdin is not None  # noqa: S101 - opened with pipes
        assert process.stdout is not None  # noqa: S101
        allowed = self._limits.seconds + (_LOADING_S if started else 0.0)
        deadline = time.monotonic() + allowed
        send(process.stdin.fileno(), LENGTH.pack(len(image)) + image, deadline)
        pipe = process.stdout.fileno()
        length = LENGTH.unpack(receive(pipe, LENGTH.size, deadline))[0]
        if length > _MOST_JSON:
            raise MalformedReply(f"{length} bytes")
        return decode(receive(pipe, length, deadline))
