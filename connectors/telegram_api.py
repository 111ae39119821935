"""Calls to the Bot API through python-telegram-bot, with its errors told in ours.

The token is part of every address, so neither addresses nor the library's own words leave this
module, and the loggers that print addresses are turned down.
"""

import logging
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import structlog
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputFile
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from connectors.base import Fetched, Held, PermanentError, TransientError
from connectors.telegram_settings import TelegramSettings
from connectors.telegram_updates import ALLOWED, TelegramUpdate, from_update

#: How long one call may take; a poll waits so much longer.
TIMEOUT_S, POLL_S = 10.0, 25
#: A file from a person, or to one, may take so long.
FILE_S = 60.0
#: What the Bot API gives and takes: a file from a person, one to a person, a picture to one.
MOST_IN, MOST_OUT, MOST_PICTURE = 20_000_000, 50_000_000, 10_000_000
#: How long sending rests after the token was refused: somebody has to act.
_REFUSED_S = 60.0

#: Rows of (label, data).
Buttons = Sequence[Sequence[tuple[str, str]]]

log = structlog.get_logger("connectors.telegram")


class FileRefused(Exception):
    """Telegram does not take this picture or file."""


class MarkupRefused(Exception):
    """The text's formatting was not understood; it may be sent plain."""


class TelegramApi:
    """One bot's calls."""

    def __init__(self, settings: TelegramSettings) -> None:
        # Both print whole addresses, the token among them.
        for name in ("httpx", "httpcore", "telegram"):
            logging.getLogger(name).setLevel(logging.WARNING)
        # The library's next form of durations; the present one complains at every use.
        os.environ.setdefault("PTB_TIMEDELTA", "1")
        self._settings = settings
        self._bot = Bot(
            settings.token,
            base_url=f"{settings.base_url}/bot",
            base_file_url=f"{settings.base_url}/file/bot",
            request=_request(settings, TIMEOUT_S),
            get_updates_request=_request(settings, TIMEOUT_S + POLL_S),
        )

    async def close(self) -> None:
        """Close every connection."""
        for request in self._bot._request:  # noqa: SLF001  # a bot that was never started up
            await request.shutdown()

    async def check(self) -> None:
        """Whether Telegram takes our token. Raises as a channel does."""
        try:
            await self._bot.get_me()
        except TelegramError as error:
            raise _told(error) from None

    async def send(self, person: str, text: str, buttons: Buttons, *, html: bool) -> None:
        """Send one message. Raises as a channel does, and :class:`MarkupRefused`."""
        try:
            await self._bot.send_message(
                person,
                text,
                parse_mode=ParseMode.HTML if html else None,
                reply_markup=_keyboard(buttons),
            )
        except BadRequest as refused:
            if html and "parse entities" in str(refused).lower():
                raise MarkupRefused from None
            raise PermanentError("refused by Telegram") from None
        except TelegramError as error:
            raise _told(error) from None

    async def send_file(self, person: str, name: str, content: bytes, *, picture: bool) -> None:
        """Send a picture to be shown, or a file. Raises as `send`; :class:`FileRefused`."""
        given = InputFile(content, filename=name)
        try:
            if picture:
                await self._bot.send_photo(person, given, write_timeout=FILE_S)
            else:
                await self._bot.send_document(person, given, write_timeout=FILE_S)
        except BadRequest as refused:
            if "chat" in str(refused).lower():
                raise PermanentError("this person cannot be sent to") from None
            raise FileRefused from None
        except TelegramError as error:
            raise _told(error) from None

    async def fetch(self, file_id: str) -> Fetched:
        """A file that somebody sent. Its address holds the token and is told to nobody.

        Raises :class:`TransientError`, or :class:`PermanentError` for one that is not to be had.
        """
        try:
            file = await self._bot.get_file(file_id)
        except BadRequest:
            raise PermanentError("no such file, or too large") from None
        except TelegramError as error:
            raise _told(error) from None
        if (file.file_size or 0) > MOST_IN:
            raise PermanentError("too large")
        try:
            content = bytes(await file.download_as_bytearray(read_timeout=FILE_S))
        except (TelegramError, OSError, RuntimeError) as error:
            # An address that has run out is answered like a token that is wrong.
            raise TransientError(type(error).__name__) from None
        if len(content) > MOST_IN:
            raise PermanentError("too large")
        return Fetched(PurePosixPath(urlsplit(file.file_path or "").path).name[:200], content)

    async def settle_press(self, update: TelegramUpdate) -> None:
        """Stop the button's clock and take the buttons away; a failure costs nobody anything."""
        try:
            await self._bot.answer_callback_query(update.query)
            if update.message_id:
                await self._bot.edit_message_reply_markup(
                    chat_id=update.person, message_id=update.message_id, reply_markup=None
                )
        except TelegramError as error:
            log.info("press_not_settled", error=type(error).__name__)

    async def register(self, address: str) -> None:
        """Tell Telegram where to call us."""
        try:
            await self._bot.set_webhook(
                address, secret_token=self._settings.webhook_secret, allowed_updates=ALLOWED
            )
        except TelegramError as error:
            raise _told(error) from None

    async def poll(self, after: int | None) -> tuple[Sequence[TelegramUpdate], int | None]:
        """Updates after an id, and the id of the last one; waits for some."""
        offset = None if after is None else after + 1
        try:
            found = await self._bot.get_updates(
                offset, timeout=POLL_S, allowed_updates=ALLOWED, read_timeout=TIMEOUT_S + POLL_S
            )
        except TelegramError as error:
            raise _told(error) from None
        updates = [from_update(one) for one in found]
        return updates, max([update.update_id for update in updates], default=after)

    async def stop_webhook(self) -> None:
        """Telegram answers polls only without one."""
        try:
            await self._bot.delete_webhook()
        except TelegramError as error:
            raise _told(error) from None


def _request(settings: TelegramSettings, timeout_s: float) -> HTTPXRequest:
    return HTTPXRequest(
        connection_pool_size=16,
        read_timeout=timeout_s,
        write_timeout=TIMEOUT_S,
        connect_timeout=TIMEOUT_S,
        pool_timeout=TIMEOUT_S,
        proxy=settings.proxy or None,
        httpx_kwargs={"trust_env": False},
    )


def _keyboard(buttons: Buttons) -> InlineKeyboardMarkup | None:
    rows = [[InlineKeyboardButton(label, callback_data=data) for label, data in r] for r in buttons]
    return InlineKeyboardMarkup(rows) if rows else None


def _told(error: TelegramError) -> Exception:
    """The library's error as one of a channel's, without its words."""
    match error:
        case RetryAfter():
            wait = error.retry_after
            seconds = wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
            return Held("asked to wait", seconds + 0.1)
        case Forbidden() | ChatMigrated():
            return PermanentError("this person cannot be sent to")
        case InvalidToken() | EndPointNotFound():
            log.error("telegram_token_refused")
            return Held("the token is refused", _REFUSED_S)
        case _:
            return TransientError(type(error).__name__)
