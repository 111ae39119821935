"""The 问题处理报告 of a ticket as a Word document.

Refuses to write anything that is neither in the ticket nor in the phrase catalogue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from docx import Document
from docx.document import Document as Page
from docx.oxml.ns import qn
from docx.shared import Pt

from bot.cards import local_time
from bot.errors import ReportNotFound
from bot.phrases import Phrases
from handoff.lifecycle import Event
from handoff.problem_report import HandedIn, latest, timeline
from handoff.tables import Ticket

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
#: Present in every Chinese Windows; Word substitutes it elsewhere.
FONT = "SimSun"


@dataclass(frozen=True, slots=True)
class ReportWriter:
    """Lays a report out in the words of the catalogue."""

    phrases: Phrases

    def write(
        self, ticket: Ticket, events: Sequence[Event], targets: Sequence[Mapping[str, Any]]
    ) -> bytes:
        """The document; ``targets`` as ``explaining.deadlines`` gives them.

        Raises :class:`ReportNotFound` before a report was handed in.
        """
        handed_in = latest(events)
        if handed_in is None:
            raise ReportNotFound(ticket.number)
        page = _blank()
        page.add_heading(self._say("title"), level=0)
        self._facts(page, ticket, handed_in)
        report = handed_in.report
        self._part(page, "cause", report.cause)
        page.add_heading(self._say("timeline"), level=1)
        self._timeline(page, timeline(events))
        self._part(page, "impact", report.impact)
        self._part(page, "measures", report.measures)
        self._part(page, "prevention", report.prevention)
        self._reckoning(page, targets)
        saved = BytesIO()
        page.save(saved)
        return saved.getvalue()

    def _say(self, key: str) -> str:
        return self.phrases.say(f"problem_report.{key}")

    def _part(self, page: Page, key: str, words: str) -> None:
        page.add_heading(self._say(key), level=1)
        for line in words.splitlines() or [self._say("none")]:
            page.add_paragraph(_printable(line))

    def _facts(self, page: Page, ticket: Ticket, handed_in: HandedIn) -> None:
        facts = [
            ("number", ticket.number),
            ("subject", ticket.title),
            ("severity", ticket.severity),
            ("unit", " ".join(part for part in (ticket.region, ticket.unit) if part)),
            ("module", ticket.module or ""),
            ("opened", local_time(ticket.opened_at)),
            ("resolved", local_time(ticket.resolved_at) if ticket.resolved_at else ""),
            ("author", f"{handed_in.author} {local_time(handed_in.at)}"),
        ]
        table = page.add_table(rows=0, cols=2, style="Table Grid")
        for key, value in facts:
            cells = table.add_row().cells
            cells[0].text = self._say(key)
            cells[1].text = _printable(value) or self._say("none")

    def _reckoning(self, page: Page, targets: Sequence[Mapping[str, Any]]) -> None:
        """Why each promised time ended when it did, line by line."""
        page.add_heading(self._say("reckoning"), level=1)
        for target in targets:
            phase = self.phrases.say(f"console.code.phase.{target['phase']}")
            page.add_paragraph(f"{target['title']}（{phase}）")
            for line in target["why"]:
                page.add_paragraph(_printable(line), style="List Number")
        if not targets:
            page.add_paragraph(self._say("none"))

    def _timeline(self, page: Page, events: Sequence[Event]) -> None:
        table = page.add_table(rows=1, cols=3, style="Table Grid")
        for cell, key in zip(table.rows[0].cells, ("at", "what", "who"), strict=True):
            cell.text = self._say(key)
        for event in events:
            cells = table.add_row().cells
            what = self.phrases.say(f"ticket_action.{event.action.value}")
            moved = event.from_status is not None and event.from_status is not event.to_status
            cells[0].text = local_time(event.at)
            cells[1].text = f"{what}（{event.to_status}）" if moved else what
            sender = self.phrases.say(f"console.code.sender.{event.actor.kind.value}")
            cells[2].text = _printable(event.actor.name) or sender


def _blank() -> Page:
    page = Document()
    style = page.styles["Normal"]
    style.font.name, style.font.size = FONT, Pt(11)
    # Word takes the font of Chinese letters from an attribute of its own.
    for name in ("Normal", "Title", "Heading 1"):
        fonts = page.styles[name].element.get_or_add_rPr().get_or_add_rFonts()
        fonts.set(qn("w:eastAsia"), FONT)
    return page


def _printable(text: str) -> str:
    """Without the control characters that XML forbids."""
    return "".join(letter for letter in text if letter in "\t\n" or ord(letter) >= ord(" "))
