"""The lexicon's pages: entries by kind, the form, switching on and off, and what an entry was.

Nothing that was typed is lost: whatever is refused, the form comes back as it was sent.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.web.page_access import FRESH, PageStaff, text_fields
from bot.web.security import AppServices
from bot.web.workbench.access import Frame, frame
from bot.web.workbench.answers import parts
from bot.workbench.lexicons import Known, LexiconChanged
from kb.lexicon_entries import Entry, Kind, LexiconInvalid
from kb.lexicon_tables import LexiconVersionRow

router = APIRouter(include_in_schema=False)

ADDRESS = "/workbench/lexicon"
#: Entries shown at once; the search narrows them.
SHOWN = 200
_FIELDS = ("kind", "word", "variants", "module", "question", "options", "decided_by", "seen")
Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class Form:
    """The fields as text, as they were typed."""

    kind: str = Kind.SYNONYM.value
    word: str = ""
    variants: str = ""
    module: str = ""
    question: str = ""
    options: str = ""
    decided_by: str = ""
    seen: str = "0"

    @classmethod
    def of(cls, known: Known) -> "Form":
        """The form that shows an entry."""
        entry = known.entry
        return cls(
            kind=entry.kind.value,
            word=entry.word,
            variants="\n".join(entry.variants),
            module=entry.module,
            question=entry.question,
            options="\n".join(entry.options),
            decided_by="\n".join(entry.decided_by),
            seen=str(known.seen),
        )

    def entry(self) -> Entry:
        """What is typed."""
        return Entry(
            _kind(self.kind),
            self.word,
            tuple(self.variants.splitlines()),
            self.module,
            self.question,
            tuple(self.options.splitlines()),
            tuple(self.decided_by.splitlines()),
        )


@dataclass(frozen=True, slots=True)
class LexiconPage(Frame):
    """One kind's entries, the form, and the history of the open one."""

    kinds: Sequence[str]
    kind: str
    text: str
    entries: Sequence[Known]
    count: int
    form: Form
    open: Known | None
    versions: Sequence[LexiconVersionRow]
    error: str = ""


@router.get(ADDRESS)
async def listing(
    staff: PageStaff, app: AppServices, kind: Text = "", q: Text = "", word: Text = ""
) -> Response:
    """The entries of a kind; ``word`` opens one of them."""
    return await _page(app, staff, _kind(kind), q, word=word)


@router.post(ADDRESS)
async def save(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Keep an entry; it is in force at once."""
    form = Form(**await text_fields(request, *_FIELDS))
    try:
        await app.lexicons.save(staff, form.entry(), _number(form.seen))
    except LexiconInvalid as refused:
        error = _why(app, refused)
    except LexiconChanged:
        error = app.phrases.say("workbench.lexicon.changed")
    else:
        return _to(_kind(form.kind), form.word)
    return await _page(app, staff, _kind(form.kind), "", form=form, error=error)


@router.post(f"{ADDRESS}/switch")
async def switch(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Put an entry in or out of force."""
    fields = await text_fields(request, "kind", "word", "seen", "on")
    kind, word = _kind(fields["kind"]), fields["word"]
    return await _try(
        app,
        staff,
        (kind, word),
        app.lexicons.switch(staff, kind, word, _number(fields["seen"]), on=fields["on"] == "1"),
    )


@router.post(f"{ADDRESS}/restore")
async def restore(request: Request, staff: PageStaff, app: AppServices) -> Response:
    """Bring an earlier version back."""
    fields = await text_fields(request, "kind", "word", "seen", "number")
    kind, word = _kind(fields["kind"]), fields["word"]
    seen, number = _number(fields["seen"]), _number(fields["number"])
    return await _try(
        app, staff, (kind, word), app.lexicons.restore(staff, kind, word, seen, number)
    )


async def _try(
    app: Services, staff: Principal, at: tuple[Kind, str], doing: Awaitable[None]
) -> Response:
    kind, word = at
    try:
        await doing
    except LexiconInvalid as refused:
        error = _why(app, refused)
    except LexiconChanged:
        error = app.phrases.say("workbench.lexicon.changed")
    except KeyError:
        error = app.phrases.say("workbench.lexicon.unknown")
    else:
        return _to(kind, word)
    return await _page(app, staff, kind, "", word=word, error=error)


async def _page(
    app: Services,
    staff: Principal,
    kind: Kind,
    text: str,
    *,
    word: str = "",
    form: Form | None = None,
    error: str = "",
) -> Response:
    entries = await app.lexicons.known(staff, kind, text)
    chosen, versions = await app.lexicons.history(staff, kind, word) if word else (None, ())
    page = LexiconPage(
        **parts(frame(app, staff, "lexicon")),
        kinds=[one.value for one in Kind],
        kind=kind.value,
        text=text,
        entries=entries[:SHOWN],
        count=len(entries),
        form=form or (Form.of(chosen) if chosen else Form(kind=kind.value)),
        open=chosen,
        versions=versions,
        error=error,
    )
    status = 422 if error else 200
    return app.pages.page("workbench/lexicon.html", {"page": page}, status=status, headers=FRESH)


def _to(kind: Kind, word: str) -> Response:
    word = " ".join(word.lower().split())
    return RedirectResponse(f"{ADDRESS}?{urlencode({'kind': kind.value, 'word': word})}", 303)


def _kind(text: str) -> Kind:
    return Kind(text) if text in set(Kind) else Kind.SYNONYM


def _number(text: str) -> int:
    """A version's number; what is none is the version of nothing."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


def _why(app: Services, refused: LexiconInvalid) -> str:
    say = app.phrases.say
    return say(
        "workbench.invalid.line",
        field=say(f"workbench.lexicon.field.{refused.field}"),
        reason=say(f"workbench.lexicon.invalid.{refused.reason}", about=refused.about),
    )
