"""Plain text: one line, one paragraph; headings are whatever the lines themselves show."""

from kb.importer.characters import decode, tidy
from kb.importer.elements import Line, RawDocument
from kb.importer.intake import Intake
from kb.sections import WarningCode


def read_plain(data: bytes, intake: Intake) -> RawDocument:
    """The stream of a text file."""
    text, replaced = decode(data)
    if replaced:
        intake.note(WarningCode.REPLACED_CHARACTERS)
    lines = (tidy(line) for line in text.splitlines())
    return RawDocument("txt", tuple(Line(line) for line in lines if line))
