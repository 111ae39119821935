"""The editors' side of doubts: what is in doubt and why, a person's word, release notes.

Refuses to know pages; when a doubt arises or is settled is decided in `kb.stale`.
"""

import asyncio
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.accounts.service import Principal
from bot.clock import Clock
from bot.importing import FileReader
from bot.settings import data_dir
from bot.workbench.publishing import Publishing
from bot.workbench.service import EDITING_ROLES, LOOKING_ROLES, author
from kb import guide_repository, repository, stale, stale_release
from kb import stale_repository as rows
from kb.errors import AnswerMissing, IndexMissing
from kb.guide_difference import ParagraphChange, paragraph_changes
from kb.lexicon import load_lexicon
from kb.normalise import Normaliser
from kb.section_matching import SectionText, bare
from kb.sections import FaqTable, block_text
from kb.stale_release import Known, Proposal
from kb.stale_tables import ReleaseNoteRow, StaleMarkRow
from kb.tables import ArticleRow, GuideRow
from store.session import Database

log = structlog.get_logger("bot.staleness")


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why one answer may be wrong, with what its source said and says, where there is one."""

    mark: StaleMarkRow
    guide: GuideRow | None
    old: SectionText | None
    new: SectionText | None
    note: ReleaseNoteRow | None
    changes: Sequence[ParagraphChange]

    @property
    def pictures_changed(self) -> bool:
        """Whether the section shows other pictures now."""
        if self.old is None or self.new is None:
            return False
        return set(self.old.pictures) != set(self.new.pictures)


class Staleness:
    """Answers in doubt."""

    def __init__(
        self,
        database: Database,
        publishing: Publishing,
        clock: Clock,
        reader: Callable[[], FileReader],
    ) -> None:
        self._database = database
        self._publishing = publishing
        self._clock = clock
        self._reader = reader

    async def count(self, staff: Principal) -> int:
        """How many answers in use are in doubt."""
        staff.require(*LOOKING_ROLES)
        async with self._database.reading() as session:
            return await rows.count_doubted(session)

    async def doubted(self, staff: Principal, article_ids: Sequence[str]) -> set[str]:
        """Those of the answers that are in doubt."""
        staff.require(*LOOKING_ROLES)
        async with self._database.reading() as session:
            return await rows.doubted(session, article_ids)

    async def doubts(self, staff: Principal, article_id: str) -> Sequence[Doubt]:
        """Every open reason to look at the answer again, the newest first."""
        staff.require(*LOOKING_ROLES)
        async with self._database.reading() as session:
            return [await _doubt(session, one) for one in await rows.marks(session, article_id)]

    async def still_right(self, staff: Principal, article_id: str, note: str) -> int:
        """Somebody has looked: nothing needs to change. AnswerMissing, AnswerInvalid."""
        staff.require(*EDITING_ROLES)
        async with self._database.transaction() as session:
            if await repository.article(session, article_id) is None:
                raise AnswerMissing(article_id)
            who = author(staff)
            settled = await stale.still_right(session, article_id, who, note, now=self._clock())
        log.info("answer_still_right", article=article_id, doubts=settled)
        return settled

    async def proposals(self, staff: Principal, note: str) -> Sequence[Proposal]:
        """Answers that a release note may concern."""
        staff.require(*EDITING_ROLES)
        async with self._database.reading() as session:
            articles = await rows.in_use(session)
            similar = await repository.similar_questions(session, [one.id for one in articles])
            headings = await guide_repository.published_headings(session)
            where = await rows.source_paths(session)
        known = [_known(one, similar, where) for one in articles]
        return await asyncio.to_thread(
            self._propose, note[: stale_release.MAX_NOTE], known, headings
        )

    async def note_of_file(self, staff: Principal, name: str, content: IO[bytes]) -> str:
        """What a release note says that came as a file; raises ImportRefused."""
        staff.require(*EDITING_ROLES)
        return await asyncio.to_thread(_read, self._reader(), name, content)

    async def flag(
        self, staff: Principal, *, name: str, note: str, chosen: Sequence[str]
    ) -> ReleaseNoteRow:
        """Keep the note and doubt the chosen answers. AnswerInvalid."""
        found = {one.answer.article_id: one.line for one in await self.proposals(staff, note)}
        picked = {article_id: found[article_id] for article_id in chosen if article_id in found}
        async with self._database.transaction() as session:
            row = await stale_release.flag(
                session,
                name=name,
                note=note,
                chosen=picked,
                who=author(staff),
                now=self._clock(),
            )
        log.info("release_note_flagged", note=row.id, answers=len(picked))
        return row

    async def notes(self, staff: Principal) -> Sequence[ReleaseNoteRow]:
        """The newest release notes."""
        staff.require(*LOOKING_ROLES)
        async with self._database.reading() as session:
            return await rows.release_notes(session)

    def _propose(
        self, note: str, known: Sequence[Known], headings: Sequence[str]
    ) -> Sequence[Proposal]:
        try:
            normaliser = self._publishing.index.current().normaliser
        except IndexMissing:
            normaliser = Normaliser(load_lexicon(data_dir() / "lexicon"))
        names = {*map(bare, headings), *normaliser.lexicon.terms}
        return stale_release.proposals(note, known, names, normaliser.text)


def _known(
    article: ArticleRow,
    similar: Mapping[str, tuple[str, ...]],
    where: Mapping[str, tuple[str, ...]],
) -> Known:
    return Known(
        article.id,
        article.question,
        article.module,
        similar.get(article.id, ()),
        where.get(article.id, ()),
    )


def _read(reader: FileReader, name: str, content: IO[bytes]) -> str:
    with TemporaryDirectory() as folder, closing(reader) as importer:
        path = Path(folder) / "note"
        with path.open("wb") as file:
            shutil.copyfileobj(content, file)
        read = importer.read(path, name=name)
    if isinstance(read, FaqTable):
        lines = [f"{entry.question} {entry.answer}" for entry in read.entries]
    else:
        lines = [read.title]
        for _, section in read.walk():
            lines += [section.heading, *map(block_text, section.blocks)]
    return "\n".join(line for line in lines if line)[: stale_release.MAX_NOTE]


async def _doubt(session: AsyncSession, mark: StaleMarkRow) -> Doubt:
    old = await stale.section_by_id(session, mark.old_section_id)
    new = await stale.section_by_id(session, mark.new_section_id)
    guide = await guide_repository.guide(session, mark.guide_id) if mark.guide_id else None
    note = await rows.release_note(session, mark.note_id) if mark.note_id else None
    changes = paragraph_changes(old.paragraphs, new.paragraphs) if old and new else ()
    return Doubt(mark, guide, old, new, note, changes)
