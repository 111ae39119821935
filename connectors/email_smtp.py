"""Notices by e-mail: one message to one person, threads per subject, the same id for every try.

The message id is made of the notice's key, so a mail that is sent twice after a crash is shown
once by programs that compare ids. Refuses to connect where the address guard does.
"""

import hashlib
import ssl
from collections.abc import Callable, Sequence
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from enum import StrEnum
from pathlib import Path

import aiosmtplib
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connectors.base import PermanentError, TransientError
from connectors.notify_base import Misconfigured, Notice
from connectors.notify_pacing import ChannelPace, Past
from connectors.ssrf import AddressGuard, AddressRefused, guarded_socket

#: Header lines are encoded; longer subjects are cut where people stop reading.
SUBJECT_CHARS = 200
_PERMANENT_FROM = 500
#: A local part, one @, and a name with a dot or a single host; no spaces, no line ends.
MAILBOX = r"^[A-Za-z0-9._%+=-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$"


class Security(StrEnum):
    """How the connection is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class EmailConfig(BaseModel):
    """One relay. Many offices' relays know us by address: then there is no user."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(pattern=r"^[A-Za-z0-9.:-]{1,253}$")
    port: int = Field(default=465, ge=1, le=65_535)
    security: Security = Security.TLS
    username: str = Field(default="", max_length=200)
    password: SecretStr = SecretStr("")
    sender: str = Field(pattern=MAILBOX)
    sender_name: str = Field(default="", max_length=60)
    per_minute: int = Field(default=60, ge=1, le=6_000)


def message_of(notice: Notice, config: EmailConfig, now: datetime) -> EmailMessage:
    """The mail of a notice."""
    message = EmailMessage(policy=policy.SMTP)
    domain = config.sender.rpartition("@")[2]
    message["From"] = formataddr((_line(config.sender_name), config.sender))
    message["To"] = notice.recipient
    message["Subject"] = _line(notice.title)[:SUBJECT_CHARS]
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<n.{_named(notice.key)}@{domain}>"
    # The root was never sent; programs that thread by references still keep the rest together.
    root = f"<t.{_named(notice.thread)}@{domain}>"
    message["In-Reply-To"] = root
    message["References"] = root
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    link = f"\n\n{notice.link}" if notice.link else ""
    message.set_content(f"{notice.text}{link}\n", cte="base64")
    return message


def _line(text: str) -> str:
    """One line without control characters: a title is written by strangers."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


def _named(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


class EmailNotifier:
    """Sends through one relay; see :class:`connectors.notify_base.Notifier`."""

    def __init__(
        self,
        config: EmailConfig,
        guard: AddressGuard,
        clock: Callable[[], datetime],
        *,
        timeout_s: float,
        ca_bundle: Path | None = None,
    ) -> None:
        self._config = config
        self._guard = guard
        self._clock = clock
        self._timeout_s = timeout_s
        self._context = ssl.create_default_context(cafile=ca_bundle)
        self._pace = ChannelPace(config.per_minute)

    async def send(self, notice: Notice) -> None:
        if not notice.recipient:
            raise PermanentError("no address")
        now = self._clock()
        self._pace.take(now, urgent=notice.urgent)
        message = message_of(notice, self._config, now)
        try:
            await self._deliver(message, notice.recipient)
        except (aiosmtplib.SMTPException, AddressRefused, OSError) as error:
            raise _meaning(error) from None

    async def _deliver(self, message: EmailMessage, recipient: str) -> None:
        config = self._config
        # Numeric and checked here: the library would resolve the name once more.
        connection = await guarded_socket(self._guard, config.host, config.port)
        client = aiosmtplib.SMTP(
            hostname=config.host,
            sock=connection,
            timeout=self._timeout_s,
            use_tls=config.security is Security.TLS,
            start_tls=config.security is Security.STARTTLS,
            tls_context=None if config.security is Security.NONE else self._context,
        )
        try:
            await client.connect()
            if config.username:
                await client.login(config.username, config.password.get_secret_value())
            await client.send_message(message, sender=config.sender, recipients=[recipient])
        finally:
            client.close()
            connection.close()

    def recall(self, past: Sequence[Past]) -> None:
        self._pace.recall(past)

    async def close(self) -> None:
        """Nothing stays open between mails."""


def _meaning(error: Exception) -> Exception:
    """What can help after this error, as one of the exceptions of a notifier."""
    match error:
        case AddressRefused():
            return Misconfigured(f"address {error}")
        case aiosmtplib.SMTPAuthenticationError() | aiosmtplib.SMTPSenderRefused():
            return _by_code(error.code, Misconfigured)
        case aiosmtplib.SMTPRecipientsRefused():
            return _by_code(min((one.code for one in error.recipients), default=0), PermanentError)
        case aiosmtplib.SMTPResponseException():
            return _by_code(error.code, PermanentError)
        case aiosmtplib.SMTPNotSupported() | ssl.SSLError():
            return Misconfigured(type(error).__name__)
        case _:
            return TransientError(type(error).__name__)


def _by_code(code: int, permanent: type[Exception]) -> Exception:
    return permanent(f"SMTP {code}") if code >= _PERMANENT_FROM else TransientError(f"SMTP {code}")
