"""A notice as one plain text of limited length: title, text, link. Nothing is reworded."""

from connectors.notify_base import Notice

_MORE = "…"


def shortened(notice: Notice, limit: int) -> str:
    """Title, text and link in at most ``limit`` UTF-8 bytes; the text is cut, the link never."""
    tail = f"\n{notice.link}" if notice.link else ""
    head = f"{notice.title}\n{notice.text}".strip()
    if len((head + tail).encode()) <= limit:
        return head + tail
    room = limit - len((_MORE + tail).encode())
    return head.encode()[:room].decode(errors="ignore") + _MORE + tail
