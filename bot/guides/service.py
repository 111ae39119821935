"""The editors' side of guides: reading them, comparing versions, publishing, describing, drafting.

Refuses to know pages; what a new version means for answers is decided in `kb.stale`.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.accounts.service import Principal
from bot.clock import Clock
from bot.golden.service import Golden
from bot.workbench.publishing import Publishing
from bot.workbench.service import EDITING_ROLES, LOOKING_ROLES, REVIEWING_ROLES, author
from kb import answer_editing, stale_repository
from kb import guide_repository as rows
from kb.errors import GuideMissing
from kb.guide_draft import draft_of_section
from kb.guide_facts import GuideFacts, set_facts
from kb.guide_repository import ListedGuide
from kb.guide_sections import by_section, section_texts
from kb.guide_store import publish_version, withdraw_version
from kb.section_matching import Fate, SectionMatch, match_sections
from kb.stale_ahead import gather, reckon
from kb.tables import ArticleRow, GuideRow, GuideSectionRow, GuideVersionRow, PassageRow, Status
from store import audit
from store.session import Database

log = structlog.get_logger("bot.guides")


@dataclass(frozen=True, slots=True)
class OpenedSection:
    """A section of the shown version, with the answers drawn from it or its earlier self."""

    row: GuideSectionRow
    passages: Sequence[PassageRow]
    answers: Sequence[ArticleRow]


@dataclass(frozen=True, slots=True)
class OpenedGuide:
    """A guide with one version of it open; `versions` newest first, `doubted` answer ids."""

    guide: GuideRow
    versions: Sequence[GuideVersionRow]
    shown: GuideVersionRow
    sections: Sequence[OpenedSection]
    doubted: frozenset[str]

    @property
    def published(self) -> GuideVersionRow | None:
        """The version that answers now."""
        return next((one for one in self.versions if one.status == Status.PUBLISHED), None)


@dataclass(frozen=True, slots=True)
class GuideChanges:
    """What became of every section from one version to another, and the answers concerned."""

    guide: GuideRow
    versions: Sequence[GuideVersionRow]
    old: GuideVersionRow
    new: GuideVersionRow
    matches: Sequence[SectionMatch]
    answers: Mapping[str, Sequence[ArticleRow]]
    doubted: frozenset[str]

    @property
    def counts(self) -> Mapping[Fate, int]:
        """How many sections met each fate."""
        return Counter(match.fate for match in self.matches)


class Guides:
    """Operation guides as editors and reviewers work on them."""

    def __init__(
        self, database: Database, publishing: Publishing, golden: Golden, clock: Clock
    ) -> None:
        self._database = database
        self._publishing = publishing
        self._golden = golden
        self._clock = clock

    async def listed(self, staff: Principal, text: str) -> Sequence[ListedGuide]:
        """Guides whose title has all the words."""
        staff.require(*LOOKING_ROLES)
        async with self._database.reading() as session:
            return await rows.listed(session, text)

    async def opened(self, staff: Principal, guide_id: str, number: int = 0) -> OpenedGuide:
        """A guide; without a number the version that answers, or the newest. GuideMissing."""
        staff.require(*LOOKING_ROLES)
        async with self._database.reading() as session:
            guide, versions = await _guide(session, guide_id)
            published = (one for one in versions if one.status == Status.PUBLISHED)
            chosen = number or next(published, versions[0]).number
            shown = _version(versions, chosen)
            sections = await rows.sections(session, shown.id)
            passages = by_section(await rows.passages(session, shown.id))
            answers = await _answers(session, guide_id)
            return OpenedGuide(
                guide=guide,
                versions=versions,
                shown=shown,
                sections=[
                    OpenedSection(one, passages.get(one.id, ()), answers.get(one.id, ()))
                    for one in sections
                ],
                doubted=await _doubted(session, answers),
            )

    async def changes(
        self, staff: Principal, guide_id: str, *, old: int = 0, new: int = 0
    ) -> GuideChanges:
        """From one version to another; without numbers, to the newest from the one before."""
        staff.require(*LOOKING_ROLES)
        async with self._database.reading() as session:
            guide, versions = await _guide(session, guide_id)
            after = _version(versions, new or versions[0].number)
            earlier = [one for one in versions if one.number < after.number]
            live = [one for one in earlier if one.published_at is not None]
            default = next(iter(live or earlier), after).number
            before = _version(versions, old or default)
            matches = await asyncio.to_thread(
                match_sections,
                await section_texts(session, before.id),
                await section_texts(session, after.id),
            )
            answers = await _answers(session, guide_id)
            doubted = await _doubted(session, answers)
            return GuideChanges(guide, versions, before, after, matches, answers, doubted)

    async def publish(
        self, staff: Principal, guide_id: str, number: int, override: str = ""
    ) -> int:
        """Answer from this version from now on; how many answers are newly in doubt.

        Raises GoldenGateClosed unless there is a reason to publish all the same.
        """
        staff.require(*REVIEWING_ROLES)
        async with self._database.reading() as session:
            _, versions = await _guide(session, guide_id)
            wanted = _version(versions, number)
            gathered = await gather(session, wanted)
        if wanted.status != Status.PUBLISHED:
            await self._golden.pass_guide(author(staff), wanted.id, override)
        ahead = await asyncio.to_thread(reckon, gathered)
        async with self._database.transaction() as session:
            _, versions = await _guide(session, guide_id, lock=True)
            version = _version(versions, number)
            if version.status == Status.PUBLISHED:
                return 0  # Somebody was faster.
            raised = await publish_version(session, version, now=self._clock(), ahead=ahead)
            await self._audit(session, staff, guide_id, "published", number=number, raised=raised)
        await self._publishing.reconcile()
        log.info("guide_published", guide=guide_id, version=number, doubted=raised)
        return raised

    async def withdraw(self, staff: Principal, guide_id: str) -> int:
        """Answer from it no longer; how many answers are newly in doubt."""
        staff.require(*REVIEWING_ROLES)
        async with self._database.transaction() as session:
            _, versions = await _guide(session, guide_id, lock=True)
            live = next((one for one in versions if one.status == Status.PUBLISHED), None)
            if live is None:
                return 0
            raised = await withdraw_version(session, live, now=self._clock())
            number = live.number
            await self._audit(session, staff, guide_id, "withdrawn", number=number, raised=raised)
        await self._publishing.reconcile()
        log.info("guide_withdrawn", guide=guide_id, doubted=raised)
        return raised

    async def describe(
        self, staff: Principal, guide_id: str, number: int, facts: GuideFacts
    ) -> None:
        """Say when, where and for whom a version holds. GuideMissing, GuideInvalid."""
        staff.require(*EDITING_ROLES)
        async with self._database.transaction() as session:
            _, versions = await _guide(session, guide_id, lock=True)
            version = _version(versions, number)
            changed = await set_facts(session, version.id, facts, author(staff), now=self._clock())
        if changed and version.status == Status.PUBLISHED:
            await self._publishing.reconcile()

    async def draft(self, staff: Principal, guide_id: str, section_id: str) -> str:
        """Begin an answer with a section's words; its id. GuideMissing, GuideInvalid."""
        staff.require(*EDITING_ROLES)
        async with self._database.transaction() as session:
            guide, versions = await _guide(session, guide_id)
            section = await rows.section(session, section_id)
            version = next((v for v in versions if section and v.id == section.version_id), None)
            if section is None or version is None:
                raise GuideMissing(guide_id, section_id)
            passages = await rows.passages_of_section(session, section_id)
            text = draft_of_section(guide, version, section, passages)
            done = await answer_editing.create(session, text, author(staff), now=self._clock())
            return done.article_id

    async def _audit(
        self,
        session: AsyncSession,
        staff: Principal,
        guide_id: str,
        action: str,
        *,
        number: int,
        raised: int,
    ) -> None:
        await audit.record(
            session,
            actor=f"staff:{staff.staff_id}",
            action=f"guide.{action}",
            subject=f"guide:{guide_id}",
            detail={"version": number, "answers_in_doubt": raised},
            now=self._clock(),
        )


async def _guide(
    session: AsyncSession, guide_id: str, *, lock: bool = False
) -> tuple[GuideRow, Sequence[GuideVersionRow]]:
    guide = await rows.guide(session, guide_id, lock=lock)
    versions = await rows.versions(session, guide_id)
    if guide is None or not versions:
        raise GuideMissing(guide_id)
    return guide, versions


def _version(versions: Sequence[GuideVersionRow], number: int) -> GuideVersionRow:
    found = next((one for one in versions if one.number == number), None)
    if found is None:
        raise GuideMissing(versions[0].guide_id, str(number))
    return found


async def _doubted(
    session: AsyncSession, answers: Mapping[str, Sequence[ArticleRow]]
) -> frozenset[str]:
    ids = list({one.id for some in answers.values() for one in some})
    return frozenset(await stale_repository.doubted(session, ids))


async def _answers(session: AsyncSession, guide_id: str) -> Mapping[str, Sequence[ArticleRow]]:
    """Answers by the section that their source stands in now, and by the one they name."""
    found: dict[str, list[ArticleRow]] = {}
    for article, _, section in await stale_repository.sources_in_guide(session, guide_id):
        if article.status == Status.ARCHIVED:
            continue
        for section_id in {section.id, article.source_section_id or section.id}:
            found.setdefault(section_id, []).append(article)
    return found
