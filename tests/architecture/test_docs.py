"""What the documentation says is there is there: links, commands, settings, routes, counts."""

import csv
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from bot import migrate
from bot.deployment import Deployment
from bot.importing import import_paths
from bot.settings import Settings, data_dir
from docs import cli_page, settings_page
from tests.architecture.source import ROOT

READMES = ("README.md", "README.zh-CN.md")
#: Names that begin like settings but belong to the set-up scripts, the tests, or compose.
NOT_SETTINGS = re.compile(r"CAIWEN_(PYTHON_3_\d+|DATABASE_PASSWORD|TEST_\w+|SHARED)")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
ADR_PARTS = ("Context", "Decision", "Consequences", "Alternatives", "Enforced by")


def pages() -> list[Path]:
    """Every page of ours in Markdown."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")]
    assert len(found) > 15
    # The sample guides are content: their numbered menus only look like links to pages.
    return sorted(path for path in found if "sample_guides" not in path.parts)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def without_code(text: str) -> str:
    """The text without what is set as code, in which brackets mean other things."""
    without_blocks = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", without_blocks)


def anchors(path: Path) -> set[str]:
    """What a link to a heading of this page may say, as code hosts make it."""
    headings = re.findall(r"^#+ (.+)$", without_code(path.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(path: Path) -> list[str]:
    """Links of this page that lead nowhere."""
    found = []
    for target in LINK.findall(without_code(path.read_text("utf-8"))):
        if target.startswith(("http://", "https://")):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists() or (anchor and anchor not in anchors(there)):
            found.append(target)
    return found


@pytest.mark.parametrize("path", pages(), ids=name_of)
def test_every_link_leads_somewhere(path: Path) -> None:
    assert broken_links(path) == []


def test_a_broken_link_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A b\n[x](y.md) [z](#a-b) [q](#c)\n```\n[n](o)\n```\n", encoding="utf-8")
    assert broken_links(page) == ["y.md", "#c"]


def test_every_file_that_a_decision_names_exists() -> None:
    named = {
        (path.name, file)
        for path in (ROOT / "docs" / "adr").glob("0*.md")
        for file in re.findall(
            r"`((?:tests|bot|kb|nlu|handoff|store|deploy)/[\w./-]+)`", path.read_text("utf-8")
        )
    }
    assert len(named) > 15
    assert [found for found in sorted(named) if not (ROOT / found[1]).exists()] == []


def test_every_decision_is_listed_and_complete() -> None:
    folder = ROOT / "docs" / "adr"
    decisions = sorted(path for path in folder.glob("0*.md"))
    assert len(decisions) > 8
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in decisions if f"({path.name})" not in index] == []
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        missing = [part for part in ADR_PARTS if part.lower() not in text.lower()]
        assert not missing, f"{path.name}: {missing}"


def test_every_recipe_that_is_named_exists() -> None:
    recipes = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    named = {
        recipe
        for path in pages()
        for recipe in re.findall(r"(?:`|^)make ([a-z-]+)", path.read_text("utf-8"), re.MULTILINE)
    }
    assert {"run", "test"} <= named
    assert named <= recipes


@pytest.mark.parametrize("name", READMES)
def test_the_two_commands_come_first(name: str) -> None:
    block = re.findall(r"^```\n(.*?)^```", text_of(name), re.MULTILINE | re.DOTALL)[0]
    assert [line.split("#")[0].strip() for line in block.splitlines()] == ["make run", "make test"]


@pytest.mark.parametrize("name", READMES)
def test_the_readme_names_every_command(name: str) -> None:
    text = text_of(name)
    commands = cli_page.commands()
    assert len(commands) > 10
    for command in commands:
        words = command.split()[1:]
        assert re.search(rf"(caiwen|·) {' '.join(words)}\b", text), command


def test_both_readmes_say_the_same() -> None:
    english, chinese = (text_of(name) for name in READMES)

    def shape(text: str) -> list[int]:
        return [len(marks) for marks in re.findall(r"^(#+) ", without_code(text), re.MULTILINE)]

    def links(text: str) -> list[str]:
        return [target for target in LINK.findall(text) if target not in READMES]

    assert shape(english) == shape(chinese)
    assert sorted(links(english)) == sorted(links(chinese))
    assert english.count("\n- ") == chinese.count("\n- ")


@pytest.mark.parametrize("name", READMES)
def test_the_counts_of_sample_content_are_right(name: str) -> None:
    entries = 0
    for path in (data_dir() / "faq").glob("*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            entries += sum(1 for _ in csv.DictReader(file))
    guides = len(list((data_dir() / "guides").iterdir()))
    said = [int(number) for number in re.findall(r" (\d+) (?:sample|条|份)", text_of(name))]
    assert said[:2] == [entries, guides]


def test_every_setting_that_is_named_exists() -> None:
    files = [*pages(), ROOT / ".env.example", ROOT / "deploy" / "compose.yml"]
    files += (ROOT / "deploy").glob("systemd/*.service")
    files += [ROOT / "deploy" / "Dockerfile.web", ROOT / "deploy" / "Dockerfile.nlu"]
    known = set(settings_page.variables())
    named = {
        (name_of(path), variable)
        for path in files
        for variable in re.findall(r"\bCAIWEN_[A-Z0-9_]*[A-Z0-9]\b", path.read_text("utf-8"))
        if not NOT_SETTINGS.fullmatch(variable)
    }
    assert len(named) > 30
    assert [found for found in sorted(named) if found[1] not in known] == []


def test_every_library_has_its_licence_named() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    said = text_of("THIRD_PARTY.md").lower()
    names = [re.split(r"[\[<>=~! ]", requirement)[0].lower() for requirement in wanted]
    assert len(names) > 40
    assert [name for name in names if name not in said] == []


GUIDE = "# 测试指引\n\n版本：V1.0\n\n## 撤回申请\n\n1. 打开菜单。\n2. 点【撤回】。\n"


async def test_the_lines_of_an_import_are_as_documented(tmp_path: Path) -> None:
    (tmp_path / "指引.md").write_text(GUIDE, encoding="utf-8")
    (tmp_path / "空.docx").write_bytes(b"")
    settings = Settings(home=tmp_path / "home", database_url="")
    state = Deployment(settings)
    state.workspace.create()
    database = state.database()
    await migrate.upgrade(database)
    await database.dispose()
    told: list[dict[str, Any]] = []
    files = [tmp_path / "指引.md", tmp_path / "空.docx"]
    await import_paths(state, files, publish=False, report=told.append)
    guide, refused = told
    assert list(guide) == list(cli_page.IMPORT_GUIDE)
    assert list(refused) == list(cli_page.IMPORT_REFUSED)
    assert refused["status"] == "refused"
