"""Frames of a bot's long connection (document 101463) as values, and values as frames.

Refuses to guess: what is no frame, or names a command that we do not know, is refused.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from connectors.errors import CallbackRefused, Flaw

#: No frame of the platform is nearly this large.
MOST_BYTES = 256 * 1024
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,200}")
_KICKED = "disconnected_event"


class Command(StrEnum):
    """What is sent to the platform."""

    SUBSCRIBE = "aibot_subscribe"
    PING = "ping"
    RESPOND = "aibot_respond_msg"
    WELCOME = "aibot_respond_welcome_msg"
    UPDATE = "aibot_respond_update_msg"
    SEND = "aibot_send_msg"


class Told(StrEnum):
    """What the platform sends by itself."""

    MESSAGE = "aibot_msg_callback"
    EVENT = "aibot_event_callback"


@dataclass(frozen=True, slots=True)
class Ack:
    """What became of a frame of ours; 0 is well."""

    request_id: str
    code: int


@dataclass(frozen=True, slots=True)
class Callback:
    """A message or an event; answers refer to ``request_id``."""

    request_id: str
    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Kicked:
    """Another connection of the same bot has taken over."""


Incoming = Ack | Callback | Kicked


def encoded(command: Command, request_id: str, body: Mapping[str, Any] | None = None) -> str:
    """A frame of ours."""
    frame: dict[str, Any] = {"cmd": command.value, "headers": {"req_id": request_id}}
    if body is not None:
        frame["body"] = dict(body)
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


def decoded(raw: str | bytes) -> Incoming:
    """A frame of the platform's. Raises :class:`CallbackRefused`."""
    if len(raw) > MOST_BYTES or (isinstance(raw, str) and len(raw.encode()) > MOST_BYTES):
        raise CallbackRefused(Flaw.SIZE)
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise CallbackRefused(Flaw.MARKUP)
    headers, body = told.get("headers"), told.get("body")
    request_id = headers.get("req_id") if isinstance(headers, dict) else None
    match told.get("cmd"):
        case None | "":
            return _ack(request_id, told.get("errcode"))
        case Told.EVENT if isinstance(body, dict) and _event(body) == _KICKED:
            return Kicked()
        case Told.MESSAGE | Told.EVENT if isinstance(body, dict):
            return Callback(_checked(request_id), body)
        case _:
            raise CallbackRefused(Flaw.MARKUP)


def _ack(request_id: object, code: object) -> Ack:
    # A truth value is a number in this language, and a code on no platform.
    if not isinstance(code, int) or isinstance(code, bool) or abs(code) > 2**31 - 1:
        raise CallbackRefused(Flaw.MARKUP)
    return Ack(_checked(request_id), code)


def _checked(request_id: object) -> str:
    if not isinstance(request_id, str) or not _REQUEST_ID.fullmatch(request_id):
        raise CallbackRefused(Flaw.MARKUP)
    return request_id


def _event(body: Mapping[str, Any]) -> str:
    event = body.get("event")
    name = event.get("eventtype") if isinstance(event, dict) else None
    return name.lower() if isinstance(name, str) else ""
