"""The XML of WeCom callbacks as values: messages, events, and what names each of them.

Refuses entities, and to guess: what is not known becomes ``Kind.UNKNOWN``, never an error.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from connectors.errors import CallbackRefused, Flaw

#: Ids that may stand in our rows as they are; anything else is known by its hash.
_PLAIN_ID = re.compile(r"[\x21-\x7e]{1,64}")


class Kind(StrEnum):
    """What a callback is."""

    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    FILE = "file"
    LOCATION = "location"
    LINK = "link"
    ENTER = "enter"
    CLICK = "click"
    CARD = "card"
    IDLE = "idle"
    OTHER_EVENT = "other_event"
    UNKNOWN = "unknown"


#: Kinds that carry something other than words, fetched by its media id.
MEDIA = frozenset({Kind.IMAGE, Kind.VOICE, Kind.VIDEO, Kind.FILE})
#: Kinds whose words are no question: a place's name, a page's title.
POINTERS = frozenset({Kind.LOCATION, Kind.LINK})
_EVENTS: Mapping[str, Kind] = {
    "enter_agent": Kind.ENTER,
    "subscribe": Kind.ENTER,
    "click": Kind.CLICK,
    "template_card_event": Kind.CARD,
    "template_card_menu_event": Kind.CARD,
    # The platform is about to suspend, or has suspended, an application that nobody uses.
    "inactive_alert": Kind.IDLE,
    "low_active_alert": Kind.IDLE,
    "close_inactive_agent": Kind.IDLE,
}


@dataclass(frozen=True, slots=True)
class WecomMessage:
    """One callback. ``external_id`` is the same for every delivery of it."""

    kind: Kind
    sender: str
    receiver: str
    agent_id: str
    external_id: str
    text: str = ""
    media_id: str = ""
    event: str = ""
    key: str = ""
    response_code: str = field(default="", repr=False)
    fields: Mapping[str, str] = field(default_factory=dict)


def envelope(body: bytes) -> str:
    """The encrypted text in a posted envelope. Raises :class:`CallbackRefused`."""
    encrypted = _texts(_root(body)).get("Encrypt", "")
    if not encrypted:
        raise CallbackRefused(Flaw.MARKUP)
    return encrypted


def message(plain: bytes) -> WecomMessage:
    """A decrypted callback. Raises :class:`CallbackRefused` when it is no XML of a message."""
    fields = _texts(_root(plain))
    sender, msg_type = fields.get("FromUserName", ""), fields.get("MsgType", "").lower()
    if not sender or not msg_type:
        raise CallbackRefused(Flaw.MARKUP)
    event = fields.get("Event", "").lower() if msg_type == "event" else ""
    kind = _kind(msg_type, event)
    return WecomMessage(
        kind=kind,
        sender=sender,
        receiver=fields.get("ToUserName", ""),
        agent_id=fields.get("AgentID", ""),
        external_id=_external_id(fields),
        text=_words(kind, fields),
        media_id=fields.get("MediaId", ""),
        event=event,
        key=fields.get("EventKey", ""),
        response_code=fields.get("ResponseCode", ""),
        fields=fields,
    )


def action(key: str) -> tuple[str, dict[str, Any]] | None:
    """What the button of a card with this key says and does; ``None`` for a key not ours."""
    number, _, rest = key.partition(":")
    name, _, answer_id = rest.partition(":")
    if not number.isascii() or not number.isdecimal() or len(number) > 2:
        return None
    if name == "choose" and 0 < len(answer_id) <= 64:
        return number, {"kind": "choose", "answer_id": answer_id}
    if name == "none_of_these":
        return number, {"kind": "none_of_these"}
    return None


def _root(raw: bytes) -> Element:
    try:
        root: Element = ElementTree.fromstring(raw, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise CallbackRefused(Flaw.MARKUP) from None
    return root


def _texts(root: Element) -> dict[str, str]:
    """Texts of the direct children, by name: the order differs between versions."""
    return {child.tag: (child.text or "").strip() for child in root}


def _kind(msg_type: str, event: str) -> Kind:
    if msg_type == "event":
        return _EVENTS.get(event, Kind.OTHER_EVENT)
    plain = (*MEDIA, Kind.TEXT, Kind.LOCATION, Kind.LINK)
    return next((kind for kind in plain if kind.value == msg_type), Kind.UNKNOWN)


def _words(kind: Kind, fields: Mapping[str, str]) -> str:
    names: Mapping[Kind, tuple[str, ...]] = {
        Kind.TEXT: ("Content",),
        # Some builds write down what was spoken.
        Kind.VOICE: ("Recognition",),
        Kind.LOCATION: ("Label", "Location_X", "Location_Y"),
        Kind.LINK: ("Title", "Description", "Url"),
        Kind.CLICK: ("EventKey",),
    }
    return "\n".join(fields[name] for name in names.get(kind, ()) if fields.get(name))


def _external_id(fields: Mapping[str, str]) -> str:
    known = fields.get("MsgId", "")
    if _PLAIN_ID.fullmatch(known):
        return known
    # Events have no id. Two different clicks within one second must stay two.
    names = ("AgentID", "FromUserName", "CreateTime", "MsgType", "Event", "EventKey", "TaskId")
    parts = "\x1f".join((known, *(fields.get(name, "") for name in names)))
    return "event-" + hashlib.sha256(parts.encode()).hexdigest()[:40]
