"""Callbacks of every type as the platform posts them, and whatever else may come."""

import contextlib
import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import CallbackRefused
from connectors.wecom_messages import Kind, WecomMessage, envelope, message

PAYLOADS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "wecom" / "payloads.json").read_text("utf-8")
)


@pytest.mark.parametrize("payload", PAYLOADS, ids=[one["name"] for one in PAYLOADS])
def test_a_recorded_payload_is_understood(payload: dict[str, Any]) -> None:
    found = message(payload["xml"].encode())
    assert (found.kind.value, found.sender, found.receiver) == (payload["kind"], "lihua", "ww1")
    assert {name: getattr(found, name) for name in payload["expected"]} == payload["expected"]
    assert found.external_id == "4561255354251345929" or found.external_id.startswith("event-")


def test_every_kind_is_among_the_payloads() -> None:
    assert {one["kind"] for one in PAYLOADS} == {kind.value for kind in Kind}


def test_order_and_unknown_fields_do_not_matter() -> None:
    for payload in PAYLOADS:
        if payload["name"] == "two of the same field":
            continue
        inner = payload["xml"].removeprefix("<xml>").removesuffix("</xml>")
        agent = "<AgentID>1000002</AgentID>"
        turned = f"<xml>{agent}<New>1</New>{inner.replace(agent, '')}</xml>"
        before, after = message(payload["xml"].encode()), message(turned.encode())
        assert (before.kind, before.text, before.external_id) == (
            after.kind,
            after.text,
            after.external_id,
        )


def understood(raw: bytes) -> WecomMessage | None:
    """What may come of any bytes: a message, or our one refusal."""
    try:
        return message(raw)
    except CallbackRefused:
        return None


@given(raw=st.binary(max_size=300))
def test_any_bytes_are_refused_quietly(raw: bytes) -> None:
    understood(raw)
    with contextlib.suppress(CallbackRefused):
        assert envelope(raw)


@given(data=st.data())
def test_a_damaged_payload_is_refused_or_understood(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(PAYLOADS))["xml"].encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        if not raw:
            break
    found = understood(bytes(raw))
    assert found is None or found.external_id


@given(
    fields=st.dictionaries(
        st.sampled_from(["MsgType", "FromUserName", "MsgId", "Content", "Event", "CreateTime"]),
        st.text(alphabet=string.printable + "\u4e2d\U0001f600", max_size=80),
    )
)
def test_odd_values_make_ids_that_fit_their_column(fields: dict[str, str]) -> None:
    inner = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items())
    found = understood(f"<xml>{inner}</xml>".encode())
    assert found is None or 0 < len(found.external_id) <= 64
