"""What a callback can be refused for: one kind, from which a caller learns nothing."""

from enum import StrEnum


class Flaw(StrEnum):
    """What was wrong with a callback; for our logs only, never for its sender."""

    SIGNATURE = "signature"
    TIMESTAMP = "timestamp"
    ENCODING = "encoding"
    PADDING = "padding"
    LENGTH = "length"
    RECEIVER = "receiver"
    MARKUP = "markup"
    SIZE = "size"


class CallbackRefused(Exception):
    """A callback that the platform did not send, or that was damaged on its way."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


class InvalidCallbackKey(ValueError):
    """The configured EncodingAESKey is none: 43 letters and digits that decode to 32 bytes."""
