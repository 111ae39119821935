"""Deployment files agree with the product: commands, images, users, paths."""

import re
from pathlib import Path

import pytest
import yaml

from bot.settings import WebSettings
from bot.web.workbench import files as workbench_files
from bot.web.workbench import guide_imports as workbench_guide_imports
from bot.web.workbench import sheets as workbench_sheets
from bot.web.workbench import staleness as workbench_staleness
from docs import cli_page
from kb import answer_files
from kb.importer.limits import MIB
from nlu.train import RasaServer, rasa_command, rasa_environment
from tests.architecture.source import ROOT

DEPLOY = ROOT / "deploy"
DOCKERFILES = ("Dockerfile.web", "Dockerfile.nlu")
UNITS = ("caiwen-web.service", "caiwen-worker.service", "caiwen-nlu.service")
#: Above this is no directive of a Dockerfile but what is copied into the image.
COPIED = re.compile(r"^COPY (?:--\S+ )*(\S+) \S+$", re.MULTILINE)


def commands_in(text: str) -> set[str]:
    """Commands of ours that a file runs, as they are typed."""
    known = sorted(cli_page.commands(), key=len, reverse=True)
    runs = re.findall(r"(?:^|[\s\"/;&])(caiwen(?: [a-z]+)+)", text.replace('", "', " "))
    return {next((c for c in known if run.startswith(c)), run) for run in runs}


def settings_of(unit: str, key: str) -> list[str]:
    lines = (DEPLOY / "systemd" / unit).read_text("utf-8").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{key}=")]


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_runs_what_exists_as_nobody_special(unit: str) -> None:
    text = (DEPLOY / "systemd" / unit).read_text("utf-8")
    assert settings_of(unit, "User") == ["caiwen"]
    assert settings_of(unit, "NoNewPrivileges") == ["true"]
    assert settings_of(unit, "ProtectSystem") == ["strict"]
    assert settings_of(unit, "ReadWritePaths") == ["/var/lib/caiwen"]
    (start,) = settings_of(unit, "ExecStart")
    program = Path(start.split()[0]).relative_to("/opt/caiwen")
    if program.name == "caiwen":
        assert commands_in(start) <= set(cli_page.commands())
        assert commands_in(start)
    else:
        assert (ROOT / program).stat().st_mode & 0o111, f"{program} cannot be run"
    for page in re.findall(r"docs/[\w/.-]+\.md|deploy/[\w/.-]+\.md", text):
        assert (ROOT / page).is_file()


@pytest.mark.parametrize("name", DOCKERFILES)
def test_an_image_is_small_in_rights(name: str) -> None:
    text = (DEPLOY / name).read_text("utf-8")
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert bases
    assert all(re.fullmatch(r"[a-z]+:[\w.-]+", base) for base in bases), "a host in a base image"
    after_user = text.partition("\nUSER caiwen\n")[2]
    assert "CMD" in after_user
    assert "USER" not in after_user
    assert "HEALTHCHECK" in after_user
    sources = [source for source in COPIED.findall(text) if source != "."]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert (DEPLOY / f"{name}.dockerignore").is_file()


def test_nothing_private_gets_into_the_image() -> None:
    ignored = (DEPLOY / "Dockerfile.web.dockerignore").read_text("utf-8").split()
    assert {".env", ".git", "var", ".venv", ".venv-rasa"} <= set(ignored)


def test_the_compose_file_has_every_process() -> None:
    composed = yaml.safe_load((DEPLOY / "compose.yml").read_text("utf-8"))
    services = composed["services"]
    assert set(services) == {"database", "nlu", "web", "worker"}
    for name, service in services.items():
        assert "/" not in service["image"], f"{name}: a host in the image's name"
        if "build" in service:
            assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
            assert service["cap_drop"] == ["ALL"]
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), f"{name} is open to the network"
    assert "--no-worker" in " ".join(services["web"]["command"])
    said = " ".join(word for s in services.values() for word in s.get("command", ()))
    assert commands_in(said) == {"caiwen migrate", "caiwen serve", "caiwen worker"}


def test_rasa_is_served_as_the_product_serves_it() -> None:
    script = (DEPLOY / "serve-nlu").read_text("utf-8")
    command = rasa_command(Path("rasa"), Path("model"), RasaServer(token="t"))
    options = [word for word in command if word.startswith("--")]
    assert [option for option in options if option not in script] == []
    for name, value in rasa_environment({}).items():
        assert f"{name}={value}" in script


def test_streams_pass_the_proxy() -> None:
    """The proxy must know every address that streams, and stay open longer than the pings."""
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    pattern, uploads = sorted(
        re.findall(r"location ~ (\S+) \{([^}]*)\}", text), key=lambda found: "11m" in found[1]
    )
    assert "proxy_buffering off" in pattern[1]
    assert re.search(uploads[0], "/api/v1/conversations/x/attachments")
    assert re.search(uploads[0], "/console/tickets/x/files")
    streams = [route for route in _paths() if route.endswith("/events")]
    assert len(streams) == 3
    assert all(re.search(pattern[0], route.replace("{", "").replace("}", "")) for route in streams)
    assert not re.search(pattern[0], "/api/v1/conversations/x/messages")


def test_large_uploads_of_editors_pass_the_proxy() -> None:
    """Whatever address takes more than a page does, takes it behind the proxy too."""
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    found = re.findall(r"location = (\S+) \{[^}]*client_max_body_size (\d+)m", text)
    sizes = {path: int(size) for path, size in found}
    larger = (workbench_guide_imports.UPLOADS, workbench_staleness.NOTES, workbench_sheets.SHEETS)
    assert all(sizes[path] == 300 for path in larger)
    assert sizes[workbench_files.ATTACHMENTS] * MIB > answer_files.MAX_BYTES


def test_large_alerts_pass_the_proxy() -> None:
    """A refusal of the proxy's is a 4xx, after which the sender drops what it had to tell."""
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    (found,) = re.findall(r"location /hooks/alerts/ \{[^}]*client_max_body_size (\d+)m", text)
    assert int(found) * 1_000_000 == 16 * WebSettings().max_alert_bytes


def _paths() -> list[str]:
    from docs import api_page  # assembles the application

    return [route.split(" ")[1] for route in api_page.routes()]
