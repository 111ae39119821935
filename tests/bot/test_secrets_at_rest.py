"""Credentials at rest: unreadable without the key, bound to their place, keys can be changed."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from bot.notifications.errors import SecretsKeyMissing, SecretUnreadable
from bot.secrets_at_rest import SecretsSettings, new_key

OLD, NEW = new_key(), new_key()
PLACE = "channel:1:key"


@given(st.text())
def test_what_is_sealed_opens_and_does_not_show(secret: str) -> None:
    sealing = SecretsSettings(keys=SecretStr(OLD)).vault()
    sealed = sealing.seal(secret, PLACE)
    assert sealing.open(sealed, PLACE) == secret
    assert sealed != sealing.seal(secret, PLACE)
    if len(secret) > 3:
        assert secret not in sealed


def test_without_a_key_nothing_is_kept_or_read() -> None:
    none = SecretsSettings().vault()
    assert not none.ready
    with pytest.raises(SecretsKeyMissing):
        none.seal("x", PLACE)
    sealed = SecretsSettings(keys=SecretStr(OLD)).vault().seal("x", PLACE)
    with pytest.raises(SecretsKeyMissing):
        none.open(sealed, PLACE)
    with pytest.raises(SecretsKeyMissing):
        SecretsSettings(keys=SecretStr(NEW)).vault().open(sealed, PLACE)


def test_a_new_key_in_front_reads_what_the_old_one_sealed() -> None:
    sealed = SecretsSettings(keys=SecretStr(OLD)).vault().seal("x", PLACE)
    both = SecretsSettings(keys=SecretStr(f" {NEW} , {OLD} ,")).vault()
    assert both.open(sealed, PLACE) == "x"
    assert not both.is_current(sealed)
    again = both.seal(both.open(sealed, PLACE), PLACE)
    assert both.is_current(again)
    assert SecretsSettings(keys=SecretStr(NEW)).vault().open(again, PLACE) == "x"


def test_a_moved_or_changed_text_opens_nothing() -> None:
    sealing = SecretsSettings(keys=SecretStr(OLD)).vault()
    sealed = sealing.seal("the secret", PLACE)
    head, _, body = sealed.rpartition(".")
    broken = [f"{head}.{body[:-6]}AAAA==", f"{head}.", f"{head}.§§", f"{head}.AAAA", "v0.x.y", ""]
    for text, place in [(sealed, "channel:2:key"), *((text, PLACE) for text in broken)]:
        with pytest.raises(SecretUnreadable):
            sealing.open(text, place)


@pytest.mark.parametrize(
    "text",
    ["short", "AAAA", "§", OLD[:-4], f"{OLD},x"],
    ids=["short", "few", "sign", "cut", "second"],
)
def test_a_key_that_is_none_stops_the_start_and_is_not_shown(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(ValidationError) as caught:
        SecretsSettings(keys=SecretStr(text))
    assert "32 bytes" in caught.value.errors()[0]["msg"]
    assert OLD not in str(caught.value.errors()[0]["msg"])
    assert OLD not in str(caught.value)


def test_settings_do_not_print_their_keys() -> None:
    settings = SecretsSettings(keys=SecretStr(OLD))
    assert OLD not in repr(settings)
    assert OLD not in repr(settings.vault())
    assert OLD not in settings.model_dump_json()
