"""The JSON of a WeCom bot's callbacks as values: questions, polls, events, verdicts.

Fields are from the vendor's documents 100719, 101027 and 101138. Refuses to guess: what is not
known becomes ``BotKind.UNKNOWN`` or ``BotKind.EVENT``, never an error.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from connectors.errors import CallbackRefused, Flaw
from connectors.wecom_crypto import Signed

_PLAIN_ID = re.compile(r"[\x21-\x7e]{1,64}")
#: In groups a question begins with the bot's name.
_CALLED = re.compile(r"^\s*@\S+\s*")
_VERDICTS = {"1": True, "2": False}
_MOST_ID, _MOST_FILES, _MOST_URL, _MOST_CHAT = 64, 10, 2_000, 200
_MOST_KEY, _MOST_TASK_ID = 1_024, 128


class BotKind(StrEnum):
    """What a callback is."""

    QUESTION = "question"
    STREAM = "stream"
    ENTER = "enter"
    VERDICT = "verdict"
    CARD = "card"
    EVENT = "event"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class BotFile:
    """Something sent beside words. ``kind``: image, voice, video or file.

    ``key``: its own key in the long connection; callbacks' files are under the callback's.
    """

    kind: str
    url: str = field(repr=False)
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class BotMessage:
    """One callback. ``person`` names who asked, and in which group; ``chat`` is that group.

    ``key`` is the button of a card that was pressed, ``task_id`` that card.
    """

    kind: BotKind
    person: str
    bot_id: str
    external_id: str
    text: str = ""
    files: Sequence[BotFile] = ()
    stream_id: str = ""
    event: str = ""
    helpful: bool | None = None
    response_url: str = field(default="", repr=False)
    chat: str = ""
    key: str = ""
    task_id: str = ""


def envelope(body: bytes) -> str:
    """The encrypted text in a posted envelope. Raises :class:`CallbackRefused`."""
    encrypted = _object(body).get("encrypt")
    if not isinstance(encrypted, str) or not encrypted:
        raise CallbackRefused(Flaw.MARKUP)
    return encrypted


def reply(sealed: Signed) -> dict[str, Any]:
    """The envelope of an answer to a callback."""
    return {
        "encrypt": sealed.encrypted,
        "msgsignature": sealed.signature,
        "timestamp": int(sealed.timestamp),
        "nonce": sealed.nonce,
    }


def message(plain: bytes) -> BotMessage:
    """A decrypted callback. Raises :class:`CallbackRefused` when it is none of a bot."""
    told = _object(plain)
    msg_type = _text(told, "msgtype").lower()
    userid = _text(_inner(told, "from"), "userid")
    if not msg_type or not userid or len(userid) > _MOST_ID:
        raise CallbackRefused(Flaw.MARKUP)
    group = _text(told, "chattype") == "group"
    chat = _text(told, "chatid") if group else userid
    common = BotMessage(
        kind=BotKind.UNKNOWN,
        person=f"{userid}@{_short(chat)}" if group else userid,
        bot_id=_text(told, "aibotid"),
        external_id=_external_id(told, plain),
        response_url=_url(told, "response_url"),
        chat=chat if len(chat) <= _MOST_CHAT else "",
    )
    if msg_type == "stream":
        stream_id = _text(_inner(told, "stream"), "id")[:_MOST_ID]
        return replace(common, kind=BotKind.STREAM, stream_id=stream_id)
    if msg_type == "event":
        return _event(_inner(told, "event"), common)
    return _question(told, msg_type, common, called=group)


def _question(
    told: Mapping[str, Any], msg_type: str, common: BotMessage, *, called: bool
) -> BotMessage:
    words, files = _content(told, msg_type)
    if called:
        words = _CALLED.sub("", words, count=1)
    if not words and not files:
        return common
    text = "\n".join(one for one in (words.strip(), _quoted(told) if words else "") if one)
    return replace(common, kind=BotKind.QUESTION, text=text, files=tuple(files[:_MOST_FILES]))


def _event(event: Mapping[str, Any], common: BotMessage) -> BotMessage:
    name = _text(event, "eventtype").lower()[:60]
    if name == "enter_chat":
        return replace(common, kind=BotKind.ENTER, event=name)
    if name == "template_card_event":
        pressed = _inner(event, name)
        key, task_id = _text(pressed, "event_key")[:_MOST_KEY], _text(pressed, "task_id")
        if key and len(task_id) <= _MOST_TASK_ID:
            return replace(common, kind=BotKind.CARD, event=name, key=key, task_id=task_id)
    if name != "feedback_event":
        return replace(common, kind=BotKind.EVENT, event=name)
    given = _inner(event, "feedback_event")
    return replace(
        common,
        kind=BotKind.VERDICT,
        event=name,
        stream_id=_text(given, "id")[:_MOST_ID],
        text=_text(given, "content").strip(),
        helpful=_VERDICTS.get(str(given.get("type"))),
    )


def _content(told: Mapping[str, Any], msg_type: str) -> tuple[str, list[BotFile]]:
    """Words and files of a message; neither for one of a type that is not known."""
    inner = _inner(told, msg_type)
    match msg_type:
        case "text" | "voice" if _text(inner, "content"):
            # What was spoken is written down by the platform.
            return _text(inner, "content"), []
        case "image" | "file" | "video" | "voice" if _url(inner, "url"):
            return "", [BotFile(msg_type, _url(inner, "url"), _text(inner, "aeskey")[:_MOST_ID])]
        case "mixed":
            return _mixed(inner)
        case _:
            return "", []


def _mixed(inner: Mapping[str, Any]) -> tuple[str, list[BotFile]]:
    items = inner.get("msg_item")
    words: list[str] = []
    files: list[BotFile] = []
    for item in items[:50] if isinstance(items, list) else ():
        if isinstance(item, dict) and (kind := _text(item, "msgtype").lower()) != "mixed":
            said, sent = _content(item, kind)
            words += [said] if said else []
            files += sent
    return "\n".join(words), files


def _quoted(told: Mapping[str, Any]) -> str:
    """What a question refers to, in marks, so that a person sees what "this" is."""
    quote = _inner(told, "quote")
    words, _ = _content(quote, _text(quote, "msgtype").lower())
    return f"\u300c{words.strip()[:500]}\u300d" if words.strip() else ""


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise CallbackRefused(Flaw.MARKUP)
    return found


def _inner(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name)
    return found if isinstance(found, dict) else {}


def _text(told: Mapping[str, Any], name: str) -> str:
    found = told.get(name)
    # Lone surrogates can be written in JSON, but not into a database.
    return found.encode(errors="replace").decode() if isinstance(found, str) else ""


def _url(told: Mapping[str, Any], name: str) -> str:
    found = _text(told, name)
    return found if len(found) <= _MOST_URL and found.startswith(("https://", "http://")) else ""


def _short(name: str) -> str:
    return name if len(name) <= _MOST_ID else _hashed(name)


def _external_id(told: Mapping[str, Any], plain: bytes) -> str:
    known = _text(told, "msgid")
    return (
        known if _PLAIN_ID.fullmatch(known) else "event-" + hashlib.sha256(plain).hexdigest()[:40]
    )


def _hashed(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:40]
