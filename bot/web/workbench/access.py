"""Who may see and who may work in the workbench, and its sections.

A section is a page that is reached from every page of the workbench. Refuses to guard by itself:
every page asks for its roles.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.web.navigation import Place, places
from bot.workbench.service import EDITING_ROLES, LOOKING_ROLES, REVIEWING_ROLES

#: Key (also of the phrase `workbench.sections.<key>`) and address, in the order of the tabs.
SECTIONS: Sequence[tuple[str, str]] = (
    ("home", "/workbench"),
    ("answers", "/workbench/answers"),
    ("guides", "/workbench/guides"),
    ("review", "/workbench/review"),
    ("try", "/workbench/try"),
    ("gaps", "/workbench/gaps"),
    ("golden", "/workbench/golden"),
    ("lexicon", "/workbench/lexicon"),
    ("quality", "/workbench/quality"),
)
#: Sections whose pages only those who edit may open.
EDITORS_ONLY = frozenset({"quality"})


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page of the workbench shows around its content; ``at`` is the open section."""

    staff: Principal
    places: Sequence[Place]
    sections: Sequence[Place]
    at: str
    may_edit: bool
    may_review: bool


def frame(app: Services, staff: Principal, at: str) -> Frame:
    """The frame for this account; raises :class:`NotPermitted` outside the workbench's roles."""
    staff.require(*LOOKING_ROLES)
    say = app.phrases.say
    return Frame(
        staff=staff,
        places=places(app.phrases, staff),
        sections=[
            Place(key, say(f"workbench.sections.{key}"), href)
            for key, href in SECTIONS
            if key not in EDITORS_ONLY or staff.may(*EDITING_ROLES)
        ],
        at=at,
        may_edit=staff.may(*EDITING_ROLES),
        may_review=staff.may(*REVIEWING_ROLES),
    )
