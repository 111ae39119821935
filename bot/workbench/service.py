"""The editors' side of answers: reading them, the verbs by role, and what each sets going.

Refuses to know pages; the rules of an answer's life are in `kb.answer_editing`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from bot.accounts.service import DESK_ROLES, Principal
from bot.clock import Clock
from bot.saved_views.service import ViewRoles
from bot.tables import Role
from bot.workbench.publishing import Publishing
from kb import answer_editing as editing
from kb import answer_repository as rows
from kb import guide_repository, repository
from kb.answer_editing import Done, Step
from kb.answer_files import keep_file, kind_of
from kb.answer_pictures import keep_picture
from kb.answer_repository import Wanted
from kb.answer_tables import AnswerCommentRow, AnswerVersionRow, AnswerWorkRow
from kb.answer_text import AnswerText
from kb.answer_versions import Author, article_text
from kb.answer_workflow import AnswerState, AnswerVerb
from kb.errors import AnswerInvalid, AnswerMissing
from kb.guide_repository import NamedSection
from kb.question_thefts import Fresh, Theft, Thefts, thefts, thefts_of
from kb.service import indexed_text
from kb.tables import ArticleRow, Status
from store import audit
from store.session import Database

#: Who writes answers, who decides on them, and who may look at everything.
EDITING_ROLES = (Role.EDITOR, Role.REVIEWER)
REVIEWING_ROLES = (Role.REVIEWER,)
LOOKING_ROLES = (*EDITING_ROLES, *DESK_ROLES, Role.MANAGER)
#: Only editors share views of the answers with others; reviewers clear them up.
ANSWER_VIEWS = ViewRoles(LOOKING_ROLES, EDITING_ROLES, (Role.REVIEWER,))
#: Rows of the short lists on the first page.
SHORT = 8
#: How long what went live by its date is shown there.
RECENT = timedelta(days=7)
_BY_DATE = f"answer.{AnswerVerb.PUBLISH_DUE.value}"
#: Stands for an answer that has no id yet while its questions are tried.
UNSAVED = "unsaved"


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of the list."""

    article: ArticleRow
    work: AnswerWorkRow | None

    @property
    def state(self) -> AnswerState:
        """Where its newest version stands."""
        return AnswerState(self.work.state if self.work else self.article.status)

    @property
    def updated_at(self) -> datetime:
        """When it was last worked on."""
        return self.work.updated_at if self.work else self.article.updated_at

    @property
    def is_live(self) -> bool:
        """Whether users are shown a version of it."""
        return self.article.status == Status.PUBLISHED


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer with everything about it; versions newest first."""

    listed: Listed
    text: AnswerText
    versions: Sequence[AnswerVersionRow]
    comments: Sequence[AnswerCommentRow]

    @property
    def seen(self) -> int:
        """What a verb must name as the version that was seen."""
        return self.listed.work.version if self.listed.work else 0

    @property
    def head(self) -> int:
        """The newest version's number."""
        return self.listed.work.head if self.listed.work else 0


@dataclass(frozen=True, slots=True)
class Overview:
    """What there is to do."""

    counts: dict[str, int]
    held_back: Sequence[Listed]
    by_date: Sequence[tuple[Listed, datetime]]
    in_review: Sequence[Listed]
    drafts: Sequence[Listed]
    published: Sequence[Listed]


@dataclass(frozen=True, slots=True)
class Choices:
    """Values that answers have, for narrowing the list and for filling in."""

    modules: Sequence[str]
    owners: Sequence[str]
    years: Sequence[int]
    audiences: Sequence[str]


class Workbench:
    """Answers as editors and reviewers work on them."""

    def __init__(
        self,
        database: Database,
        publishing: Publishing,
        clock: Clock,
        *,
        media_dir: Path,
        own_review: bool,
    ) -> None:
        self._database = database
        self._publishing = publishing
        self._clock = clock
        self._media_dir = media_dir
        self._own_review = own_review

    async def overview(self, staff: Principal) -> Overview:
        """The first page's lists."""
        staff.require(*LOOKING_ROLES)
        async with self._database.reading() as session:
            return Overview(
                counts=await rows.counts(session),
                held_back=[Listed(*one) for one in await rows.held_back(session, limit=SHORT)],
                by_date=await _gone_live(session, self._clock() - RECENT),
                in_review=await _list(session, Wanted(state="in_review", oldest_first=True)),
                drafts=await _list(session, Wanted(state="draft")),
                published=await _list(session, Wanted(state="published")),
            )

    async def answers(self, staff: Principal, wanted: Wanted) -> Sequence[Listed]:
        """A page of the list."""
        staff.require(*LOOKING_ROLES)
        async with self._database.reading() as session:
            return [Listed(*row) for row in await rows.listed(session, wanted)]

    async def choices(self, staff: Principal) -> Choices:
        """What the list can be narrowed by."""
        staff.require(*LOOKING_ROLES)
        async with self._database.reading() as session:
            return Choices(
                modules=await rows.modules(session),
                owners=await rows.owners(session),
                years=await rows.fiscal_years(session),
                audiences=await rows.audiences(session),
            )

    async def answer(self, staff: Principal, article_id: str) -> Whole:
        """One answer with versions and comments; raises AnswerMissing."""
        staff.require(*LOOKING_ROLES)
        async with self._database.reading() as session:
            article = await repository.article(session, article_id)
            if article is None:
                raise AnswerMissing(article_id)
            work = await rows.work(session, article_id)
            head = await rows.version(session, article_id, work.head) if work else None
            text = await article_text(session, article, owner=work.owner if work else "")
            return Whole(
                listed=Listed(article, work),
                text=AnswerText.from_json(head.content) if head else text,
                versions=await rows.versions(session, article_id),
                comments=await rows.comments(session, article_id),
            )

    async def take_up(
        self, staff: Principal, article_id: str, *, take_over: bool = False
    ) -> AnswerWorkRow:
        """Hold the answer for editing; raises AnswerLocked while somebody else does."""
        staff.require(*EDITING_ROLES)
        step = self._step(staff, article_id, 0)
        async with self._database.transaction() as session:
            return (await editing.lock(session, step, take_over=take_over)).work

    async def put_down(self, staff: Principal, article_id: str) -> None:
        """Stop holding it."""
        staff.require(*EDITING_ROLES)
        async with self._database.transaction() as session:
            await editing.release(session, self._step(staff, article_id, 0))

    async def sections(self, staff: Principal, words: str) -> Sequence[NamedSection]:
        """Sections of guides that an answer can be drawn from, found by words."""
        staff.require(*EDITING_ROLES)
        async with self._database.reading() as session:
            return await guide_repository.sections_named(session, words)

    async def section(self, section_id: str) -> NamedSection | None:
        """One section of a guide, by what people call it."""
        async with self._database.glance() as session:
            return await guide_repository.section_named(session, section_id)

    async def create(self, staff: Principal, text: AnswerText) -> Done:
        """A new draft. Raises AnswerInvalid."""
        staff.require(*EDITING_ROLES)
        async with self._database.transaction() as session:
            await _require_section(session, text)
            return await editing.create(session, text, author(staff), now=self._clock())

    async def save(
        self, staff: Principal, article_id: str, seen: int, text: AnswerText, note: str = ""
    ) -> Done:
        """Keep a new version."""
        staff.require(*EDITING_ROLES)
        step = self._step(staff, article_id, seen, note)
        async with self._database.transaction() as session:
            await _require_section(session, text)
            return await editing.save(session, step, text)

    async def act(
        self, staff: Principal, verb: str, article_id: str, seen: int, note: str = ""
    ) -> Done:
        """Submit, withdraw, send_back or archive; raises KeyError for any other verb."""
        roles, function = _VERBS[verb]
        staff.require(*roles)
        async with self._database.transaction() as session:
            done = await function(session, self._step(staff, article_id, seen, note))
        return await self._told(done)

    async def approve(
        self, staff: Principal, article_id: str, seen: int, *, publish_at: datetime | None = None
    ) -> Done:
        """Publish, now or at that moment."""
        staff.require(*REVIEWING_ROLES)
        step = self._step(staff, article_id, seen)
        async with self._database.transaction() as session:
            done = await editing.approve(
                session, step, allow_own=self._own_review, publish_at=publish_at
            )
        return await self._told(done)

    async def roll_back(self, staff: Principal, article_id: str, seen: int, number: int) -> Done:
        """Bring an older version back."""
        staff.require(*EDITING_ROLES)
        step = self._step(staff, article_id, seen)
        may_publish = staff.may(*REVIEWING_ROLES)
        async with self._database.transaction() as session:
            done = await editing.roll_back(session, step, number, may_publish=may_publish)
        return await self._told(done)

    async def comment(self, staff: Principal, article_id: str, note: str) -> None:
        """Say something to the author."""
        staff.require(*EDITING_ROLES)
        async with self._database.transaction() as session:
            await editing.comment(session, self._step(staff, article_id, 0, note))

    async def keep_picture(self, staff: Principal, content: bytes, name: str) -> str:
        """Keep a pasted picture; its hash."""
        staff.require(*EDITING_ROLES)
        async with self._database.transaction() as session:
            return await keep_picture(
                session, content, name=name, media_dir=self._media_dir, now=self._clock()
            )

    async def keep_file(self, staff: Principal, content: bytes, name: str) -> str:
        """Keep a file that goes with an answer; the mark to put there. Raises AnswerInvalid."""
        staff.require(*EDITING_ROLES)
        await asyncio.to_thread(kind_of, content, name)  # Long for a large file: no lock yet.
        async with self._database.transaction() as session:
            return await keep_file(
                session, content, name=name, media_dir=self._media_dir, now=self._clock()
            )

    async def thefts(self, article_id: str, text: AnswerText, fresh: Sequence[str]) -> list[Theft]:
        """What these new questions of the text would take from other answers."""
        answer = indexed_text(article_id or UNSAVED, text)
        return await asyncio.to_thread(thefts, self._publishing.index, answer, fresh)

    async def thefts_of(self, changed: Sequence[Fresh]) -> Thefts:
        """The same for a table of answers that change together."""
        return await asyncio.to_thread(thefts_of, self._publishing.index, changed)

    def _step(self, staff: Principal, article_id: str, seen: int, note: str = "") -> Step:
        return Step(article_id, seen, author(staff), self._clock(), note)

    async def _told(self, done: Done) -> Done:
        if done.is_live_changed:
            await self._publishing.refresh([done.article_id])
        return done


def author(staff: Principal) -> Author:
    """The account as the author of a version."""
    return Author(staff.staff_id, staff.name)


async def _require_section(session: AsyncSession, text: AnswerText) -> None:
    """An answer names a section that there is, or none."""
    section_id = text.source_section_id
    if section_id and await guide_repository.section(session, section_id) is None:
        raise AnswerInvalid("source_section_id", "unknown")


async def _gone_live(session: AsyncSession, since: datetime) -> list[tuple[Listed, datetime]]:
    """What the clock has published, and when; the latest first."""
    told = audit.Wanted(actions=[_BY_DATE], since=since)
    entries = await audit.newest(session, told, limit=SHORT)
    ids = [entry.subject.removeprefix("answer:") for entry in entries]
    known = {one[0].id: Listed(*one) for one in await rows.named(session, ids)}
    found = zip(ids, entries, strict=True)
    return [(known[one], entry.at) for one, entry in found if one in known]


async def _list(session: AsyncSession, wanted: Wanted) -> list[Listed]:
    found = await rows.listed(session, wanted)
    return [Listed(*row) for row in found[:SHORT]]


_VERBS = {
    "submit": (EDITING_ROLES, editing.submit),
    "withdraw": (EDITING_ROLES, editing.withdraw),
    "send_back": (REVIEWING_ROLES, editing.send_back),
    "archive": (REVIEWING_ROLES, editing.archive),
}
VERBS = frozenset(_VERBS)
#: How far ahead a publication may be set.
FARTHEST = timedelta(days=366)
