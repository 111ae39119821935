"""The catalogue: every key that code uses exists, every key is used, placeholders have names."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from bot.phrases import UnknownPhrase, load, placeholders
from bot.settings import data_dir

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = data_dir() / "locales" / "zh-CN.yml"
PACKAGES = ("bot", "nlu", "kb", "connectors", "handoff")
#: Keys that code composes: a prefix and what may follow it.
COMPOSED = (
    "tuning.refused.",
    "device.",
    "channel.received.",
    "channel.please.",
    "channel.button.",
    "greeting.",
    "bulk.action.",
    "bulk.about.",
    "search.field.",
    "search.status.",
    "search.view.refused.",
    "search.refused.",
    "search.none",
    "problem.",
    "import.refused.",
    "sla.",
    "doctor.",
    "triage.rule.",
    "triage.choice.",
    "triage.effect.",
    "triage.reason.",
    "ticket_action.",
    "widget.",
    "role.",
    "console.code.",
    "console.live.",
    "console.sheet.",
    "console.field.",
    "console.file.",
    "console.relation.",
    "staff_nav.",
    "dead_letters.",
    "problem_report.",
    "call_log.",
    "workbench.",
    "incident.",
    "notify.",
    "alerts.",
    "presence.",
    "admin_sections.",
    "audit.action.",
    "audit.group.",
    "audit.actor.",
    "audit.column.",
    "unit_admin.column.",
    "ticket_fields.",
    "ticket_templates.",
    "figures.",
    "config_changes.",
    "canned.",
    "rules.",
    "staff_admin.",
    "calendar_admin.",
    "call_backs.",
    "routing.why.",
    "evaluation.",
    "calibration.",
    "fake_wecom.",
    "lines.",
)


def used_in_code() -> set[str]:
    """Every string constant in code and templates that looks like a phrase key."""
    found: set[str] = set()
    shape = re.compile(r"^[a-z_]+(\.[a-z_0-9]+)+$")
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                value = node.value if isinstance(node, ast.Constant) else None
                if isinstance(value, str) and shape.match(value):
                    found.add(value)
    for template in (ROOT / "bot" / "web" / "templates").rglob("*.html"):
        found |= set(
            re.findall(r"""say\(\s*["']([a-z_.0-9]*[a-z_0-9])["']""", template.read_text("utf-8"))
        )
    assert len(found) > 50
    return found


def test_no_key_stands_twice() -> None:
    class Strict(yaml.SafeLoader):
        pass

    def mapping(loader: Strict, node: yaml.MappingNode) -> dict[object, object]:
        keys = [loader.construct_object(key) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"twice: {keys}"
        return dict(loader.construct_pairs(node))

    Strict.add_constructor("tag:yaml.org,2002:map", mapping)
    yaml.load(CATALOGUE.read_text("utf-8"), Strict)  # noqa: S506  # a safe loader underneath


def test_every_key_that_is_used_exists() -> None:
    phrases = load(CATALOGUE)
    tops = {key.split(".")[0] for key in phrases.texts}
    wanted = {key for key in used_in_code() if key.split(".")[0] in tops}
    assert len(wanted) > 50
    missing = {
        key
        for key in wanted
        if not phrases.has(key)
        and not any(known.startswith(f"{key}.") for known in phrases.texts)
        and not key.endswith((".yml", ".tsv", ".csv", ".html"))
    }
    assert not missing


def test_every_key_is_used() -> None:
    used = used_in_code()
    unused = {
        key
        for key in load(CATALOGUE).texts
        if key not in used and not key.startswith(COMPOSED) and not key.endswith("_fix")
    }
    assert not unused


def test_placeholders_have_names(tmp_path: Path) -> None:
    assert placeholders("{a} 与 {b}") == {"a", "b"}
    with pytest.raises(ValueError, match="plain name"):
        placeholders("{} 条")
    bad = tmp_path / "x.yml"
    bad.write_text("a: [1, 2]", encoding="utf-8")
    with pytest.raises(ValueError, match="neither text"):
        load(bad)


def test_an_unknown_key_is_an_error_and_variants_are_stable() -> None:
    phrases = load(CATALOGUE)
    with pytest.raises(UnknownPhrase):
        phrases.say("no.such.key")
    assert phrases.vary("talk.greet", 7) == phrases.vary("talk.greet", 7)
    assert phrases.vary("talk.greet", 7) in phrases.lines("talk.greet")
