"""A bot's callbacks of every type as the platform posts them, and whatever else may come."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import CallbackRefused
from connectors.wecom_bot_messages import BotKind, BotMessage, envelope, message

PAYLOADS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "wecom" / "bot_payloads.json").read_text("utf-8")
)


def told(payload: dict[str, Any]) -> BotMessage:
    return message(json.dumps(payload["json"]).encode())


@pytest.mark.parametrize("payload", PAYLOADS, ids=[one["name"] for one in PAYLOADS])
def test_a_recorded_payload_is_understood(payload: dict[str, Any]) -> None:
    found = told(payload)
    expected = {"person": "lihua", **payload["expected"]}
    files = [[one.kind, one.url] for one in found.files]
    seen = {name: getattr(found, name) for name in expected if name != "files"}
    assert found.kind.value == payload["kind"]
    assert seen | ({"files": files} if "files" in expected else {}) == expected
    assert (found.bot_id, found.external_id) == ("AIBOT1", "CAIQ16HMjQYY")


def test_every_kind_is_among_the_payloads() -> None:
    assert {one["kind"] for one in PAYLOADS} == {kind.value for kind in BotKind}


def test_addresses_and_files_are_in_no_text_about_a_message() -> None:
    assert "platform.example" not in repr([told(one) for one in PAYLOADS])


def test_an_event_without_an_id_is_known_by_its_words() -> None:
    plain = {"from": {"userid": "a"}, "msgtype": "event", "event": {"eventtype": "enter_chat"}}
    first, again = (message(json.dumps(plain).encode()) for _ in range(2))
    other = message(json.dumps(plain | {"create_time": 2}).encode())
    assert first.external_id == again.external_id != other.external_id


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
NAMES = st.sampled_from(
    [
        *("msgtype", "from", "userid", "text", "content", "mixed", "msg_item", "image", "url"),
        *("quote", "event", "eventtype", "feedback_event", "type", "id", "stream", "chattype"),
    ]
)
WORDS = st.sampled_from(
    ["text", "mixed", "event", "stream", "image", "feedback_event", "group", "lihua", "\ud800"]
)
TREES = st.recursive(
    LEAVES | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=20,
)


@given(tree=TREES, forced=st.booleans())
def test_any_json_is_understood_or_refused_quietly(tree: Any, forced: bool) -> None:
    if forced and isinstance(tree, dict):
        tree = {"msgtype": "mixed", "from": {"userid": "a"}} | tree
    with contextlib.suppress(CallbackRefused):
        found = message(json.dumps(tree).encode())
        found.text.encode()
        assert len(found.person) <= 64 + 1 + 64


@given(raw=st.binary(max_size=300))
def test_any_bytes_are_refused_quietly(raw: bytes) -> None:
    with contextlib.suppress(CallbackRefused):
        message(raw)
    with contextlib.suppress(CallbackRefused):
        assert envelope(raw)


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(CallbackRefused):
        message(b"[" * 100_000)
