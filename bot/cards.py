"""Cards: the data and the plain text of messages that are more than a sentence.

``data`` is what the widget and the console draw; ``text`` says the same to channels without
cards, to screen readers, and in the transcript.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.conversations.greeting import LOCAL
from bot.dialogue.state import Option
from bot.phrases import Phrases
from kb.articles import AnswerContent, Source
from kb.blocks import blocks_to_json, image_to_json
from kb.sections import Image

_WEEKDAYS = "一二三四五六日"


def local_time(at: datetime) -> str:
    """An instant in the region's time, with the weekday: 11月23日（周一）09:30."""
    local = at.astimezone(LOCAL)
    weekday = _WEEKDAYS[local.weekday()]
    return f"{local.month}月{local.day}日（周{weekday}）{local:%H:%M}"


def answer_data(content: AnswerContent) -> dict[str, Any]:
    """An answer card: title, blocks with pictures in place, source."""
    return {
        "answer_id": content.answer_id,
        "ref": content.ref,
        "title": content.title,
        "module": content.module,
        "blocks": [_with_address(block) for block in blocks_to_json(content.blocks)],
        "images": [_with_address(image_to_json(image)) for image in _own_images(content)],
        "files": [{"name": one.name, "url": f"/media/{one.sha256}"} for one in content.attachments],
        "source": source_data(content.source),
    }


def _own_images(content: AnswerContent) -> Sequence[Image]:
    """Pictures that do not already stand among the blocks."""
    placed = {block.sha256 for block in content.blocks if isinstance(block, Image)}
    return [image for image in content.images if image.sha256 not in placed]


def _with_address(block: dict[str, Any]) -> dict[str, Any]:
    if block.get("kind") == "image":
        return {**block, "url": f"/media/{block['sha256']}"}
    return block


def source_data(source: Source) -> dict[str, Any]:
    """Where an answer stands, for showing."""
    return {
        "guide": source.guide,
        "version": source.version,
        "section": source.section_path,
        "issued": source.issued,
        "page": source.page,
        "file": source.file,
    }


def answer_text(content: AnswerContent, phrases: Phrases) -> str:
    """The whole answer in plain text, with its source."""
    source = content.source
    line = phrases.say(
        "answer.source",
        guide=f"《{source.guide}》",
        version=f" {source.version}" if source.version else "",
        section=f" › {source.section_path}" if source.section_path else "",
        issued=f"（{source.issued}）" if source.issued else "",
    )
    names = phrases.say("answer.join").join(one.name for one in content.attachments)
    files = [phrases.say("answer.files", names=names)] if names else []
    return "\n".join((content.title, content.text, *files, line))


def offer_data(options: Sequence[Option]) -> dict[str, Any]:
    """Candidates to choose from."""
    return {"candidates": [{"answer_id": o.answer_id, "title": o.title} for o in options]}


def offer_text(lead: str, options: Sequence[Option], none_of_these: str) -> str:
    """The candidates as a numbered list."""
    lines = [f"{n}. {option.title}" for n, option in enumerate(options, 1)]
    return "\n".join((lead, *lines, f"{len(options) + 1}. {none_of_these}"))
