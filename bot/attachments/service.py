"""Pictures and files as the web pages and channels use them: sent, answered with, and given out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.accounts.service import Principal
from bot.attachments import repository
from bot.attachments.errors import AttachmentGone, AttachmentNotFound
from bot.attachments.intake import SUFFIX, AttachmentIntake
from bot.attachments.kinds import SHOWN, Kind
from bot.attachments.pictures import Pictures
from bot.attachments.stored import Enclosure, StoredFile, enclose
from bot.attachments.tables import Attachment
from bot.clock import Clock
from bot.conversations.recording import Recorded
from bot.conversations.service import Conversations
from bot.errors import MessageTooLong
from bot.phrases import Phrases
from bot.tickets.engineers import Engineers
from bot.tickets.work import visible_ticket
from kb.media import media_path
from store import audit
from store.session import Database

log = structlog.get_logger("bot.attachments")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came, with the words that came along. The same ``client_msg_id`` is the same."""

    client_msg_id: str
    text: str
    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Given:
    """A file to be given out."""

    path: Path
    name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Attachments:
    """Pictures and files of conversations."""

    database: Database
    intake: AttachmentIntake
    pictures: Pictures
    conversations: Conversations
    engineers: Engineers
    phrases: Phrases
    clock: Clock
    max_chars: int

    async def receive(self, conversation_id: str, upload: Upload) -> Recorded:
        """A user's file, recorded like any message; raises ``AttachmentRefused`` kinds."""
        self._check(upload)
        file = await self.intake.store(upload.data, upload.name)
        recorded = await self.conversations.receive(
            conversation_id,
            external_id=upload.client_msg_id,
            text=self._said(upload, file.kind, file.name),
            enclosure=self._enclosed(upload, file),
        )
        if not recorded.duplicate:
            await self.pictures.look(conversation_id)
        return recorded

    async def reply(self, staff: Principal, number: str, upload: Upload) -> dict[str, Any]:
        """An engineer's file, said once; raises ``AttachmentRefused`` kinds."""
        self._check(upload)
        file = await self.intake.store(upload.data, upload.name)
        return await self.engineers.reply(
            staff,
            number,
            self._said(upload, file.kind, file.name),
            client_msg_id=upload.client_msg_id,
            enclosure=self._enclosed(upload, file),
        )

    async def for_user(self, conversation_id: str, attachment_id: str) -> Given:
        """A file of a conversation whose token the caller holds."""
        async with self.database.peek() as session:
            row = await repository.attachment(session, attachment_id)
        return self._given(row, attachment_id, conversation_id)

    async def for_staff(
        self, staff: Principal, number: str, attachment_id: str, *, download: bool
    ) -> Given:
        """A file of a ticket's conversation within the account's scope.

        Looking at a picture is reading the transcript; whatever leaves as a file is audited.
        """
        async with self.database.reading() as session:
            ticket = await visible_ticket(session, staff, number)
            row = await repository.attachment(session, attachment_id)
        given = self._given(row, attachment_id, ticket.conversation_id)
        if download or given.media_type not in SHOWN:
            async with self.database.transaction() as session:
                await self._audit(session, staff, number, attachment_id)
        return given

    async def _audit(
        self, session: AsyncSession, staff: Principal, number: str, attachment_id: str
    ) -> None:
        await audit.record(
            session,
            actor=f"staff:{staff.staff_id}",
            action="file_downloaded",
            subject=f"ticket:{number}",
            detail={"attachment_id": attachment_id},
            now=self.clock(),
        )

    def _given(
        self, row: Attachment | None, attachment_id: str, conversation_id: str | None
    ) -> Given:
        if row is None or row.conversation_id != conversation_id:
            raise AttachmentNotFound(attachment_id)
        path = media_path(self.intake.folder, row.sha256, SUFFIX)
        if row.removed_at is not None:
            raise AttachmentGone(attachment_id)
        if not path.is_file():
            log.error("attachment_missing", attachment_id=attachment_id)
            raise AttachmentGone(attachment_id)
        return Given(path, row.name, row.media_type)

    def _enclosed(self, upload: Upload, file: StoredFile) -> Enclosure:
        limit = self.intake.settings.max_per_conversation
        return enclose(file, captioned=bool(upload.text), limit=limit)

    def _check(self, upload: Upload) -> None:
        if len(upload.text) > self.max_chars:
            raise MessageTooLong(self.max_chars)

    def _said(self, upload: Upload, kind: Kind, name: str) -> str:
        """The words of the message: the sender's, or what can be read where no file is shown."""
        if upload.text:
            return upload.text
        return self.phrases.say(
            "attachment.said.picture" if kind.is_picture else "attachment.said.file", name=name
        )
