"""The callback envelope against known answers, and against everything that is not one."""

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import CallbackRefused, Flaw, InvalidCallbackKey
from connectors.wecom_crypto import CallbackKeys, Signed

ANSWERS: dict[str, Any] = json.loads(
    (Path(__file__).parent / "wecom" / "known_answers.json").read_text(encoding="utf-8")
)
VECTORS = {vector["id"]: vector for vector in ANSWERS["wecom"]}
SAMPLE_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"


def keys_of(vector: dict[str, Any]) -> CallbackKeys:
    return CallbackKeys.of(
        token=vector["token"],
        encoding_aes_key=vector["encoding_aes_key"],
        receive_id=vector["receive_id"],
    )


def signed_of(vector: dict[str, Any]) -> Signed:
    return Signed(vector["msg_signature"], vector["timestamp"], vector["nonce"], vector["encrypt"])


@pytest.mark.parametrize("name", VECTORS)
def test_known_answers_open_and_seal(name: str) -> None:
    vector = VECTORS[name]
    keys = keys_of(vector)
    assert keys.open(signed_of(vector)).decode() == vector["plaintext"]
    # The prefixes of the documented samples are sixteen characters.
    again = keys.seal(
        vector["plaintext"].encode(),
        timestamp=vector["timestamp"],
        nonce=vector["nonce"],
        random=bytes.fromhex(vector["random16_hex"]),
    )
    assert again == signed_of(vector)


def test_a_query_is_decoded_exactly_once() -> None:
    vector = VECTORS["official-url-verify"]
    query = {name: values[0] for name, values in parse_qs(vector["raw_query"]).items()}
    assert query["echostr"] == vector["encrypt"]
    twice = Signed(
        vector["msg_signature"],
        vector["timestamp"],
        vector["nonce"],
        vector["encrypt"].replace("+", " "),
    )
    with pytest.raises(CallbackRefused) as refused:
        keys_of(vector).open(twice)
    assert refused.value.flaw is Flaw.SIGNATURE


@pytest.mark.parametrize("part", ["signature", "timestamp", "nonce", "encrypted"])
def test_any_changed_part_breaks_the_signature(part: str) -> None:
    vector = VECTORS["official-xml-text"]
    good = signed_of(vector)
    parts = {name: getattr(good, name) for name in ("signature", "timestamp", "nonce", "encrypted")}
    parts[part] = ("B" if parts[part][0] == "A" else "A") + parts[part][1:]
    with pytest.raises(CallbackRefused) as refused:
        keys_of(vector).open(Signed(**parts))
    assert refused.value.flaw is Flaw.SIGNATURE


def test_another_receiver_is_refused() -> None:
    vector = VECTORS["official-xml-text"]
    with pytest.raises(CallbackRefused) as refused:
        keys_of({**vector, "receive_id": "wxOTHER"}).open(signed_of(vector))
    assert refused.value.flaw is Flaw.RECEIVER


def raw_sealed(keys: CallbackKeys, plain: bytes) -> Signed:
    encryptor = Cipher(algorithms.AES(keys.aes_key), modes.CBC(keys.aes_key[:16])).encryptor()
    body = base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()
    return Signed(keys.sign("1", "n", body), "1", "n", body)


@pytest.mark.parametrize(
    ("plain", "flaw"),
    [
        (b"\x00" * 32, Flaw.PADDING),
        (b"a" * 31 + b"\x21", Flaw.PADDING),
        (b"a" * 30 + b"\x01\x02", Flaw.PADDING),
        (b"\x20" * 32, Flaw.LENGTH),
        (b"r" * 16 + b"\xff\xff\xff\xff" + b"x" * 11 + b"\x01", Flaw.LENGTH),
        (b"r" * 16 + b"\x00\x00\x00\x01" + b"x" * 11 + b"\x01", Flaw.RECEIVER),
    ],
)
def test_signed_rubbish_is_refused(plain: bytes, flaw: Flaw) -> None:
    keys = CallbackKeys.of(token="t", encoding_aes_key=SAMPLE_KEY, receive_id="ww1")
    with pytest.raises(CallbackRefused) as refused:
        keys.open(raw_sealed(keys, plain))
    assert refused.value.flaw is flaw


@pytest.mark.parametrize("body", ["", "a", "%%%%", "YQ==", "好", "A" * 42])
def test_signed_bodies_that_are_no_ciphertext_are_refused(body: str) -> None:
    keys = CallbackKeys.of(token="t", encoding_aes_key=SAMPLE_KEY, receive_id="ww1")
    with pytest.raises(CallbackRefused) as refused:
        keys.open(Signed(keys.sign("1", "n", body), "1", "n", body))
    assert refused.value.flaw is Flaw.ENCODING


@given(message=st.binary(max_size=300), receiver=st.text(max_size=20))
def test_what_is_sealed_opens_again(message: bytes, receiver: str) -> None:
    try:
        receiver.encode()
    except UnicodeEncodeError:
        return
    keys = CallbackKeys.of(token="t", encoding_aes_key=SAMPLE_KEY, receive_id=receiver)
    sealed = keys.seal(message, timestamp="1", nonce="n")
    assert keys.open(sealed) == message
    assert keys.seal(message, timestamp="1", nonce="n").encrypted != sealed.encrypted


@given(parts=st.lists(st.text(), min_size=4, max_size=4))
def test_nothing_but_a_refusal_comes_out_of_noise(parts: list[str]) -> None:
    keys = CallbackKeys.of(token="t", encoding_aes_key=SAMPLE_KEY, receive_id="ww1")
    try:
        signed = Signed(*parts)
        "".join(parts).encode()
    except UnicodeEncodeError:
        return
    with pytest.raises(CallbackRefused):
        keys.open(signed)


@pytest.mark.parametrize("key", ["", "x" * 42, "x" * 44, "+" * 43, "键" * 43])
def test_a_key_that_is_none_is_told_at_once(key: str) -> None:
    with pytest.raises(InvalidCallbackKey):
        CallbackKeys.of(token="t", encoding_aes_key=key, receive_id="ww1")


def test_secrets_do_not_show() -> None:
    keys = CallbackKeys.of(token="hush-hush", encoding_aes_key=SAMPLE_KEY, receive_id="ww1")
    assert "hush" not in repr(keys)
    assert "aes_key" not in repr(keys)
