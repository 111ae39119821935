"""Reads pictures in a separate process with bounds on time and memory; it is replaced when it dies.

One picture at a time: a second process would only take the processor from those who wait for
answers. The process starts with the first picture and can be let go while there is none.
"""

import importlib.util
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import kb
from kb.confinement import LENGTH, PipeClosed, receive, send
from kb.errors import PictureUnread, UnreadReason
from kb.ocr.lines import Recognition
from kb.ocr.wire import MalformedReply, decode

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
        self._process: subprocess.Popen[bytes] | None = None
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
                self._stop()
                raise PictureUnread(UnreadReason.TIMEOUT, f"{self._limits.seconds} s") from error
            except (PipeClosed, BrokenPipeError, MalformedReply) as error:
                self._stop()
                raise PictureUnread(UnreadReason.CRASHED, type(error).__name__) from error
            finally:
                self._used_at = time.monotonic()

    def rest(self, after_s: float) -> bool:
        """End the process when no picture came for so long; whether one was ended."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            if self._process is None or time.monotonic() - self._used_at < after_s:
                return False
            self._stop()
            return True
        finally:
            self._lock.release()

    def interrupt(self) -> None:
        """Let a `read` in another thread fail now; does not wait for it."""
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """End the process; a later `read` starts another."""
        with self._lock:
            self._stop()

    def _ask(self, image: bytes) -> Recognition:
        started = self._process is None or self._process.poll() is not None
        process = self._running()
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

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._stop()
            self._process = _start(self._limits)
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # an unsent request; the process is gone anyway


def _start(limits: OcrLimits) -> subprocess.Popen[bytes]:
    root = Path(kb.__file__).parents[1]
    bounds = (limits.memory_bytes, limits.threads, limits.seconds, limits.pixels)
    return subprocess.Popen(  # noqa: S603 - our own module under our own interpreter
        [sys.executable, "-B", "-m", "kb.ocr.worker", *map(str, bounds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={
            "PYTHONPATH": str(root),
            "LANG": "C.UTF-8",
            "PATH": os.defpath,
            "OMP_NUM_THREADS": str(limits.threads),
            "OPENCV_FOR_THREADS_NUM": str(limits.threads),
        },
        cwd=root,
        start_new_session=True,
    )
