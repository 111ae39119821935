"""A table of questions uploaded on a page goes through the review of two people."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.accounts.service import Principal
from bot.guides.imports import GuideImports, Upload
from bot.tables import Role
from bot.workbench.publishing import Publishing
from bot.workspace import Workspace
from kb import answer_editing as editing
from kb import answer_repository, repository
from kb.answer_editing import Step
from kb.answer_repository import Wanted
from kb.answer_versions import Author
from kb.answers import load_corpus
from kb.errors import AnswerOwnReview
from kb.fresh_index import FreshIndex
from kb.index_holder import IndexHolder
from kb.sections import FaqEntry, FaqTable, Guide
from kb.settings import KnowledgeSettings
from store import audit
from store.session import Database
from tests.kb.samples import NOW

REVIEWER = Principal("reviewer", "reviewer", "梁审核", "", Role.REVIEWER, (), (), "", False)
EDITOR = Principal("editor", "editor", "何编辑", "", Role.EDITOR, (), (), "", False)
OTHER = Author("other", "吴审核")
ENTRIES = (
    FaqEntry("怎么撤回送审", "1. 点【撤回】。", similar=("撤销送审",), ref="A1", kind="answer"),
    FaqEntry("怎么打印凭证", "1. 点【打印】。", ref="A2", kind="answer"),
)


@dataclass
class Written:
    """A reader of tables that were written for a test."""

    tables: list[FaqTable]

    def read(self, path: Path, *, name: str | None = None) -> Guide | FaqTable:
        return self.tables.pop(0)

    def interrupt(self) -> None:
        return None

    def close(self) -> None:
        return None


@dataclass
class Place:
    """A workspace whose uploads are tables."""

    home: Path
    database: Database
    url: str

    async def upload(
        self,
        *entries: FaqEntry,
        who: Principal = REVIEWER,
        publish: bool = True,
        own_review: bool = False,
    ) -> dict[str, int]:
        """What became of the entries."""
        index = FreshIndex(
            self.home, IndexHolder(self.home, KnowledgeSettings()), refresh_seconds=1
        )
        reader = Written([FaqTable("常见问答", tuple(entries))])
        imports = GuideImports(
            self.database,
            self.url,
            Publishing(self.database, index, lambda: NOW),
            Workspace(self.home),
            lambda: NOW,
            reader=lambda: reader,
            own_review=own_review,
        )
        job = await imports.begin(who, [Upload("问答.csv", io.BytesIO(b"x"))], publish=publish)
        await imports.settle()
        [file] = (await imports.seen(who, job)).files
        assert file.status in ("imported", "unchanged")
        return dict(file.record["fates"])

    async def answered(self) -> dict[str, str]:
        """What users are answered from, by question."""
        async with self.database.reading() as session:
            return {one.title: one.text for one in (await load_corpus(session)).answers}

    async def waiting(self) -> Sequence[str]:
        """Ids of the answers that wait for a reviewer."""
        async with self.database.reading() as session:
            rows = await answer_repository.listed(session, Wanted(state="in_review"))
        return [article.id for article, _ in rows]

    async def approve(self, who: Author = OTHER) -> None:
        """Everything that waits."""
        for article_id in await self.waiting():
            async with self.database.transaction() as session:
                work = await answer_repository.work(session, article_id)
                assert work is not None
                step = Step(article_id, work.version, who, NOW)
                await editing.approve(session, step, allow_own=False)


@pytest.fixture
def place(database: Database, tables_url: str, tmp_path: Path) -> Place:
    return Place(tmp_path / "home", database, tables_url)


async def test_enabled_at_once_waits_for_another_reviewer(place: Place) -> None:
    assert await place.upload(*ENTRIES) == {"submitted": 2}
    assert await place.answered() == {}
    with pytest.raises(AnswerOwnReview):
        await place.approve(Author("reviewer", "梁审核"))
    await place.approve()
    assert set(await place.answered()) == {"怎么撤回送审", "怎么打印凭证"}


async def test_an_editor_only_makes_drafts(place: Place) -> None:
    assert await place.upload(*ENTRIES, who=EDITOR, publish=False) == {"drafted": 2}
    assert await place.waiting() == []
    assert await place.upload(*ENTRIES, who=EDITOR, publish=False) == {"unchanged": 2}
    assert await place.upload(*ENTRIES) == {"submitted": 2}


async def test_alone_one_publishes_at_once_and_the_audit_says_so(place: Place) -> None:
    assert await place.upload(*ENTRIES, own_review=True) == {"published": 2}
    assert len(await place.answered()) == 2
    async with place.database.reading() as session:
        for row in await repository.articles_of_source(session, "问答.csv"):
            told = await audit.entries_of(session, f"answer:{row.id}")
            [approval] = [one for one in told if one.action == "answer.approve"]
            assert approval.detail["own_review"]


async def test_a_changed_table_changes_nothing_that_users_see_before_review(place: Place) -> None:
    await place.upload(*ENTRIES)
    await place.approve()
    changed = (replace(ENTRIES[0], answer="1. 现在点【收回】。"), FaqEntry("怎么盖章", "线下。"))
    assert await place.upload(*changed) == {"submitted": 2, "archived": 1}
    assert await place.answered() == {"怎么撤回送审": "1. 点【撤回】。"}
    await place.approve()
    assert (await place.answered())["怎么撤回送审"] == "1. 现在点【收回】。"
    async with place.database.reading() as session:
        rows = await repository.articles_of_source(session, "问答.csv")
    assert len(rows) == 3


async def test_what_is_gone_from_an_editors_table_stays_and_is_told(place: Place) -> None:
    await place.upload(*ENTRIES)
    await place.approve()
    fates = await place.upload(ENTRIES[0], who=EDITOR, publish=False)
    assert fates == {"unchanged": 1, "left": 1}
    assert len(await place.answered()) == 2


async def test_what_is_in_review_or_held_by_somebody_is_left_alone(place: Place) -> None:
    await place.upload(*ENTRIES)
    changed = tuple(replace(one, answer="别的") for one in ENTRIES)
    assert await place.upload(*changed) == {"busy": 2}
    await place.approve()
    async with place.database.transaction() as session:
        [first, *_] = await repository.articles_of_source(session, "问答.csv")
        await editing.lock(session, Step(first.id, 0, Author("x", "别人"), NOW))
    assert await place.upload(*changed) == {"busy": 1, "submitted": 1}


async def test_an_entry_that_cannot_be_kept_holds_up_no_other(place: Place) -> None:
    broken = (FaqEntry("没有答案的", ""), FaqEntry("长" * 501, "答"))
    assert await place.upload(*broken, *ENTRIES) == {"refused": 2, "submitted": 2}
