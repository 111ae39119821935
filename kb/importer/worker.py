"""The process that parses strangers' files: reads requests, answers with results, can do no harm.

Run as `python -m kb.importer.worker MEMORY_BYTES`. It opens files for reading only; an audit hook
refuses sockets, programs and writes, and resource limits bound memory and CPU time. A parser that
is tricked into more than that takes only this process down.
"""

import json
import sys
from pathlib import Path
from typing import BinaryIO

from kb.confinement import LENGTH, bound_memory, bound_time, refuse_side_effects, take_pipes
from kb.errors import ImportRefused, RefusalReason
from kb.importer.limits import ImportLimits
from kb.importer.reading import read_file
from kb.importer.wire import encode
from kb.sections import FaqTable, Guide


def main() -> None:
    """Answer requests until the other side hangs up."""
    requests, replies = take_pipes()
    bound_memory(int(sys.argv[1]))
    sys.addaudithook(refuse_side_effects)
    for line in requests:
        request = json.loads(line)
        limits = ImportLimits(**request["limits"])
        bound_time(limits.seconds)
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


def _reply(replies: BinaryIO, result: Guide | FaqTable | ImportRefused) -> None:
    head, images = encode(result)
    replies.write(LENGTH.pack(len(head)))
    replies.write(head)
    replies.writelines(images)
    replies.flush()


if __name__ == "__main__":
    main()
