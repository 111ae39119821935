"""What a screenshot is about: the error messages on it, and the menu that it was taken in.

Pure. Everything else on a screen (tables, buttons, names) would only lead the search astray, so it
is left out here; the engineer sees it all.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.masking import mask
from kb.ocr import Line, Recognition

#: More error lines than this are a log, not a message.
MAX_ERRORS = 3
MAX_CHARS = 200
_MIN_HAN = 4
_HAN = re.compile(r"[\u4e00-\u9fff]")
_SENTENCE_END = re.compile(r"[。！？!?；;\s]+$")
_BREAKS = re.compile(r"\s*[。！？!?；;\n]+\s*")


@dataclass(frozen=True, slots=True)
class Cues:
    """Words to search by, masked, on one line; empty when there is nothing to go by."""

    text: str
    shows_error: bool


NO_CUES = Cues("", shows_error=False)


@dataclass(frozen=True, slots=True)
class ScreenReader:
    """Finds what matters on a screen, by words and signs that the deployment may extend."""

    errors: tuple[str, ...]
    codes: tuple[re.Pattern[str], ...]
    not_errors: tuple[str, ...]
    path_signs: re.Pattern[str]
    path_leads: tuple[str, ...]

    def cues(self, screen: Recognition) -> Cues:
        """The error messages in reading order, then the last two steps of the menu path."""
        texts = list(_sentences(screen))
        errors = [text for text in texts if self._is_error(text)][:MAX_ERRORS]
        lines = (line.text for line in screen.lines)
        place = next((path for text in lines if (path := self._place(text))), "")
        said = [_BREAKS.sub("，", _SENTENCE_END.sub("", each)) for each in (*errors, place) if each]
        return Cues(mask("，".join(said)[:MAX_CHARS]).text, bool(errors))

    def _is_error(self, text: str) -> bool:
        if any(word in text for word in self.not_errors):
            return False
        if any(code.search(text) for code in self.codes):
            return True
        return len(_HAN.findall(text)) >= _MIN_HAN and any(word in text for word in self.errors)

    def _place(self, text: str) -> str:
        steps = [step.strip(" :：") for step in self.path_signs.split(text)]
        led = any(text.lstrip().startswith(lead) for lead in self.path_leads)
        if len(steps) < 2 or not (led or len(steps) > 2) or not all(steps):
            return ""
        for lead in self.path_leads:
            steps = [step.removeprefix(lead).strip(" :：") for step in steps]
        named = [step for step in steps if len(_HAN.findall(step)) >= 2]
        return " ".join(named[-2:])


def load(path: Path) -> ScreenReader:
    """Read the words and signs. Raises ValueError, OSError or yaml.YAMLError for a bad file."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(raw, dict):
        raise ValueError("screens: a mapping is expected")
    return ScreenReader(
        errors=tuple(map(str, raw["errors"])),
        codes=tuple(re.compile(str(code)) for code in raw["codes"]),
        not_errors=tuple(map(str, raw["not_errors"])),
        path_signs=re.compile(f"[{re.escape(str(raw['path_signs']))}]"),
        path_leads=tuple(map(str, raw["path_leads"])),
    )


def _sentences(screen: Recognition) -> Iterator[str]:
    """Lines of text, those that a narrow dialog broke joined again."""
    rest: Sequence[Line] = [line for row in screen.rows() for line in row]
    while rest:
        first, *others = rest
        text, last = first.text.strip(), first
        for line in tuple(others):
            if _goes_on(text, last, line):
                text, last = text + line.text.strip(), line
                others.remove(line)
        yield text
        rest = others


def _goes_on(text: str, last: Line, line: Line) -> bool:
    """Whether ``line`` stands right below ``last``, begins where it does, and ends its sentence.

    Only a long line was broken for want of room; menus stand below each other too.
    """
    height = max(last.bottom - last.top, 1)
    below = -height / 2 < line.top - last.bottom < height
    aligned = abs(line.left - last.left) < height
    alike = abs((line.bottom - line.top) - height) < height / 2
    broken = (
        len(text) >= 12 and not _SENTENCE_END.search(text) and line.right <= last.right + height
    )
    # A button below a message is narrow and ends nothing.
    ends = _SENTENCE_END.search(line.text) or 2 * line.right > last.left + last.right
    return below and aligned and alike and broken and bool(ends)
