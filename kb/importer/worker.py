"""The process that parses strangers' files: reads requests, answers with results, can do no harm.

Run as `python -m kb.importer.worker MEMORY_BYTES`. It opens files for reading only; an audit hook
refuses sockets, programs and writes, and resource limits bound memory and CPU time. A parser that
is tricked into more than that takes only this process down.
"""

import json
import os
import resource
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO

from kb.errors import ImportRefused, RefusalReason
from kb.importer.limits import ImportLimits
from kb.importer.reading import read_file
from kb.importer.wire import encode
from kb.sections import FaqTable, Guide

_FORBIDDEN = ("socket.connect", "socket.bind", "socket.sendto", "subprocess.Popen", "os.system",
              "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "os.remove",
              "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.link", "os.symlink",
              "os.truncate", "shutil", "ftplib", "urllib.Request")  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
LENGTH = struct.Struct(">Q")


def main() -> None:
    """Answer requests until the other side hangs up."""
    requests, replies = _take_pipes()
    bound_memory(int(sys.argv[1]))
    sys.addaudithook(_refuse_side_effects)
    for line in requests:
        request = json.loads(line)
        limits = ImportLimits(**request["limits"])
        _bound_time(limits.seconds)
        _reply(replies, read_safely(Path(request["path"]), limits, request["name"]))


def read_safely(path: Path, limits: ImportLimits, name: str) -> Guide | FaqTable | ImportRefused:
    """The result, or the refusal that says why there is none.

    A parser's error that nobody foresaw is told apart from a file known to be broken.
    """
    try:
        return read_file(path, limits, name)
    except ImportRefused as refusal:
        return refusal
    except MemoryError:
        return ImportRefused(RefusalReason.OUT_OF_MEMORY)
    except RecursionError:
        return ImportRefused(RefusalReason.CORRUPT, "nested too deeply")
    except Exception as error:
        return ImportRefused(RefusalReason.CRASHED, f"{type(error).__name__}: {error}"[:300])


def bound_memory(limit: int) -> None:
    """Bound the address space of this process; no dumps of strangers' files on crashes."""
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _bound_time(seconds: float) -> None:
    """CPU time from now; the other side watches the clock on the wall."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes for ourselves: what a library prints must not end up in a reply."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    return requests, replies


def _reply(replies: BinaryIO, result: Guide | FaqTable | ImportRefused) -> None:
    head, images = encode(result)
    replies.write(LENGTH.pack(len(head)))
    replies.write(head)
    replies.writelines(images)
    replies.flush()


def _refuse_side_effects(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        flags = arguments[2]
        if isinstance(flags, int) and flags & _WRITING:
            raise PermissionError(event)
    elif event.startswith(_FORBIDDEN):
        raise PermissionError(event)


if __name__ == "__main__":
    main()
