"""Pages of lists that administrators keep: each row as a form with its history, and an empty one.

What was typed stays when it is refused. Refuses to know what is kept.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from starlette.responses import Response

from bot.assembly import Services
from bot.changes.service import Change
from bot.web.admin.access import Framed
from bot.web.page_access import FRESH


class ListedForm(Protocol):
    """A row's form. ``version`` 0: of a row that is not kept yet."""

    @property
    def version(self) -> int:
        """The row's when the form was opened."""
        ...


FormT = TypeVar("FormT", bound=ListedForm)


@dataclass(frozen=True, slots=True)
class Shown(Generic[FormT]):
    """One row's form and its history."""

    form: FormT
    history: Sequence[Change] = ()


@dataclass(frozen=True, slots=True)
class KeptPage(Framed, Generic[FormT]):
    """All rows and an empty form. ``refused``: the form that the error is about."""

    rows: Sequence[Shown[FormT]]
    new: FormT
    refused: FormT | None
    error: str


async def shown(
    forms: Iterable[FormT],
    key: Callable[[FormT], str],
    history: Callable[[str], Awaitable[Sequence[Change]]],
    refused: FormT | None,
) -> list[Shown[FormT]]:
    """The rows' forms, the refused one as it was typed."""
    found = []
    for form in forms:
        shown_form = form
        if refused is not None and refused.version and key(refused) == key(form):
            shown_form = refused
        found.append(Shown(shown_form, await history(key(form))))
    return found


def new_form(refused: FormT | None, empty: FormT) -> FormT:
    """The form for a new row, as it was typed when it was refused."""
    return refused if refused is not None and not refused.version else empty


def kept_page(app: Services, template: str, page: KeptPage[FormT]) -> Response:
    """The page, also after a refusal."""
    status = 422 if page.error else 200
    return app.pages.page(template, {"page": page}, status=status, headers=FRESH)
