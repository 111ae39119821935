"""What a sent body looks like on a member's screen: byte limits cut, bad bodies have their code.

Limits and codes are from the vendor's documents 90236 and 90313.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TEXT_BYTES = 2_048
_TASK_ID = re.compile(r"[0-9A-Za-z_\-@]{1,128}")
#: Codes of bodies that cannot be shown.
UNKNOWN_TYPE, MISSING, EMPTY_TEXT, TOO_MANY = 40008, 40063, 44004, 45008
CARD_FIELD, CARD_KEY, CARD_ACTION = 42014, 42039, 42045
_NOTICES = frozenset({"text_notice", "news_notice"})
_INTERACTIVE = frozenset({"button_interaction", "vote_interaction", "multiple_interaction"})


class Refused(Exception):
    """The platform answers with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


@dataclass(frozen=True, slots=True)
class Look:
    """Words on the screen; ``buttons`` are ``(text, key)``, ``media_id`` what is shown by it."""

    kind: str
    text: str
    buttons: Sequence[tuple[str, str]] = ()
    media_id: str = ""
    task_id: str = ""


def look_of(body: Mapping[str, Any]) -> Look:
    """How a body of ``message/send`` is shown. Raises :class:`Refused`."""
    kind = body.get("msgtype")
    show = _KINDS.get(kind) if isinstance(kind, str) else None
    content = body.get(kind) if isinstance(kind, str) else None
    if show is None:
        raise Refused(UNKNOWN_TYPE)
    if not isinstance(content, Mapping):
        raise Refused(MISSING)
    return show(str(kind), content)


def cut(text: object, limit: int) -> str:
    """The text as far as it fits, in whole characters."""
    return str(text or "").encode()[:limit].decode(errors="ignore")


def _words(kind: str, content: Mapping[str, Any]) -> Look:
    if not content.get("content"):
        raise Refused(EMPTY_TEXT)
    return Look(kind, cut(content["content"], TEXT_BYTES))


def _media(kind: str, content: Mapping[str, Any]) -> Look:
    title, about = cut(content.get("title"), 128), cut(content.get("description"), 512)
    words = "\n".join(part for part in (title, about) if part)
    return Look(kind, words, media_id=str(content.get("media_id") or ""))


def _textcard(kind: str, content: Mapping[str, Any]) -> Look:
    if not content.get("title") or not _has_scheme(content.get("url")):
        raise Refused(40054)
    return Look(kind, f"{str(content['title'])[:128]}\n{str(content.get('description', ''))[:512]}")


def _news(kind: str, content: Mapping[str, Any]) -> Look:
    articles = content.get("articles")
    if not isinstance(articles, list) or not articles:
        raise Refused(MISSING)
    if len(articles) > 8:
        raise Refused(TOO_MANY)
    return Look(kind, "\n".join(cut(one.get("title"), 128) for one in articles))


def _has_scheme(url: object) -> bool:
    return isinstance(url, str) and url.startswith(("http://", "https://"))


def _card(kind: str, content: Mapping[str, Any]) -> Look:
    card_type = content.get("card_type")
    title = _title(content)
    if card_type in _NOTICES:
        action = content.get("card_action") or {}
        if action.get("type") not in (1, 2) or not (action.get("url") or action.get("appid")):
            raise Refused(CARD_ACTION)
        return Look(kind, title)
    if card_type not in _INTERACTIVE:
        raise Refused(CARD_FIELD)
    task_id = content.get("task_id")
    if not isinstance(task_id, str) or not _TASK_ID.fullmatch(task_id):
        raise Refused(CARD_FIELD)
    return Look(kind, title, buttons=_buttons(content), task_id=task_id)


def _title(content: Mapping[str, Any]) -> str:
    main = content.get("main_title") or {}
    parts = (main.get("title"), main.get("desc"), content.get("sub_title_text"))
    text = "\n".join(str(part) for part in parts if part)
    if not text:
        raise Refused(CARD_FIELD)
    return text


def _buttons(content: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    listed = content.get("button_list") or ()
    found = [(str(one.get("text") or ""), str(one.get("key") or "")) for one in listed]
    keys = [key for _, key in found]
    if not 1 <= len(found) <= 6 or not all(text for text, _ in found):
        raise Refused(CARD_FIELD)
    if len(set(keys)) < len(keys) or not all(0 < len(key.encode()) <= 1_024 for key in keys):
        raise Refused(CARD_KEY)
    return found


_KINDS: Mapping[str, Callable[[str, Mapping[str, Any]], Look]] = {
    "text": _words,
    "markdown": _words,
    "image": _media,
    "voice": _media,
    "video": _media,
    "file": _media,
    "textcard": _textcard,
    "news": _news,
    "template_card": _card,
}
