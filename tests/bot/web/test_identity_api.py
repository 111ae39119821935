"""Proofs over HTTP: a verified person, once per proof, and what began before becomes theirs."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from bot.settings import WebSettings
from tests.product import Chat, Product, copy_workspace, make_settings, serving

SECRET = "a secret of the test with enough characters"


def proof(jti: str, **changes: Any) -> str:
    now = int(time.time())
    claims = {"aud": "portal", "sub": "u1", "iat": now, "exp": now + 300, "jti": jti}
    return jwt.encode({**claims, "name": "张三", "unit": "市教育局", **changes}, SECRET)


@pytest.fixture
async def proving(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[Product]:
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    web = WebSettings(identity_secrets={"portal": SECRET})
    async with serving(make_settings(home).model_copy(update={"web": web})) as product:
        yield product


async def opened(product: Product, **body: Any) -> Any:
    return await product.client.post("/api/v1/conversations", json=body)


async def ticket_of(chat: Chat) -> dict[str, Any]:
    await chat.say("门户的菜单是空的")
    await chat.say("转人工", kind="human")
    told = [m for m in await chat.read() if m["kind"] == "ticket"]
    headers = await chat.product.staff()
    number = told[0]["data"]["number"]
    answer = await chat.product.client.get(f"/api/v1/tickets/{number}", headers=headers)
    found: dict[str, Any] = answer.json()
    return found


async def test_a_proof_opens_once_and_says_who_it_is(proving: Product) -> None:
    first = await opened(proving, identity=proof("a"), user={"name": "冒名", "unit": "别处"})
    assert first.status_code == 201
    body = first.json()
    ticket = await ticket_of(Chat(proving, body["conversation_id"], body["token"]))
    assert "张三" in str(ticket)
    assert "冒名" not in str(ticket)
    again = await opened(proving, identity=proof("a"))
    assert again.status_code == 401
    assert again.json()["type"].endswith("identity_refused")
    assert (await opened(proving, identity=proof("b"))).status_code == 201


async def test_a_bad_proof_opens_nothing_but_none_is_needed(proving: Product) -> None:
    for bad in (proof("x", aud="else"), proof("y", exp=1), "junk", "x" * 4_000):
        assert (await opened(proving, identity=bad)).status_code == 401
    assert (await opened(proving, identity="x" * 5_000)).status_code == 422
    assert (await opened(proving)).status_code == 201


async def test_a_page_with_a_key_proves_for_that_key_only(proving: Product) -> None:
    assert (await opened(proving, identity=proof("k"), widget="other")).status_code == 401
    assert (await opened(proving, identity=proof("k"), widget="portal")).status_code == 201
    assert (await opened(proving, widget="w" * 41)).status_code == 422


async def test_what_began_unproven_becomes_the_persons_own(proving: Product) -> None:
    chat = await proving.open(name="访客")
    number = (await ticket_of(chat))["number"]
    address = f"/api/v1/conversations/{chat.id}/identity"
    headers = {"Authorization": f"Bearer {chat.token}"}
    client = proving.client
    refused = await client.post(address, json={"identity": "junk"}, headers=headers)
    assert refused.status_code == 401
    stranger = await client.post(address, json={"identity": proof("p")})
    assert stranger.status_code == 404
    done = await client.post(address, json={"identity": proof("p")}, headers=headers)
    assert done.status_code == 204
    staff = await proving.staff()
    ticket = (await client.get(f"/api/v1/tickets/{number}", headers=staff)).json()
    assert "张三" in str(ticket)
    # The same person again changes nothing; somebody else cannot take it.
    assert (
        await client.post(address, json={"identity": proof("q")}, headers=headers)
    ).status_code == 204
    other = await client.post(address, json={"identity": proof("r", sub="u2")}, headers=headers)
    assert other.status_code == 401
    assert [m["kind"] for m in await chat.read()].count("ticket") == 1
