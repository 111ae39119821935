"""The envelope of WeCom (政务微信) callbacks: SHA-1 signature and AES-256-CBC with 32-byte padding.

Source: developer.work.weixin.qq.com, documents 90968 and 90930. Refuses to parse what is inside.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from connectors.errors import CallbackRefused, Flaw, InvalidCallbackKey

#: The platform pads to 32 bytes, twice the block of AES; usual PKCS#7 code refuses that.
PAD_BLOCK = 32
_AES_BLOCK = 16
_RANDOM = 16
_LENGTH = 4
_KEY = re.compile(r"[A-Za-z0-9]{43}")


@dataclass(frozen=True, slots=True)
class Signed:
    """An encrypted body with what signs it, as it stands in a query or in an envelope."""

    signature: str
    timestamp: str
    nonce: str
    encrypted: str


@dataclass(frozen=True, slots=True)
class CallbackKeys:
    """What both sides know. ``receive_id`` is the corp id; empty for bots made by oneself."""

    token: str = field(repr=False)
    aes_key: bytes = field(repr=False)
    receive_id: str

    @classmethod
    def of(cls, *, token: str, encoding_aes_key: str, receive_id: str) -> "CallbackKeys":
        """From the console's values. Raises :class:`InvalidCallbackKey`.

        The vendor's own sample keys are not canonical base64 (spare bits are set), so the key is
        never encoded again to compare.
        """
        if not _KEY.fullmatch(encoding_aes_key):
            raise InvalidCallbackKey("EncodingAESKey must be 43 letters and digits")
        return cls(token, base64.b64decode(encoding_aes_key + "="), receive_id)

    def sign(self, timestamp: str, nonce: str, encrypted: str) -> str:
        """The hexadecimal signature of an encrypted body."""
        # The platform's choice, not ours; forgery would also need the AES key.
        parts = sorted([self.token, timestamp, nonce, encrypted])
        return hashlib.sha1("".join(parts).encode(), usedforsecurity=False).hexdigest()

    def open(self, signed: Signed) -> bytes:
        """The message inside. Raises :class:`CallbackRefused`; nothing is decrypted unsigned."""
        expected = self.sign(signed.timestamp, signed.nonce, signed.encrypted)
        if not hmac.compare_digest(expected.encode(), signed.signature.encode()):
            raise CallbackRefused(Flaw.SIGNATURE)
        return self._split(_unpad(self._decrypt(signed.encrypted)))

    def seal(self, message: bytes, *, timestamp: str, nonce: str, random: bytes = b"") -> Signed:
        """Encrypt and sign a message; ``random`` (16 bytes) is for known answers only."""
        prefix = random or secrets.token_bytes(_RANDOM)
        length = len(message).to_bytes(_LENGTH, "big")
        plain = _pad(prefix + length + message + self.receive_id.encode())
        encryptor = self._cipher().encryptor()
        encrypted = base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()
        return Signed(self.sign(timestamp, nonce, encrypted), timestamp, nonce, encrypted)

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self.aes_key), modes.CBC(self.aes_key[:_AES_BLOCK]))

    def open_file(self, encrypted: bytes) -> bytes:
        """A file of a bot's callback (document 100719). Raises :class:`CallbackRefused`."""
        return _unpad(self._decrypt_raw(encrypted))

    def seal_file(self, content: bytes) -> bytes:
        """As the platform encrypts a file before it is fetched."""
        encryptor = self._cipher().encryptor()
        return encryptor.update(_pad(content)) + encryptor.finalize()

    def _decrypt(self, encrypted: str) -> bytes:
        try:
            raw = base64.b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError):
            raise CallbackRefused(Flaw.ENCODING) from None
        return self._decrypt_raw(raw)

    def _decrypt_raw(self, raw: bytes) -> bytes:
        if len(raw) < PAD_BLOCK or len(raw) % _AES_BLOCK:
            raise CallbackRefused(Flaw.ENCODING)
        decryptor = self._cipher().decryptor()
        return decryptor.update(raw) + decryptor.finalize()

    def _split(self, plain: bytes) -> bytes:
        start = _RANDOM + _LENGTH
        length = int.from_bytes(plain[_RANDOM:start], "big")
        if len(plain) < start or start + length > len(plain):
            raise CallbackRefused(Flaw.LENGTH)
        receiver = plain[start + length :]
        if not hmac.compare_digest(receiver, self.receive_id.encode()):
            raise CallbackRefused(Flaw.RECEIVER)
        return plain[start : start + length]


def _pad(plain: bytes) -> bytes:
    missing = PAD_BLOCK - len(plain) % PAD_BLOCK
    return plain + bytes([missing]) * missing


def _unpad(padded: bytes) -> bytes:
    count = padded[-1]
    if not 1 <= count <= PAD_BLOCK or padded[-count:] != bytes([count]) * count:
        raise CallbackRefused(Flaw.PADDING)
    return padded[:-count]
