"""What Telegram tells us: its updates as values of ours. Refuses groups: a conversation is one
person's, and what is said in it is confidential.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from telegram import CallbackQuery, Message, Update
from telegram.constants import ChatType

from connectors.errors import CallbackRefused, Flaw

#: What we ask Telegram for.
ALLOWED = ("message", "edited_message", "callback_query")
#: Longest data of a button, in bytes.
BUTTON_BYTES = 64
_MOST_DIGITS = 18


class Kind(StrEnum):
    """What an update is; the media are named as the channel intake names them."""

    TEXT = "text"
    START = "start"
    PRESSED = "pressed"
    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    FILE = "file"
    UNKNOWN = "unknown"
    IGNORED = "ignored"


MEDIA = frozenset({Kind.IMAGE, Kind.VOICE, Kind.VIDEO, Kind.FILE, Kind.UNKNOWN})


@dataclass(frozen=True, slots=True)
class TelegramUpdate:
    """One update. ``person`` is the id of the private chat, which is the person's own.

    ``text`` are the words said, written under a file, or on the button. ``button`` is the data of
    the button, ``query`` names the press and ``message_id`` the message it stands below.

    ``said_as`` names what was said: update ids begin anew at random after a week without any, so
    by them a later message could be taken for an earlier one.
    """

    update_id: int
    kind: Kind
    person: str = ""
    text: str = ""
    file_id: str = ""
    file_name: str = ""
    said_as: str = ""
    button: str = ""
    query: str = ""
    message_id: int = 0

    @property
    def external_id(self) -> str:
        """Names the update once and for all."""
        return self.said_as or f"update-{self.update_id}"


def read(body: bytes) -> TelegramUpdate:
    """An update as it was posted. Raises :class:`CallbackRefused` for what is none."""
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        raise CallbackRefused(Flaw.MARKUP) from None
    if not isinstance(raw, dict) or not _is_id(raw.get("update_id")):
        raise CallbackRefused(Flaw.MARKUP)
    try:
        return from_update(Update.de_json(raw, None))
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError, OSError):
        # Not as documented, or newer than the library: nothing that sending it again could mend.
        return _salvaged(raw)


def _salvaged(raw: dict[str, Any]) -> TelegramUpdate:
    """What is left of a message that the library cannot read: who wrote, and the words."""
    message = raw.get("message")
    chat = message.get("chat") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(chat, dict):
        return TelegramUpdate(raw["update_id"], Kind.IGNORED)
    person, number, at = (chat.get("id"), message.get("message_id"), message.get("date"))
    if chat.get("type") != ChatType.PRIVATE or not all(map(_is_id, (person, number, at))):
        return TelegramUpdate(raw["update_id"], Kind.IGNORED)
    words = message.get("text") or message.get("caption")
    text = words.strip() if isinstance(words, str) else ""
    kind = Kind.TEXT if text else Kind.UNKNOWN
    said_as = f"message:{number}:{at}"
    return TelegramUpdate(raw["update_id"], kind, str(person), text, said_as=said_as)


def action(button: str) -> dict[str, Any] | None:
    """What a button does; ``None`` for one that only says its words, or is not ours."""
    name, _, value = button.partition(":")
    if name == "choose" and 0 < len(value) <= 60:
        return {"kind": "choose", "answer_id": value}
    if button == "none_of_these":
        return {"kind": "none_of_these"}
    if name in ("helpful", "unhelpful") and _is_number(value):
        return {"kind": name, "seq": int(value)}
    if name == "rate" and value in ("1", "2", "3", "4", "5"):
        return {"kind": "rate", "stars": int(value)}
    if name in ("confirm", "reopen") and 0 < len(value) <= 24:
        return {"kind": name, "number": value}
    return None


def option(button: str) -> tuple[int, int] | None:
    """The message and the option of it, from 0, that a button says."""
    name, _, place = button.partition(":")
    seq, _, n = place.partition(":")
    return (int(seq), int(n)) if name == "say" and _is_number(seq) and _is_number(n) else None


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) < 10


def from_update(update: Update) -> TelegramUpdate:
    """What an update of the library's means to us."""
    if update.callback_query is not None:
        return _pressed(update.update_id, update.callback_query)
    message = update.message or update.edited_message
    if message is None or message.chat.type != ChatType.PRIVATE:
        return TelegramUpdate(update.update_id, Kind.IGNORED)
    words = (message.text or message.caption or _place(message)).strip()
    kind, file_id = _kind(message, words)
    return TelegramUpdate(
        update.update_id,
        kind,
        str(message.chat.id),
        words,
        file_id,
        file_name=(message.document.file_name or "")[:200] if message.document else "",
        said_as=_named(message),
    )


def _named(message: Message) -> str:
    """A message's name, for good: its number, when it was sent, and when it was changed."""
    at = (message.date, message.edit_date)
    return ":".join(
        ["message", str(message.message_id), *(str(int(t.timestamp())) for t in at if t)]
    )


def _kind(message: Message, words: str) -> tuple[Kind, str]:
    if message.photo:
        return Kind.IMAGE, message.photo[-1].file_id  # the largest comes last
    recorded = message.voice or message.audio
    if recorded is not None:
        return Kind.VOICE, recorded.file_id
    moving = message.video or message.video_note or message.animation
    if moving is not None:
        return Kind.VIDEO, moving.file_id
    if message.document is not None:
        return Kind.FILE, message.document.file_id
    if not words:
        return Kind.UNKNOWN, ""
    return (Kind.START if words.split(maxsplit=1)[0].lower() == "/start" else Kind.TEXT), ""


def _place(message: Message) -> str:
    """A contact's or a place's words, as far as it has any."""
    if message.venue is not None:
        return f"{message.venue.title} {message.venue.address}"
    return ""


def _pressed(update_id: int, query: CallbackQuery) -> TelegramUpdate:
    message = query.message
    if message is None or message.chat.type != ChatType.PRIVATE or not query.data:
        return TelegramUpdate(update_id, Kind.IGNORED, query=query.id)
    if message.chat.id != query.from_user.id:
        return TelegramUpdate(update_id, Kind.IGNORED, query=query.id)
    return TelegramUpdate(
        update_id,
        Kind.PRESSED,
        str(message.chat.id),
        _label(message, query.data),
        said_as=f"press:{query.id}",
        button=query.data,
        query=query.id,
        message_id=message.message_id,
    )


def _label(message: Any, data: str) -> str:
    """What the pressed button says; its data when the message is too old to be sent along."""
    markup = getattr(message, "reply_markup", None)
    for row in markup.inline_keyboard if markup else ():
        for button in row:
            if button.callback_data == data:
                return str(button.text)
    return data.partition(":")[2] or data
