"""Credentials that administrators type, encrypted before they rest in the database.

AES-256-GCM under keys from the environment (``CAIWEN_SECRETS__KEYS``): the first encrypts, all of
them decrypt, so a key is changed by putting the new one in front and sealing everything again.
What a secret belongs to is authenticated with it: a text moved to another row opens nothing.
Refuses to work without a key, and to show a secret anywhere.
"""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from bot.notifications.errors import SecretsKeyMissing, SecretUnreadable

_KEY_BYTES, _NONCE_BYTES = 32, 12
_VERSION = "v1"


class SecretsSettings(BaseModel):
    """Keys for credentials that administrators type (`caiwen secrets new-key` makes one)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: SecretStr = Field(
        default=SecretStr(""),
        description="Keys separated by commas: the first encrypts, the others still decrypt.",
    )

    @field_validator("keys")
    @classmethod
    def _usable(cls, keys: SecretStr) -> SecretStr:
        for text in _separated(keys.get_secret_value()):
            _key(text)
        return keys

    def vault(self) -> "Vault":
        """What encrypts and decrypts under these keys."""
        found = [_key(text) for text in _separated(self.keys.get_secret_value())]
        return Vault({_key_id(key): AESGCM(key) for key in found})


@dataclass(frozen=True, slots=True)
class Vault:
    """Keys by id, the one that encrypts first."""

    keys: Mapping[str, AESGCM]

    @property
    def ready(self) -> bool:
        """Whether there is a key at all."""
        return bool(self.keys)

    def seal(self, secret: str, belongs_to: str) -> str:
        """The text to keep. Raises :class:`SecretsKeyMissing`."""
        for key_id, key in self.keys.items():
            nonce = secrets.token_bytes(_NONCE_BYTES)
            sealed = nonce + key.encrypt(nonce, secret.encode(), belongs_to.encode())
            return f"{_VERSION}.{key_id}.{base64.b64encode(sealed).decode()}"
        raise SecretsKeyMissing

    def open(self, sealed: str, belongs_to: str) -> str:
        """The secret. Raises :class:`SecretsKeyMissing` or :class:`SecretUnreadable`."""
        version, _, rest = sealed.partition(".")
        key_id, _, text = rest.partition(".")
        if version != _VERSION:
            raise SecretUnreadable(belongs_to)
        key = self.keys.get(key_id)
        if key is None:
            raise SecretsKeyMissing
        try:
            content = base64.b64decode(text, validate=True)
            plain = key.decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], belongs_to.encode())
        except (binascii.Error, ValueError, InvalidTag):
            raise SecretUnreadable(belongs_to) from None
        return plain.decode()

    def has_key_of(self, sealed: str) -> bool:
        """Whether the key that the text was sealed under is still there."""
        return sealed.split(".")[1:2] != [] and sealed.split(".")[1] in self.keys

    def is_current(self, sealed: str) -> bool:
        """Whether the text was sealed under the key that encrypts now."""
        return sealed.split(".")[1:2] == list(self.keys)[:1]


def new_key() -> str:
    """A fresh key, as it stands in the environment."""
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _separated(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _key(text: str) -> bytes:
    """The key's bytes; ``ValueError`` (without the text) when it is none."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise ValueError("a key is 32 bytes in base64")
    return key


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"caiwen key id" + key).hexdigest()[:8]
