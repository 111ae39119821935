"""A transcript as the summary reads it: cards by their titles, a bare picture by its text."""

from collections.abc import Sequence

from bot.attachments.tables import Attachment
from bot.tables import Message
from handoff.summary import Turn

#: Said by nobody to anybody outside, or before anything was said.
_LEFT_OUT = frozenset({"greeting", "note", "draft"})


def turns(messages: Sequence[Message], files: Sequence[Attachment]) -> list[Turn]:
    """What was said, in order."""
    read = {file.seq: file.cues for file in files if file.cues}
    return [
        Turn(m.sender, _told(m, read.get(m.seq, "")), m.kind, _titles(m))
        for m in messages
        if m.kind not in _LEFT_OUT
    ]


def _told(message: Message, cues: str) -> str:
    return cues if cues and not message.data.get("captioned") else message.text


def _titles(message: Message) -> tuple[str, ...]:
    if message.kind == "answer":
        return (str(message.data.get("title", "")),)
    if message.kind == "offer":
        return tuple(str(c.get("title", "")) for c in message.data.get("candidates", ()))
    return ()
