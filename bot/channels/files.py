"""Pictures and files that members send through a channel: fetched from its platform, then ours.

What has to be fetched rests in the outbox before the callback is answered. A file that cannot be
had, or is not taken, is noted as something without words, so that nothing goes unanswered. What was
spoken becomes words where there is a speech engine; a recording is not kept.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

import structlog

from bot.attachments.errors import AttachmentRefused
from bot.attachments.service import Attachments, Upload
from bot.channels.intake import ChannelIntake
from bot.masking import mask
from connectors.base import Fetched, InboundMessage, PermanentError, TransientError
from connectors.relay import Handler
from connectors.speech import Speech
from connectors.wecom_api import FileRefused, MediaGone
from store import outbox
from store.outbox import Claimed

#: Rows of files to fetch, and what rows of earlier releases are called.
KIND, _FORMERLY = "channel_media", "wecom_media"
#: What is worth fetching; the other kinds nobody here can read.
FETCHED = frozenset({"image", "file"})
#: What is worth fetching where somebody can write it down.
SPOKEN = "voice"
Fetch = Callable[[str], Awaitable[Fetched]]

log = structlog.get_logger("bot.channel_files")


@dataclass(frozen=True, slots=True)
class ChannelFiles:
    """Fetches files of channels, each in its own way."""

    intake: ChannelIntake
    attachments: Attachments
    fetch: Mapping[str, Fetch]
    speech: Speech | None = None

    async def receive(self, message: InboundMessage, *, kind: str, name: str = "") -> None:
        """Record something that is not words, named by ``media_id``; a repetition changes nothing.

        What can be had and kept is fetched afterwards, by the outbox; the rest is only noted.
        """
        media_id = message.action.get("media_id")
        if not media_id or not self._is_fetched(message.channel, kind):
            await self._note(message, kind)
            return
        payload = {
            "channel": message.channel,
            "external_id": message.external_id,
            "user": message.external_user,
            "media_id": media_id,
            "kind": kind,
            "text": mask(message.text).text,
            "name": mask(name).text,
        }
        async with self.intake.database.transaction() as session:
            await outbox.enqueue(
                session,
                kind=KIND,
                payload=payload,
                dedupe_key=f"{KIND}:{message.channel}:{message.external_user}:{message.external_id}",
                available_at=self.intake.clock(),
            )

    def _is_fetched(self, channel: str, kind: str) -> bool:
        if channel not in self.fetch:
            return False
        if kind == SPOKEN:
            return self.speech is not None
        return kind in FETCHED and self.attachments.intake.settings.enabled

    def handlers(self) -> dict[str, Handler]:
        """What carries out the rows."""
        return {KIND: self._carry_out, _FORMERLY: self._carry_out}

    async def _carry_out(self, row: Claimed) -> None:
        told = {name: str(value) for name, value in row.payload.items()}
        message = InboundMessage(
            told["channel"],
            told["external_id"],
            told.get("text", ""),
            told["user"],
            action={"media_id": told["media_id"]},
        )
        take = self._listen if told["kind"] == SPOKEN else self._take
        try:
            await take(message, told, row.attempts)
        except (AttachmentRefused, FileRefused, MediaGone, PermanentError) as refused:
            log.warning("file_not_taken", row=row.id, error=type(refused).__name__)
            await self._note(message, told["kind"])

    async def _note(self, message: InboundMessage, kind: str) -> None:
        """The addresses that bots fetch from are credentials, and soon good for nothing."""
        is_address = "://" in str(message.action.get("media_id", ""))
        await self.intake.note(replace(message, action={}) if is_address else message, kind)

    async def _fetched(self, message: InboundMessage, media_id: str) -> Fetched:
        fetch = self.fetch.get(message.channel)
        if fetch is None:
            raise PermanentError("the channel is off")
        return await fetch(media_id)

    async def _listen(self, message: InboundMessage, told: Mapping[str, str], tries: int) -> None:
        """Somebody waits: an engine that stays away is not waited for long."""
        if self.speech is None:
            raise PermanentError("no speech engine")
        try:
            fetched = await self._fetched(message, told["media_id"])
            words = await self.speech.words(fetched.content)
        except TransientError as error:
            log.warning("voice_not_heard", error=type(error).__name__, tries=tries)
            if tries < self.speech.settings.tries:
                raise
            raise PermanentError("the speech engine is away") from None
        if not words:
            raise PermanentError("nothing was said")
        await self.intake.receive(replace(message, text=words, action={}))

    async def _take(self, message: InboundMessage, told: Mapping[str, str], _tries: int) -> None:
        fetched = await self._fetched(message, told["media_id"])
        conversation = await self.intake.conversation_of(message)
        name = told.get("name") or fetched.filename or told["kind"]
        upload = Upload(message.external_id, message.text, name, fetched.content)
        await self.attachments.receive(conversation.id, upload)
