"""Becomes another program after giving up memory, time, disk and network; run as a script.

`python -I -S confined.py MEMORY_BYTES CPU_SECONDS FILE_BYTES PROGRAM ARGUMENT…`. Stands alone and
imports nothing of ours: it starts before every conversion and is replaced at once.
"""

import ctypes
import os
import resource
import sys

_NEW_USER = 0x10000000  # CLONE_NEWUSER and CLONE_NEWNET of sched.h
_NEW_NETWORK = 0x40000000
_NO_NEW_PRIVILEGES = 38  # PR_SET_NO_NEW_PRIVS of prctl.h


def leave_network() -> bool:
    """Move into a network of our own without any interface; False where the kernel forbids it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_NETWORK) == 0:
        return True
    return bool(libc.unshare(_NEW_USER | _NEW_NETWORK) == 0)


def main() -> None:
    """Take the limits, then become the program."""
    memory, seconds, file_bytes = map(int, sys.argv[1:4])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    leave_network()
    ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    os.execv(sys.argv[4], sys.argv[4:])  # noqa: S606 - that is what this program is for


if __name__ == "__main__":
    main()
