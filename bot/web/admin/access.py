"""The frame of an administrator's pages: who may open them, and how they hang together.

Refuses to guard by itself: every page asks for its frame, and that asks for the role.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query

from bot.accounts.service import Principal
from bot.assembly import Services
from bot.phrases import Phrases
from bot.tables import Role
from bot.web.navigation import Place, places

#: Key (also of the phrase `admin_sections.<key>`) and address, in the order of the tabs.
SECTIONS: Sequence[tuple[str, str]] = (
    ("staff", "/console/admin/staff"),
    ("calendars", "/console/admin/calendars"),
    ("contracts", "/console/admin/contracts"),
    ("rules", "/console/admin/ticket-rules"),
    ("fields", "/console/admin/fields"),
    ("phrases", "/console/admin/phrases"),
    ("templates", "/console/admin/ticket-templates"),
    ("channels", "/console/admin/channels"),
    ("lines", "/console/admin/lines"),
    ("units", "/console/admin/units"),
    ("audit", "/console/admin/audit"),
)
#: Which of the things to begin with fills the form of a new one; an unknown one fills nothing.
Starter = Annotated[str, Query(pattern="^[a-z_]{0,40}$")]


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page shows around its content; ``at`` is the open section."""

    staff: Principal
    places: Sequence[Place]
    sections: Sequence[Place]
    at: str


@dataclass(frozen=True, slots=True)
class Framed:
    """A page inside its frame."""

    frame: Frame

    @property
    def staff(self) -> Principal:
        """Who looks."""
        return self.frame.staff

    @property
    def places(self) -> Sequence[Place]:
        """Links of the top bar."""
        return self.frame.places


def frame(app: Services, staff: Principal, at: str, *roles: Role) -> Frame:
    """The frame for this account. Raises :class:`NotPermitted` for who is no administrator.

    ``roles`` may look besides; the other sections refuse them.
    """
    staff.require(*roles)
    return Frame(staff, places(app.phrases, staff), sections(app.phrases), at)


def sections(phrases: Phrases) -> list[Place]:
    """The tabs."""
    return [Place(key, phrases.say(f"admin_sections.{key}"), href) for key, href in SECTIONS]
