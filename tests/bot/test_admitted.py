"""What is remembered of right tokens, and that wrong ones never pass."""

from bot.admitted import Admitted
from tests.product import Product


def test_only_the_remembered_token_is_known() -> None:
    admitted = Admitted()
    assert not admitted.knows("a", "")
    admitted.remember("a", "hash-a")
    assert admitted.knows("a", "hash-a")
    assert not admitted.knows("a", "hash-b")
    assert not admitted.knows("b", "hash-a")
    admitted.forget("a")
    assert not admitted.knows("a", "hash-a")


def test_the_longest_unused_is_forgotten() -> None:
    admitted = Admitted(limit=2)
    admitted.remember("a", "1")
    admitted.remember("b", "2")
    assert admitted.knows("a", "1")
    admitted.remember("c", "3")
    assert admitted.knows("a", "1")
    assert not admitted.knows("b", "2")


async def test_a_wrong_token_is_refused_after_a_right_one(product: Product) -> None:
    chat = await product.open()
    await chat.send("你好")
    path = f"/api/v1/conversations/{chat.id}/messages"
    body = {"client_msg_id": "x", "text": "别人"}
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer"}):
        refused = await product.client.post(path, json=body, headers=headers)
        assert refused.status_code == 404
