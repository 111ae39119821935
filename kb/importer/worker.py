"""The process that parses strangers' files: reads requests, answers with results, can do no harm.

Run as `python -m kb.importer.worker MEMORY_BYTES`. It opens files for reading only; an audit hook
refuses sockets, programs and writes, and resource limits bound memory and CPU time. A parser that
is tricked into more than that takes only this process down.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from kb.confinement import LENGTH, bound_memory, bound_time, refuse_side_effects, take_pipes
from kb.errors import ImportRefused, RefusalReason
from kb.importer.aid import Aid
from kb.importer.limits import ImportLimits
from kb.importer.reading import read_file
from kb.importer.scans import ScannedLine
from kb.importer.wire import PAGE, Answer, encode


def main() -> None:
    """Answer requests until the other side hangs up."""
    requests, replies = take_pipes()
    bound_memory(int(sys.argv[1]))
    sys.addaudithook(refuse_side_effects)
    for line in requests:
        request = json.loads(line)
        limits = ImportLimits(**request["limits"])
        bound_time(limits.seconds)
        _reply(replies, safely(partial(_answer, request, limits)))


def _answer(request: dict[str, Any], limits: ImportLimits) -> Answer:
    path = Path(request["path"])
    match request["want"]:
        case "scanned":
            return _scanned(path, limits)
        case "page":
            return _page(path, int(request["page"]))
        case "undrawn":
            aid = Aid()
            read_file(path, limits, request["name"], aid)
            return aid.undrawn
        case _:
            return read_file(path, limits, request["name"], _aid(request))


def _aid(request: dict[str, Any]) -> Aid:
    scanned = {
        int(page): [ScannedLine.from_json(values) for values in lines]
        for page, lines in request["scanned"].items()
    }
    return Aid(scanned, Path(request["drawings"]) if request["drawings"] else None)


def _scanned(path: Path, limits: ImportLimits) -> list[int]:
    """The first pages of a PDF that are pictures; other files have none."""
    data = path.read_bytes()
    if b"%PDF-" not in data[:1024]:
        return []
    from kb.importer.pdf import open_pdf, scanned_pages  # noqa: PLC0415 - only where one is met

    document = open_pdf(data)
    try:
        return scanned_pages(document)[: limits.scanned_pages]
    finally:
        document.close()


def _page(path: Path, number: int) -> dict[str, bytes]:
    from kb.importer.pdf import open_pdf, render_page  # noqa: PLC0415

    document = open_pdf(path.read_bytes())
    try:
        return {PAGE: render_page(document, number)}
    finally:
        document.close()


def safely(answer: Callable[[], Answer]) -> Answer | ImportRefused:
    """The answer, or the refusal that says why there is none.

    A parser's error that nobody foresaw is told apart from a file known to be broken.
    """
    try:
        return answer()
    except ImportRefused as refusal:
        return refusal
    except MemoryError:
        return ImportRefused(RefusalReason.OUT_OF_MEMORY)
    except RecursionError:
        return ImportRefused(RefusalReason.CORRUPT, "nested too deeply")
    except Exception as error:
        return ImportRefused(RefusalReason.CRASHED, f"{type(error).__name__}: {error}"[:300])


def _reply(replies: BinaryIO, result: Answer | ImportRefused) -> None:
    head, images = encode(result)
    replies.write(LENGTH.pack(len(head)))
    replies.write(head)
    replies.writelines(images)
    replies.flush()


if __name__ == "__main__":
    main()
