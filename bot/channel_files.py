"""Pictures and files that members send through a channel: fetched from its platform, then ours.

What has to be fetched rests in the outbox before the callback is answered. A file that cannot be
had, or is not taken, is noted as something without words, so that nothing goes unanswered.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.attachments.errors import AttachmentRefused
from bot.attachments.service import Attachments, Upload
from bot.channel_intake import ChannelIntake
from connectors.base import InboundMessage, PermanentError
from connectors.relay import Handler
from connectors.wecom_api import Fetched, FileRefused, MediaGone
from store import outbox
from store.outbox import Claimed

#: Rows of files to fetch.
KIND = "wecom_media"
Fetch = Callable[[str], Awaitable[Fetched]]

log = structlog.get_logger("bot.channel_files")


async def fetch_later(
    session: AsyncSession, message: InboundMessage, *, media_id: str, kind: str, now: datetime
) -> None:
    """Fetch what a message names; a repetition of the message changes nothing."""
    await outbox.enqueue(
        session,
        kind=KIND,
        payload={
            "channel": message.channel,
            "external_id": message.external_id,
            "user": message.external_user,
            "media_id": media_id,
            "kind": kind,
        },
        dedupe_key=f"{KIND}:{message.external_user}:{message.external_id}",
        available_at=now,
    )


@dataclass(frozen=True, slots=True)
class ChannelFiles:
    """Fetches files of the channels whose platforms keep them; ``fetch`` is by channel."""

    intake: ChannelIntake
    attachments: Attachments
    fetch: Mapping[str, Fetch]

    def takes_from(self, channel: str) -> bool:
        """Whether files of this channel can be fetched and kept."""
        return channel in self.fetch and self.attachments.intake.settings.enabled

    def handlers(self) -> dict[str, Handler]:
        """What carries out the rows."""
        return {KIND: self._carry_out}

    async def _carry_out(self, row: Claimed) -> None:
        told = {name: str(value) for name, value in row.payload.items()}
        message = InboundMessage(
            told["channel"],
            told["external_id"],
            "",
            told["user"],
            # The addresses that bots fetch from are credentials, and soon good for nothing.
            action={} if "://" in told["media_id"] else {"media_id": told["media_id"]},
        )
        try:
            await self._take(message, told["media_id"], told["kind"])
        except (AttachmentRefused, FileRefused, MediaGone, PermanentError) as refused:
            log.warning("file_not_taken", row=row.id, error=type(refused).__name__)
            await self.intake.note(message, told["kind"])

    async def _take(self, message: InboundMessage, media_id: str, kind: str) -> None:
        fetch = self.fetch.get(message.channel)
        if fetch is None:
            raise PermanentError("the channel is off")
        fetched = await fetch(media_id)
        conversation = await self.intake.conversation_of(message)
        upload = Upload(message.external_id, "", fetched.filename or kind, fetched.content)
        await self.attachments.receive(conversation.id, upload)
