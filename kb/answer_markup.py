"""What the Markdown of an answer becomes: blocks for cards, plain text for search and channels.

Knows the marks that editors need: pictures, files, links, bold, headings, bullets; numbered lines
are steps. Text without marks stays exactly as it is. Refuses raw HTML: it is shown as text.
"""

import re
from collections.abc import Iterator

from kb.articles import Attachment
from kb.blocks import text_blocks
from kb.sections import Block, Image

#: A picture of the workspace, by its content hash; other addresses are never loaded.
_PICTURE = re.compile(r"!\[([^\]\n]{0,300})\]\(/media/([0-9a-f]{64})\)")
#: A file of the workspace, by its content hash and under the name that people know it by.
_FILE = re.compile(r"(?<!!)\[([^\]\n]{1,300})\]\(/media/([0-9a-f]{64})\)")
_LINK = re.compile(r"(?<!!)\[([^\]\n]{1,300})\]\((https?://[^\s()]{1,2000})\)")
_BOLD = re.compile(r"\*\*(?=\S)([^*\n]{1,2000}?)(?<=\S)\*\*")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(?=\S)")
_BULLET = re.compile(r"^(\s*)[-*]\s+(?=\S)")


def answer_blocks(text: str) -> tuple[Block, ...]:
    """Paragraphs, steps and pictures in order."""
    blocks: list[Block] = []
    for line in text.splitlines():
        if _FILE.search(line) and not _FILE.sub("", line).strip():
            continue  # Listed below the answer, not in it.
        rest = 0
        for found in _PICTURE.finditer(line):
            blocks += text_blocks(_plain_line(line[rest : found.start()]))
            blocks.append(Image(sha256=found[2], media_type="", caption=found[1].strip()))
            rest = found.end()
        blocks += text_blocks(_plain_line(line[rest:]))
    return tuple(blocks)


def plain_text(text: str) -> str:
    """The answer without marks; a picture leaves its caption."""
    return "\n".join(_plain_line(_PICTURE.sub(r"\1", line)) for line in text.split("\n"))


def attachments(text: str) -> tuple[Attachment, ...]:
    """The files that go with the answer, in order, each once."""
    found = {found[2]: found[1].strip() for found in _FILE.finditer(text)}
    return tuple(Attachment(name, sha256) for sha256, name in found.items())


def pictures(text: str) -> Iterator[str]:
    """Content hashes of the pictures, in order."""
    return (found[2] for found in _PICTURE.finditer(text))


def _plain_line(line: str) -> str:
    line = _FILE.sub(r"\1", line)
    line = _LINK.sub(lambda found: f"{found[1]} {found[2]} ", line)
    line = _BULLET.sub(r"\1• ", _HEADING.sub("", line))
    return _BOLD.sub(r"\1", line)
