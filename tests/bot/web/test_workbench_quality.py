"""The page of answer quality: who may see it, the run in the background, and what it shows."""

from collections.abc import AsyncIterator

import pytest

from bot.evaluations.records import Suite
from bot.tables import Role
from tests.bot.web.plain_browser import Browser, add, open_browser, shown
from tests.product import Product

AT = "/workbench/quality"


@pytest.fixture
async def editor(product: Product) -> AsyncIterator[Browser]:
    await add(product, "bian", Role.EDITOR)
    browser = open_browser(product)
    await browser.log_in("bian")
    await browser.get(AT)
    yield browser
    await browser.client.aclose()


async def test_a_run_goes_on_in_the_background(product: Product, editor: Browser) -> None:
    assert "还没有评测过" in shown(await editor.get(AT))
    revision = product.services.golden.index.current().manifest.revision
    assert (await editor.post(f"{AT}/run")).status_code == 303
    during = await editor.get(AT)
    assert "正在评测" in shown(during)
    assert 'hx-trigger="every 3s"' in during.text
    again = await editor.post(f"{AT}/run")
    assert again.status_code == 409
    await product.services.evaluations.settle()
    page = await editor.get(AT)
    assert "正在评测" not in shown(page)
    assert "首位" in shown(page)
    assert page.text.count("<svg ") == 2
    assert "style=" not in page.text.partition("<main")[2]
    assert product.services.golden.index.current().manifest.revision == revision


async def test_earlier_runs_are_listed_and_can_be_opened(product: Product, editor: Browser) -> None:
    evaluations = product.services.evaluations
    first, _ = await evaluations.run([Suite.RETRIEVAL], actor="定时")
    second, _ = await evaluations.run([Suite.RETRIEVAL], actor="定时")
    page = await editor.get(AT)
    assert f'href="{AT}" aria-current' in page.text
    assert page.text.count("<svg ") == 3  # the trend too
    assert f"{AT}/{first.id}" in page.text
    assert "新答对 0 题" in shown(page)
    assert "第一次评测" in shown(await editor.get(f"{AT}/{first.id}"))
    report = await editor.get(f"{AT}/{second.id}/report.html")
    assert report.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<style>" in report.text


@pytest.mark.parametrize("path", [f"{AT}/{'a' * 32}", f"{AT}/{'a' * 32}/report.html"])
async def test_an_unknown_run_is_not_found(editor: Browser, path: str) -> None:
    assert (await editor.get(path)).status_code == 404


async def test_an_id_is_never_a_path(editor: Browser) -> None:
    assert (await editor.get(f"{AT}/..%2F..%2Fcaiwen.db")).status_code in (404, 422)


async def test_engineers_may_neither_look_nor_run(chen: Browser) -> None:
    assert (await chen.get(AT)).status_code == 403
    assert (await chen.post(f"{AT}/run")).status_code == 403
    assert AT not in (await chen.get("/workbench")).text


async def test_a_run_without_an_index_says_why(product: Product, editor: Browser) -> None:
    (product.services.settings.home / "indexes" / "current").unlink()
    product.services.publishing.index._below._index = None  # type: ignore[attr-defined]
    await editor.post(f"{AT}/run")
    await product.services.evaluations.settle()
    assert "还没有检索索引" in shown(await editor.get(AT))
