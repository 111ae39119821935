"""Where staff can go from any page, by role. Refuses to guard: every page asks for its roles."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.accounts.service import DESK_ROLES, READING_ROLES, Principal
from bot.dead_letters import LOOK_ROLES
from bot.notifications.admin import LOOK_ROLES as NOTIFICATION_ROLES
from bot.phrases import Phrases
from bot.rules.admin import LOOK_ROLES as RULE_ROLES
from bot.tables import Role


@dataclass(frozen=True, slots=True)
class Place:
    """A link of the top bar."""

    key: str
    title: str
    href: str


#: Key (also of the phrase), address, and the roles that may go there besides administrators.
_PLACES: Sequence[tuple[str, str, tuple[Role, ...]]] = (
    ("console", "/console", READING_ROLES),
    ("search", "/console/search", READING_ROLES),
    ("log", "/console/log", DESK_ROLES),
    ("incidents", "/console/incidents", READING_ROLES),
    ("alerts", "/console/alerts", READING_ROLES),
    ("call_backs", "/console/callbacks", READING_ROLES),
    ("dead_letters", "/console/dead-letters", LOOK_ROLES),
    ("channels", "/console/admin/channels", NOTIFICATION_ROLES),
    ("rules", "/console/admin/ticket-rules", RULE_ROLES),
    ("figures", "/console/figures", RULE_ROLES),
    ("admin", "/console/admin/staff", ()),
    ("workbench", "/workbench", (Role.EDITOR, Role.REVIEWER, *READING_ROLES)),
)


def places(phrases: Phrases, staff: Principal) -> list[Place]:
    """The pages that this account may open."""
    return [
        Place(key, phrases.say(f"staff_nav.{key}"), href)
        for key, href, roles in _PLACES
        if staff.may(*roles)
    ]


def front_page(staff: Principal) -> str:
    """Where this account's work begins."""
    return next((href for _, href, roles in _PLACES if staff.may(*roles)), "/console")
