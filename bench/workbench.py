"""How long editors wait for each page with 20,000 answers.

``python -m bench workbench HOME`` copies a prepared workspace, adds answers with similar questions
and work on them until there are as many as wanted, and asks for every page over HTTP, one after
another, as an editor.
"""

import argparse
import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from bot import migrate
from bot.accounts.service import add_staff
from bot.app import create_app
from bot.assembly import assemble
from bot.settings import Settings
from bot.tables import Role
from kb import repository
from kb.answer_tables import AnswerVersionRow, AnswerWorkRow
from kb.answer_text import AnswerText
from kb.tables import ArticleRow, SimilarQuestionRow
from store.base import new_id
from store.session import Database

PASSWORD = "only for the benchmark"  # of a copy that is thrown away
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
#: Rounds that count, and those before that fill caches.
ROUNDS, WARMING = 40, 3
STATES = ("published", "published", "published", "draft", "in_review")


def _rows(count: int) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """Articles, where they stand, and their newest versions."""
    for number in range(count):
        article_id, state = new_id(), STATES[number % len(STATES)]
        at = NOW - timedelta(minutes=number)
        text = AnswerText(
            question=f"第{number}号业务的支付申请送审后怎么撤回",
            answer="1. 进入【支付管理】。\n2. 选中单据，点击【撤销送审】。\n" * 6,
            similar=tuple(f"{number}号单据{form}拿回来重改" for form in "甲乙丙丁戊"),
            module=f"模块{number % 40}",
            category="操作咨询",
            owner=f"编辑{number % 12}",
            fiscal_year=2020 + number % 8,
            audience=("预算单位",) if number % 3 else (),
        )
        article = {
            "id": article_id,
            **{name: getattr(text, name) for name in ("question", "answer", "module", "category")},
            "ref": f"B{number}",
            "kind": "answer",
            "status": "published" if state == "published" else "draft",
            "regions": [],
            "fiscal_year": text.fiscal_year,
            "audience": "\n".join(text.audience),
            "source_name": "bench",
            "source_title": "操作指南",
            "created_at": at,
            "updated_at": at,
        }
        work = {
            "article_id": article_id,
            "state": state,
            "version": 1,
            "head": 1,
            "live": 1 if state == "published" else None,
            "held": 1,
            "owner": text.owner,
            "locked_by": "",
            "updated_at": at,
        }
        version = {
            "id": new_id(),
            "article_id": article_id,
            "number": 1,
            "content": text.to_json(),
            "author_id": "bench",
            "author": text.owner,
            "note": "",
            "created_at": at,
        }
        yield article, work, version


async def fill(database: Database, count: int) -> str:
    """Add the answers and an editor; the id of one answer."""
    made = list(_rows(count))
    similar = [
        {"id": new_id(), "article_id": article["id"], "text": text, "position": position}
        for article, _, version in made
        for position, text in enumerate(version["content"]["similar"])
    ]
    tables = ((ArticleRow, 0), (AnswerWorkRow, 1), (AnswerVersionRow, 2))
    async with database.transaction() as session:
        await add_staff(
            session, username="bench", password=PASSWORD, role=Role.REVIEWER, now=NOW, name="编辑1"
        )
        for table, place in tables:
            for start in range(0, count, 500):
                rows = [one[place] for one in made[start : start + 500]]
                await repository.insert_rows(session, table, rows)
        for start in range(0, len(similar), 2_000):
            await repository.insert_rows(
                session, SimilarQuestionRow, similar[start : start + 2_000]
            )
    return str(made[count // 2][0]["id"])


def pages(article_id: str) -> dict[str, str]:
    """What editors open, by name."""
    answers = "/workbench/answers"
    return {
        "home": "/workbench",
        "answers": answers,
        "answers, oldest first": f"{answers}?sort=oldest",
        "answers by state": f"{answers}?state=in_review",
        "answers by module and owner": f"{answers}?module=模块7&owner=编辑7",
        "answers by words": f"{answers}?q=撤回 19999",
        "answers by year and audience": f"{answers}?year=2026&audience=预算单位",
        "answers in doubt": f"{answers}?stale=1",
        "review": "/workbench/review",
        "answer": f"{answers}/{article_id}",
        "editor": f"{answers}/{article_id}/edit",
        "versions": f"{answers}/{article_id}/versions",
        "guides": "/workbench/guides",
        "gaps": "/workbench/gaps",
        "golden questions": "/workbench/golden",
        "lexicon": "/workbench/lexicon",
        "quality": "/workbench/quality",
        "try": "/workbench/try?q=支付申请送审后怎么撤回",
    }


async def measure(home: Path, count: int) -> dict[str, dict[str, float]]:
    """Milliseconds by page."""
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]  # pydantic-settings' own switch
        home=home,
        nlu={"enabled": False},
    )
    database = Database(settings.effective_database_url)
    await migrate.upgrade(database)
    article_id = await fill(database, count)
    await database.dispose()
    services = assemble(settings)
    transport = httpx.ASGITransport(create_app(services, worker=False))
    async with httpx.AsyncClient(transport=transport, base_url="http://bench") as client:
        body = {"username": "bench", "password": PASSWORD}
        (await client.post("/login", data=body, headers={"Accept": "text/html"}))
        found = {}
        for name, address in pages(article_id).items():
            found[name] = await _timed(client, address)
    await services.database.dispose()
    return found


async def _timed(client: httpx.AsyncClient, address: str) -> dict[str, float]:
    times = []
    for _ in range(WARMING + ROUNDS):
        started = time.perf_counter()
        answer = await client.get(address, headers={"Accept": "text/html"})
        times.append((time.perf_counter() - started) * 1000)
        if answer.status_code != 200:
            raise RuntimeError(f"{address}: {answer.status_code}")
    p50, p95 = np.percentile(times[WARMING:], [50, 95])
    return {"p50_ms": round(float(p50), 1), "p95_ms": round(float(p95), 1)}


def main(given: Sequence[str] | None = None) -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", nargs="?", type=Path, default=Path("var"))
    parser.add_argument("--answers", type=int, default=20_000)
    arguments = parser.parse_args(given)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        shutil.copytree(arguments.home, home)
        figures = asyncio.run(measure(home, arguments.answers))
    print(json.dumps(figures, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
