"""Recorded updates of every kind that the Bot API documents, and what damage does to them."""

import contextlib
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import CallbackRefused
from connectors.telegram_updates import Kind, TelegramUpdate, read

PAYLOADS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "telegram" / "payloads.json").read_text("utf-8")
)
JUNK = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just([]) | st.just({})


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: str(payload["name"]))
def test_a_recorded_update_means_what_it_should(payload: dict[str, Any]) -> None:
    found = read(json.dumps(payload["update"]).encode())
    assert found.kind == payload["kind"]
    told = {name: getattr(found, name) for name in payload["expected"]}
    assert told == payload["expected"]


def test_every_kind_was_recorded() -> None:
    assert {payload["kind"] for payload in PAYLOADS} == {kind.value for kind in Kind}


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container of a document with each of its keys."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, inner in items:
        found.append((value, key))
        if isinstance(inner, dict | list):
            found += places(inner)
    return found


@given(st.sampled_from(PAYLOADS), st.data())
def test_a_damaged_update_is_read_or_refused_and_nothing_else(
    payload: dict[str, Any], data: st.DataObject
) -> None:
    update = copy.deepcopy(payload["update"])
    holder, key = data.draw(st.sampled_from(places(update)))
    if data.draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = data.draw(JUNK)
    try:
        found = read(json.dumps(update).encode())
    except CallbackRefused:
        return
    assert isinstance(found, TelegramUpdate)
    assert 0 < len(found.external_id) <= 120
    assert isinstance(found.text, str)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(CallbackRefused):
        read(body)
