"""What a process does to itself before it reads strangers' bytes, and how it is talked to.

Memory, CPU time and side effects are bounded here, for every kind of such process; what is read
and how is theirs. Nothing here starts or ends a process.
"""

import os
import resource
import selectors
import struct
import time
from typing import Any, BinaryIO

#: How many bytes follow: before every message through the pipes that has a length.
LENGTH = struct.Struct(">Q")

_FORBIDDEN = ("socket.connect", "socket.bind", "socket.sendto", "subprocess.Popen", "os.system",
              "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "os.remove",
              "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.link", "os.symlink",
              "os.truncate", "shutil", "ftplib", "urllib.Request")  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PIECE = 1024 * 1024


class PipeClosed(Exception):
    """The other process went away before its message was complete."""


def bound_memory(limit: int) -> None:
    """Bound the address space of this process; no dumps of strangers' files on crashes."""
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def bound_time(seconds: float) -> None:
    """CPU time from now; the other side watches the clock on the wall."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes for ourselves: what a library prints must not end up in a reply."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    return requests, replies


def refuse_side_effects(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: no sockets, no programs, no writing."""
    if event == "open":
        flags = arguments[2]
        if isinstance(flags, int) and flags & _WRITING:
            raise PermissionError(event)
    elif event.startswith(_FORBIDDEN):
        raise PermissionError(event)


def send(pipe: int, data: bytes, deadline: float) -> None:
    """Write everything before the deadline, also where the other side is slow to read.

    Raises:
        TimeoutError: the deadline passed.
        BrokenPipeError: the other side is gone.
    """
    os.set_blocking(pipe, False)
    rest = memoryview(data)
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_WRITE)
        while rest:
            if not selector.select(max(deadline - time.monotonic(), 0)):
                raise TimeoutError
            rest = rest[os.write(pipe, rest[:_PIECE]) :]


def receive(pipe: int, size: int, deadline: float) -> bytes:
    """So many bytes from a pipe before the deadline (of the monotonic clock).

    Raises:
        TimeoutError: the deadline passed.
        PipeClosed: the other side is gone.
    """
    pieces: list[bytes] = []
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while size > 0:
            if not selector.select(max(deadline - time.monotonic(), 0)):
                raise TimeoutError
            piece = os.read(pipe, min(size, _PIECE))
            if not piece:
                raise PipeClosed
            pieces.append(piece)
            size -= len(piece)
    return b"".join(pieces)
