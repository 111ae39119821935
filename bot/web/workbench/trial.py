"""The page on which a question is tried. Refuses to record it as asked."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices
from bot.web.workbench.access import Frame, frame
from bot.web.workbench.answers import parts
from bot.workbench.trial import Trial, try_question
from kb.applicability import groups
from kb.errors import IndexMissing

router = APIRouter(include_in_schema=False)

#: Left empty in the form, or a probability.
Share = Annotated[str, Query(max_length=10)]


@dataclass(frozen=True, slots=True)
class TryPage(Frame):
    """The form and what came of it."""

    q: str
    region: str
    audience: str
    answer_from: str
    offer_from: str
    trial: Trial | None
    is_indexed: bool


@router.get("/workbench/try")
async def trial(
    staff: PageStaff,
    app: AppServices,
    *,
    q: Annotated[str, Query(max_length=2_000)] = "",
    region: Annotated[str, Query(max_length=50)] = "",
    audience: Annotated[str, Query(max_length=200)] = "",
    answer_from: Share = "",
    offer_from: Share = "",
) -> Response:
    """Ask as a user would, and see everything that was weighed."""
    outer = frame(app, staff, "try")
    found, is_indexed = None, True
    if q.strip():
        try:
            found = await try_question(
                app.publishing.index,
                app.interpreter,
                q,
                region=region.strip() or None,
                audience=groups(audience),
                now=app.clock(),
                answer_from=_share(answer_from),
                offer_from=_share(offer_from),
            )
        except IndexMissing:
            is_indexed = False
    page = TryPage(
        **parts(outer),
        q=q,
        region=region,
        audience=audience,
        answer_from=answer_from if _share(answer_from) is not None else "",
        offer_from=offer_from if _share(offer_from) is not None else "",
        trial=found,
        is_indexed=is_indexed,
    )
    return app.pages.page("workbench/try.html", {"page": page}, headers=FRESH)


def _share(text: str) -> float | None:
    """A number between 0 and 1; anything else asks for the cut in use."""
    try:
        share = float(text)
    except ValueError:
        return None
    return share if 0.0 < share < 1.0 else None
