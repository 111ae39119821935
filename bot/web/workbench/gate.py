"""What golden questions say of a publication: shown before it is decided, and when it is stopped.

Asked when the page has come, since it takes as long as there are golden questions. Refuses to
publish.
"""

from fastapi import APIRouter
from starlette.responses import Response

from bot.assembly import Services
from bot.errors import GoldenGateClosed
from bot.golden.service import Gate
from bot.web.page_access import FRESH, PageStaff
from bot.web.security import AppServices
from bot.web.workbench.answers import AnswerId
from bot.workbench.service import REVIEWING_ROLES

router = APIRouter(include_in_schema=False)

#: Golden questions that are named; the audit trail has all of them.
SHOWN = 20


@router.get("/workbench/answers/{answer_id}/gate")
async def answer_gate(answer_id: AnswerId, staff: PageStaff, app: AppServices) -> Response:
    """What publishing the newest version of an answer would do."""
    staff.require(*REVIEWING_ROLES)
    return _shown(app, await app.golden.foresee(answer_id))


@router.get("/workbench/guide-versions/{version_id}/gate")
async def guide_gate(version_id: AnswerId, staff: PageStaff, app: AppServices) -> Response:
    """What answering from a version of a guide would do."""
    staff.require(*REVIEWING_ROLES)
    return _shown(app, await app.golden.foresee_guide(version_id))


def _shown(app: Services, gate: Gate) -> Response:
    found = gate.comparison
    context = {
        "gate": gate,
        "shares": [
            ("hit1", found.before.hit1, found.after.hit1),
            ("hit3", found.before.hit3, found.after.hit3),
            ("refusal", found.before.refusal, found.after.refusal),
        ],
        "improved": gate.texts(found.improved[:SHOWN]),
        "broken": gate.texts(found.broken[:SHOWN]),
    }
    return app.pages.page("workbench/_gate.html", context, headers=FRESH)


def gate_closed(app: Services, closed: GoldenGateClosed) -> str:
    """Why nothing was published."""
    questions = "、".join(closed.broken[:SHOWN])
    return app.phrases.say("workbench.golden.blocked", questions=questions)
