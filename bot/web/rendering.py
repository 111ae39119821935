"""Server-rendered pages: one Jinja environment, words from the catalogue, hashed assets."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from bot.cards import local_time
from bot.phrases import Phrases
from bot.web.devices import device_words

_HERE = Path(__file__).parent
STATIC = _HERE / "static"


@dataclass(frozen=True, slots=True)
class Pages:
    """Renders templates. Autoescape is on; an undefined name is an error, never empty text."""

    environment: Environment

    @classmethod
    def create(cls, phrases: Phrases) -> "Pages":
        """The environment with the functions that templates may call."""
        environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals.update(say=phrases.say, say_has=phrases.has, static=static_url)
        environment.filters["local_time"] = local_time
        environment.filters["device_words"] = partial(device_words, phrases)
        environment.filters["plainly"] = partial(plainly, phrases)
        return cls(environment)

    def page(
        self,
        name: str,
        context: Mapping[str, Any],
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """One page or partial."""
        html = self.environment.get_template(name).render(**context)
        return HTMLResponse(html, status_code=status, headers=dict(headers or {}))

    def problem(
        self,
        request: Request,
        *,
        status: int,
        title: str,
        detail: str,
        headers: Mapping[str, str],
    ) -> HTMLResponse:
        """A refusal as a page: what happened and what to do."""
        context = {"status": status, "title": title, "detail": detail, "path": request.url.path}
        return self.page("problem.html", context, status=status, headers=headers)


def plainly(phrases: Phrases, value: Any) -> str:
    """A kept value as people read it: lists side by side, switches in words, nothing as such."""
    say = phrases.say
    if isinstance(value, bool):
        return say("config_changes.yes" if value else "config_changes.no")
    if isinstance(value, Mapping):
        return " ".join(plainly(phrases, one) for one in value.values() if one)
    if isinstance(value, list) and value:
        return say("config_changes.between").join(plainly(phrases, one) for one in value)
    return say("config_changes.none") if value in ("", None, []) else str(value)


@cache
def _digest(path: Path, _changed_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def static_url(name: str) -> str:
    """The address of an asset, which changes with its content."""
    path = STATIC / name
    return f"/static/{name}?v={_digest(path, path.stat().st_mtime_ns)}"
