"""Recognitions and failures as JSON, for the pipe between reader and worker process.

The worker has read a stranger's picture: what it sends is checked field by field.
"""

import json
from dataclasses import asdict

from kb.errors import PictureUnread, UnreadReason
from kb.ocr.lines import Line, Recognition

_NUMBERS = ("left", "top", "right", "bottom")


class MalformedReply(ValueError):
    """The worker sent something that is neither lines nor a reason for none."""


def encode(result: Recognition | PictureUnread) -> bytes:
    """The value as JSON."""
    if isinstance(result, PictureUnread):
        return json.dumps({"unread": result.reason.value, "detail": result.detail}).encode()
    return json.dumps(asdict(result), ensure_ascii=False).encode()


def decode(reply: bytes) -> Recognition:
    """The value again.

    Raises:
        PictureUnread: that is what was sent.
        MalformedReply: it is nothing that `encode` makes.
    """
    try:
        parsed = json.loads(reply)
        if "unread" in parsed:
            raise PictureUnread(UnreadReason(parsed["unread"]), str(parsed["detail"]))
        lines = tuple(_line(line) for line in parsed["lines"])
        return Recognition(int(parsed["width"]), int(parsed["height"]), lines)
    except (ValueError, TypeError, KeyError) as error:
        raise MalformedReply(type(error).__name__) from error


def _line(raw: dict[str, object]) -> Line:
    text, confidence = raw["text"], raw["confidence"]
    box = [raw[name] for name in _NUMBERS]
    if not isinstance(text, str) or not isinstance(confidence, int | float):
        raise TypeError
    left, top, right, bottom = (number for number in box if isinstance(number, int))
    return Line(text, float(confidence), left, top, right, bottom)
