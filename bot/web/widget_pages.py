"""The widget's pages: the loader that hosts name, the document in its frame, the demo portal.

Scripts and styles are served under an address that holds the hash of all of them, so that
browsers keep them for good and never mix two releases. Nothing inline runs anywhere: words
reach the page as a block of JSON. Who may put the document into a frame stands in its policy.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.exceptions import HTTPException
from markupsafe import Markup
from starlette.responses import Response

from bot.assembly import Services
from bot.phrases import Phrases
from bot.web.cross_origin import exact_origins, origins_of
from bot.web.security import AppServices

router = APIRouter(include_in_schema=False)

STATIC = Path(__file__).parent / "static"
#: Where the loader's text takes the words of the button.
LOADER_PLACE = "__CAIWEN__"
LOADER = "loader.js"
MEDIA_TYPES: Mapping[str, str] = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_COMMENTS = re.compile(rb"^[ \t]*(?://.*|/\*(?:[^*]|\*(?!/))*\*/)[ \t]*\n", re.MULTILINE)
FOR_GOOD = "public, max-age=31536000, immutable"
#: Host pages name one unchanging address; a new release reaches them within minutes.
LOADER_CACHE = "public, max-age=300"


@dataclass(frozen=True, slots=True)
class Assets:
    """A folder of scripts and styles in memory; ``digest`` changes with any of them."""

    files: Mapping[str, bytes]
    digest: str

    def modules(self) -> Sequence[str]:
        """Every script module, for fetching side by side."""
        return sorted(name for name in self.files if name.endswith(".js") and name != LOADER)


def assets(folder: str) -> Assets:
    """The folder as it is on disk now; read again only when a file has changed."""
    paths = tuple(path for path in sorted((STATIC / folder).iterdir()) if _served(path))
    return _read(paths, tuple(path.stat().st_mtime_ns for path in paths))


def _served(path: Path) -> bool:
    return path.suffix in MEDIA_TYPES


@cache
def _read(paths: tuple[Path, ...], _changed_ns: tuple[int, ...]) -> Assets:
    files = {path.name: _sent(path) for path in paths}
    whole = hashlib.sha256()
    for name, content in files.items():
        whole.update(f"{name}:{len(content)}:".encode() + content)
    return Assets(files, whole.hexdigest()[:16])


def _sent(path: Path) -> bytes:
    """A file as it is served: scripts without the comments that stand on lines of their own."""
    content = path.read_bytes()
    return _COMMENTS.sub(b"", content) if path.suffix == ".js" else content


def widget_phrases(phrases: Phrases) -> dict[str, str]:
    """The widget's words: every key under ``widget.``, without that prefix."""
    start = "widget."
    return {
        key[len(start) :]: texts[0] for key, texts in phrases.texts.items() if key.startswith(start)
    }


def script_json(value: object) -> str:
    """JSON that may stand inside a script element: it cannot end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def frame_policy(allowed_origins: Sequence[str]) -> str:
    """The frame document's policy. An origin that is not one is left out, not passed on."""
    ancestors = ["'self'", *exact_origins(allowed_origins)]
    return (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
        f"form-action 'none'; frame-ancestors {' '.join(ancestors)}"
    )


def loader_text(phrases: Phrases) -> str:
    """The loader with the words of its button."""
    start = "launcher."
    words = {
        key[len(start) :]: text
        for key, text in widget_phrases(phrases).items()
        if key.startswith(start)
    }
    source = assets("widget").files[LOADER].decode()
    return source.replace(LOADER_PLACE, script_json({"words": words}))


def _root(request: Request) -> str:
    """The path under which a proxy serves the product, without a slash at the end."""
    return str(request.scope.get("root_path", "")).rstrip("/")


@router.get("/widget.js")
async def loader(request: Request, app: AppServices) -> Response:
    """The one script that a host page names."""
    content = loader_text(app.phrases).encode()
    etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = {
        "Cache-Control": LOADER_CACHE,
        "ETag": etag,
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=MEDIA_TYPES[".js"], headers=headers)


@router.get("/widget")
async def frame(
    request: Request, app: AppServices, key: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """The document inside the frame; opened by itself it is the same conversation on a page."""
    return frame_page(request, app, key=key)


def frame_page(
    request: Request, app: Services, *, person: Markup | None = None, key: str = ""
) -> Response:
    """The document, for a ``person`` who is known already or whoever the host names.

    Only the pages of a widget's ``key`` may frame it.
    """
    found = assets("widget")
    words = widget_phrases(app.phrases)
    web = app.channels.settings.web
    context = {
        "words": words,
        "phrases_json": Markup(script_json(words)),  # noqa: S704  # escaped for this very place
        "modules": found.modules(),
        "assets": f"{_root(request)}/widget/assets/{found.digest}",
        "root": _root(request),
        "limit": web.max_message_chars,
        "person_json": person,
        "file_limit": app.settings.attachments.max_bytes if app.settings.attachments.enabled else 0,
    }
    headers = {
        "Content-Security-Policy": frame_policy(origins_of(web, key)),
        "Cache-Control": "no-cache",
    }
    return app.pages.page("widget.html", context, headers=headers)


@router.get("/portal")
async def portal(request: Request, app: AppServices) -> Response:
    """A made-up city's platform page that embeds the widget, for showing and trying."""
    if not app.settings.portal:
        raise HTTPException(404)
    context = {
        "root": _root(request),
        "assets": f"{_root(request)}/portal/assets/{assets('portal').digest}",
    }
    return app.pages.page("portal.html", context, headers={"Cache-Control": "no-cache"})


@router.get("/{folder}/assets/{digest}/{name}")
async def asset(folder: str, digest: str, name: str) -> Response:
    """A script or style. An address of another release gets today's file, uncached."""
    if folder not in ("widget", "portal"):
        raise HTTPException(404)
    found = assets(folder)
    content = found.files.get(name)
    if content is None:
        raise HTTPException(404)
    media_type = MEDIA_TYPES[Path(name).suffix]
    cache_control = FOR_GOOD if digest == found.digest else "no-store"
    return Response(content, media_type=media_type, headers={"Cache-Control": cache_control})
