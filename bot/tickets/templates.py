"""Templates of tickets: what is logged again and again, kept by administrators.

Choosing one fills in the form of a logged request; nothing that was typed is lost. Placeholders
and values of custom fields are checked on saving. Refuses to open tickets.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.changes.keeping import Keeper, Kept
from bot.changes.service import ChangedKind
from bot.clock import Clock
from bot.conversations.greeting import LOCAL
from bot.errors import InvalidInput
from bot.tickets.placeholder_texts import checked_position, checked_text
from bot.tickets.template_tables import TicketTemplate
from handoff.errors import InvalidMark
from handoff.marks import CustomField
from store.session import Database
from store.vocabulary import Category, Severity

#: What may stand in braces: of the caller, of the engineer who logs, of the day.
PLACEHOLDERS = ("unit", "name", "region", "phone", "engineer", "date")
MAX_NAME, MAX_TEXT, MAX_MODULE, MAX_TEMPLATES = 40, 2_000, 80, 100
_WORDS = "ticket_templates.error"


@dataclass(frozen=True, slots=True)
class TemplateForm:
    """A template's form as it was typed; ``id`` is empty for a new one.

    ``known``: the custom fields in use, which ``fields`` are checked against.
    """

    id: str = ""
    name: str = ""
    category: str = ""
    module: str = ""
    severity: str = ""
    text: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    position: str = "0"
    version: int = 0
    known: Sequence[CustomField] = ()

    @classmethod
    def of(cls, row: TicketTemplate) -> "TemplateForm":
        """The form that shows this template."""
        return cls(
            id=row.id,
            name=row.name,
            category=row.category,
            module=row.module,
            severity=row.severity,
            text=row.text,
            fields=row.fields,
            position=str(row.position),
            version=row.version,
        )

    def columns(self) -> dict[str, Any]:
        """The row's values. Raises :class:`InvalidInput`."""
        name = " ".join(self.name.split())
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise InvalidInput("name", f"{_WORDS}.name")
        if self.category not in {"", *(one.value for one in Category)}:
            raise InvalidInput("category", f"{_WORDS}.category")
        if self.severity not in {"", *(one.value for one in Severity)}:
            raise InvalidInput("severity", f"{_WORDS}.severity")
        if len(self.module) > MAX_MODULE or not self.module.isprintable():
            raise InvalidInput("module", f"{_WORDS}.module")
        return {
            "name": name,
            "category": self.category,
            "module": self.module,
            "severity": self.severity,
            "text": checked_text(self.text.strip(), PLACEHOLDERS, MAX_TEXT, _WORDS),
            "fields": self._fields(),
            "position": checked_position(self.position, _WORDS),
        }

    def _fields(self) -> dict[str, str]:
        known = {one.key: one for one in self.known if one.is_for(self.category)}
        if not self.category:
            # Only a field of every category fits a ticket whose category is not known yet.
            known = {one.key: one for one in self.known if not one.categories}
        found = {}
        for key, typed in self.fields.items():
            if not typed.strip():
                continue
            try:
                found[key] = known[key].checked(typed)
            except (KeyError, InvalidMark):
                raise InvalidInput("fields", f"{_WORDS}.fields") from None
        return found


def ticket_templates(database: Database, clock: Clock) -> Keeper[TicketTemplate]:
    """The verbs on templates."""
    kept = Kept(TicketTemplate, ChangedKind.TICKET_TEMPLATE, MAX_TEMPLATES, _WORDS)
    return Keeper(database, clock, kept)


@dataclass(frozen=True, slots=True)
class Filling:
    """Whom a template is filled in for: the caller's facts, the engineer's name, the moment."""

    caller: Mapping[str, str]
    engineer: str
    now: datetime

    def text(self, template: TicketTemplate) -> str:
        """The template's text; what is not known is left out."""
        values = {name: self.caller.get(name, "") for name in PLACEHOLDERS}
        day = self.now.astimezone(LOCAL).date().isoformat()
        text = template.text.format_map({**values, "engineer": self.engineer, "date": day})
        return text.strip()


def fill(
    typed: Mapping[str, str],
    chosen: TicketTemplate,
    others: Iterable[TicketTemplate],
    filling: Filling,
) -> dict[str, str]:
    """The form with the template in it.

    The text of a template that was chosen before gives way; other words stay, below the new text.
    """
    own = typed.get("text", "").strip()
    if own in {filling.text(one) for one in (chosen, *others)}:
        own = ""
    text = filling.text(chosen)
    given = {name: getattr(chosen, name) for name in ("category", "module", "severity")}
    return {
        **typed,
        **{name: value for name, value in given.items() if value},
        "text": f"{text}\n{own}" if own else text,
    }
