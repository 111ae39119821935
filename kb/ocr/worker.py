"""The process that reads pictures: takes bytes, gives lines, can do no harm.

Run as `python -m kb.ocr.worker MEMORY_BYTES THREADS SECONDS PIXELS`. It yields the processor to
everything else, opens no socket, writes no file, and may be killed at any time.
"""

import os
import sys
from typing import Any, BinaryIO

from kb.confinement import LENGTH, bound_memory, bound_time, refuse_side_effects, take_pipes
from kb.errors import PictureUnread, UnreadReason
from kb.ocr.wire import encode

#: Reading a picture can wait; an answer cannot.
_NICENESS = 10


def main() -> None:
    """Answer requests until the other side hangs up."""
    memory, threads, seconds, pixels = (int(argument) for argument in sys.argv[1:5])
    requests, replies = take_pipes()
    os.nice(_NICENESS)
    bound_memory(memory)
    engine = _load(threads)
    sys.addaudithook(refuse_side_effects)
    while head := requests.read(LENGTH.size):
        image = requests.read(LENGTH.unpack(head)[0])
        bound_time(seconds)
        _reply(replies, encode(_read(engine, image, pixels)))


def _load(threads: int) -> Any:
    """The engine, or why there is none: the other side asks again and is told each time."""
    try:
        from kb.ocr.engine import Engine  # noqa: PLC0415  # may be absent or broken
    except ImportError as error:
        return PictureUnread(UnreadReason.ABSENT, str(error)[:200])
    try:
        return Engine(threads)
    except MemoryError:
        return PictureUnread(UnreadReason.OUT_OF_MEMORY)
    except Exception as error:
        return PictureUnread(UnreadReason.ABSENT, f"{type(error).__name__}: {error}"[:200])


def _read(engine: Any, image: bytes, pixels: int) -> Any:
    if isinstance(engine, PictureUnread):
        return engine
    try:
        return engine.read(image, pixels=pixels)
    except PictureUnread as unread:
        return unread
    except MemoryError:
        return PictureUnread(UnreadReason.OUT_OF_MEMORY)
    except Exception as error:
        # The runtime tells of exhausted memory with an error of its own.
        exhausted = "alloc" in str(error).lower()
        reason = UnreadReason.OUT_OF_MEMORY if exhausted else UnreadReason.CRASHED
        return PictureUnread(reason, f"{type(error).__name__}: {error}"[:200])


def _reply(replies: BinaryIO, reply: bytes) -> None:
    replies.write(LENGTH.pack(len(reply)) + reply)
    replies.flush()


if __name__ == "__main__":
    main()
