"""Whether a delivery comes from the source that it names: a token, a signature, or both.

Compared in constant time. Refuses to tell a caller what was wrong.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.notifications.errors import AlertRefused

#: Grafana's own name for the header, when its contact point names none.
SIGNATURE_HEADER = "X-Grafana-Alerting-Signature"
#: A signature with a time is good for this long, either way.
SKEW_S = 300
_SECONDS = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the source was given; an empty one is not asked for, but one of the two must be."""

    token: str = ""
    hmac_secret: str = ""
    signature_header: str = SIGNATURE_HEADER
    timestamp_header: str = ""


def signature(secret: str, body: bytes, timestamp: str = "") -> str:
    """Grafana's signature: over the body, or over ``{timestamp}:`` and the body."""
    signed = f"{timestamp}:".encode() + body if timestamp else body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def check(credentials: Credentials, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Let the delivery pass, or raise :class:`AlertRefused`. Names of headers are lower case."""
    if not credentials.token and not credentials.hmac_secret:
        raise AlertRefused
    fine = [
        _token_fits(credentials, headers) if credentials.token else True,
        _signature_fits(credentials, headers, body, now) if credentials.hmac_secret else True,
    ]
    if not all(fine):
        raise AlertRefused


def _token_fits(credentials: Credentials, headers: Mapping[str, str]) -> bool:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    fits = hmac.compare_digest(token.strip().encode(), credentials.token.encode())
    return fits and scheme.lower() == "bearer"


def _signature_fits(
    credentials: Credentials, headers: Mapping[str, str], body: bytes, now: datetime
) -> bool:
    timestamp = ""
    if credentials.timestamp_header:
        timestamp = headers.get(credentials.timestamp_header.lower(), "")
        fresh = _SECONDS.fullmatch(timestamp) is not None
        if not fresh or abs(now.timestamp() - int(timestamp)) > SKEW_S:
            return False
    given = headers.get(credentials.signature_header.lower(), "").strip()
    expected = signature(credentials.hmac_secret, body, timestamp)
    return hmac.compare_digest(given.encode(), expected.encode())
