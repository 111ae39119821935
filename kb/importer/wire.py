"""Guides and question tables as bytes and back, for the pipe between importer and parser process.

Not pickle: the parser process has read a stranger's file, so nothing it sends may choose what gets
constructed. Only the values of `kb.sections` can come out, and only with the right field types.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from kb.errors import ImportRefused, RefusalReason
from kb.sections import (
    Callout,
    FaqEntry,
    FaqTable,
    Guide,
    Image,
    ImportNotice,
    Paragraph,
    Reference,
    Section,
    Step,
    Table,
    WarningCode,
)

_TYPES = {
    cls.__name__: cls
    for cls in (
        Callout,
        FaqEntry,
        FaqTable,
        Guide,
        Image,
        ImportNotice,
        Paragraph,
        Reference,
        Section,
        Step,
        Table,
    )
}
_TAG = "$"
_SCALARS = {"str": str, "int": int, "WarningCode": str, "str | None": str, "int | None": int}


class MalformedReply(ValueError):
    """The parser process sent something that is no guide, no question table and no refusal."""


#: What was asked for: a file's content, the pages of it that are pictures, or pictures by name.
Answer = Guide | FaqTable | list[int] | dict[str, bytes]
PAGE = "page"


def encode(result: Answer | ImportRefused) -> tuple[bytes, list[bytes]]:
    """The value as JSON, and the picture bytes that follow it."""
    if isinstance(result, ImportRefused):
        head: dict[str, Any] = {"refused": result.reason.value, "detail": result.detail}
        return json.dumps(head).encode(), []
    if isinstance(result, list):
        return json.dumps({"scanned": result}).encode(), []
    if isinstance(result, dict):
        sizes = {key: len(data) for key, data in result.items()}
        return json.dumps({"images": sizes}).encode(), list(result.values())
    images = dict(result.images)
    head = {"result": _plain(result), "images": {key: len(data) for key, data in images.items()}}
    return json.dumps(head, ensure_ascii=False).encode(), list(images.values())


def image_sizes(head: bytes) -> dict[str, int]:
    """How many bytes of each picture follow the JSON, in order.

    Raises:
        MalformedReply: the JSON is not what `encode` makes.
    """
    sizes = _parsed(head).get("images", {})
    if not isinstance(sizes, dict) or not all(
        isinstance(n, int) and n >= 0 for n in sizes.values()
    ):
        raise MalformedReply("images")
    return sizes


def decode(head: bytes, images: Mapping[str, bytes]) -> Guide | FaqTable:
    """The value again.

    Raises:
        ImportRefused: that is what was sent.
        MalformedReply: anything else that is no guide and no question table.
    """
    parsed = _accepted(head)
    result = _built(parsed.get("result"), images)
    if not isinstance(result, Guide | FaqTable):
        raise MalformedReply(type(result).__name__)
    return result


def decode_scanned(head: bytes, most: int) -> list[int]:
    """Page numbers again, at most so many. Raises as `decode`."""
    pages = _accepted(head).get("scanned")
    if not isinstance(pages, list) or len(pages) > most:
        raise MalformedReply("scanned")
    if not all(type(page) is int and page > 0 for page in pages):
        raise MalformedReply("scanned")
    return pages


def decode_pictures(head: bytes, images: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Pictures by name again. Raises as `decode`."""
    _accepted(head)
    return images


def _accepted(head: bytes) -> dict[str, Any]:
    """The reply, unless it is a refusal."""
    parsed = _parsed(head)
    if "refused" in parsed:
        try:
            reason = RefusalReason(parsed["refused"])
        except ValueError as error:
            raise MalformedReply(str(error)) from error
        raise ImportRefused(reason, str(parsed.get("detail", "")))
    return parsed


def _parsed(head: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(head)
    except ValueError as error:
        raise MalformedReply(str(error)) from error
    if not isinstance(parsed, dict):
        raise MalformedReply(type(parsed).__name__)
    return parsed


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        names = (each.name for each in fields(value) if each.name != "images")
        kept = {name: _plain(getattr(value, name)) for name in names}
        return {_TAG: type(value).__name__, **kept}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): str(item) for key, item in value.items()}
    return value


def _built(value: Any, images: Mapping[str, bytes]) -> Any:
    if isinstance(value, list):
        return tuple(_built(item, images) for item in value)
    if not isinstance(value, dict) or _TAG not in value:
        return value
    cls = _TYPES.get(str(value[_TAG]))
    if cls is None:
        raise MalformedReply(f"type {value[_TAG]}")
    kept = {key: _built(item, images) for key, item in value.items() if key != _TAG}
    if cls in {Guide, FaqTable}:
        kept["images"] = dict(images)
    try:
        if cls is ImportNotice:
            kept["code"] = WarningCode(kept["code"])
        built = cls(**kept)
    except (TypeError, ValueError, KeyError) as error:
        raise MalformedReply(f"{cls.__name__}: {error}") from error
    _check(built)
    return built


def _check(built: Any) -> None:
    """Text is text and numbers are numbers; containers are tuples."""
    for each in fields(built):
        value = getattr(built, each.name)
        declared = each.type if isinstance(each.type, str) else _type_name(each.type)
        expected = _SCALARS.get(declared)
        if expected is not None:
            if not isinstance(value, expected) and not (value is None and "None" in declared):
                raise MalformedReply(f"{type(built).__name__}.{each.name}")
        elif declared.startswith("tuple"):
            absent = value is None and declared.endswith("None")
            if not isinstance(value, tuple) and not absent:
                raise MalformedReply(f"{type(built).__name__}.{each.name}")


def _type_name(declared: Any) -> str:
    plain = isinstance(declared, type) and not hasattr(declared, "__args__")
    return str(declared.__name__) if plain else str(declared)
