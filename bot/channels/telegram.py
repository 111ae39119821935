"""Telegram's updates into conversations, whether they are posted to us or fetched by us.

Refuses to acknowledge what is not recorded: a webhook answers, and a poll goes on, only then.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.channels.files import ChannelFiles
from bot.channels.intake import ChannelIntake
from connectors import telegram_updates
from connectors.base import Held, InboundMessage, TransientError
from connectors.telegram_api import TelegramApi
from connectors.telegram_settings import Mode, TelegramSettings
from connectors.telegram_updates import MEDIA, Kind, TelegramUpdate

#: The channel's name in rows.
CHANNEL = "telegram"
#: Where Telegram posts updates.
ADDRESS = "/channels/telegram/webhook"
#: Pause after a failed call, seconds; doubling.
RETRY_FIRST_S, RETRY_CAP_S = 2.0, 60.0
#: What a button begins with that only says its words.
_SAYS = "say:"

log = structlog.get_logger("bot.telegram")


async def hand_over(files: ChannelFiles, update: TelegramUpdate) -> None:
    """Record an update; a repetition changes nothing."""
    intake = files.intake
    if not update.person:
        log.info("update_ignored", kind=update.kind.value)
        return
    said = InboundMessage(CHANNEL, update.external_id, update.text, update.person)
    match update.kind:
        case Kind.TEXT:
            await intake.receive(said)
        case Kind.START:
            await intake.greet(said)
        case Kind.PRESSED:
            await _press(intake, update)
        case kind if kind in MEDIA:
            file = {"media_id": update.file_id} if update.file_id else {}
            sent = InboundMessage(
                CHANNEL, update.external_id, update.text, update.person, action=file
            )
            await files.receive(sent, kind=kind.value, name=update.file_name)
        case _:
            log.info("update_ignored", kind=update.kind.value)


async def _press(intake: ChannelIntake, update: TelegramUpdate) -> None:
    action = telegram_updates.action(update.button)
    words: str | None = update.text
    if action is None:
        words = await _option(intake, update)
    if words is None:
        log.info("button_ignored")
        return
    await intake.receive(
        InboundMessage(CHANNEL, update.external_id, words, update.person, action=action or {})
    )


async def _option(intake: ChannelIntake, update: TelegramUpdate) -> str | None:
    """What a button says that only says its words; ``None`` for one that is not ours."""
    if (place := telegram_updates.option(update.button)) is not None:
        asked = InboundMessage(CHANNEL, update.external_id, "", update.person)
        return await intake.option(asked, *place)
    # As releases before this one wrote them.
    return update.button.removeprefix(_SAYS) if update.button.startswith(_SAYS) else None


async def run(api: TelegramApi, settings: TelegramSettings, files: ChannelFiles) -> None:
    """Register the webhook, or poll; until cancelled."""
    if settings.mode is Mode.POLLING:
        await _patiently(api.stop_webhook)
        await _poll(api, files)
    elif settings.public_url:
        await _patiently(lambda: api.register(f"{settings.public_url.rstrip('/')}{ADDRESS}"))
        log.info("telegram_registered")
    await asyncio.Event().wait()


async def _poll(api: TelegramApi, files: ChannelFiles) -> None:
    last: int | None = None
    pause = RETRY_FIRST_S
    while True:
        try:
            updates, newest = await api.poll(last)
            for update in updates:
                await hand_over(files, update)
                if update.query:
                    await api.settle_press(update)
            # Asking for the next ones tells Telegram that these are recorded.
            last, pause = newest, RETRY_FIRST_S
        except Exception as error:
            log.warning("poll_failed", error=type(error).__name__)
            wait = error.wait_s if isinstance(error, Held) else pause
            await asyncio.sleep(wait)
            pause = min(pause * 2, RETRY_CAP_S)


async def _patiently(call: Callable[[], Awaitable[None]]) -> None:
    pause = RETRY_FIRST_S
    while True:
        try:
            await call()
        except TransientError as error:
            log.warning("telegram_unreachable", error=str(error))
            await asyncio.sleep(error.wait_s if isinstance(error, Held) else pause)
            pause = min(pause * 2, RETRY_CAP_S)
        else:
            return
