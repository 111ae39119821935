"""What axe-core finds fault with, in words."""

from collections.abc import Sequence
from importlib import resources, util
from typing import Any

from playwright.async_api import Page

from tests.conftest import need

LOOK = "() => axe.run(document)"


def script() -> str:
    """The source of axe-core; skips the test where it is not installed."""
    need(util.find_spec("axe_playwright_python") is not None, "axe-core")
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


def in_words(found: dict[str, Any]) -> Sequence[str]:
    """Every violation by rule and place."""
    assert len(found["passes"]) > 15, "it has looked at the page"
    return [
        f"{rule['id']} at {node['target']}: {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


async def faults(page: Page) -> Sequence[str]:
    """What every rule finds on a page."""
    await page.evaluate(script())
    return in_words(await page.evaluate(LOOK))
