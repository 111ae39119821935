"""Heading and figure numbers in the styles that operation guides use.

Responsible for counting only; how a number looks on paper beyond its characters is the renderers'
business. Headings whose text starts with 附录, 附件, 前言 or ends with ``{-}`` have no number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

DIGITS = "零一二三四五六七八九"
FORMS = {
    "none": ("",),
    "official": ("{c}、", "（{c}）", "{n}．", "{n}）"),
    "technical": ("{dotted}",),
    "chapter": ("第{n}章", "{dotted}"),
    "chapter-cn": ("第{c}章", "{c}、", "（{c}）", "{n}）"),
}
UNNUMBERED = re.compile(r"^(附录[A-Z]|附[件表]\d|前言|Q\d)|\{-\}$")


def chinese(number: int) -> str:
    """``number`` (1..99) in Chinese numerals."""
    tens, ones = divmod(number, 10)
    head = ("" if tens == 1 else DIGITS[tens]) + "十" if tens else ""
    return head + (DIGITS[ones] if ones or not tens else "")


def written(scheme: str, counters: list[int]) -> str:
    """The number that ``scheme`` prints for a heading at ``counters`` (outermost first)."""
    forms = FORMS[scheme]
    form = forms[min(len(counters), len(forms)) - 1]
    last = counters[-1]
    return form.format(n=last, c=chinese(last), dotted=".".join(str(n) for n in counters))


@dataclass(slots=True)
class HeadingNumbers:
    """Counts the headings and figures of one guide."""

    scheme: str
    _counters: list[int] = field(default_factory=list)
    _figures: int = 0

    def next(self, level: int, text: str) -> tuple[str, str]:
        """The number and the bare text of the next heading."""
        if UNNUMBERED.search(text):
            return "", text.removesuffix("{-}").strip()
        del self._counters[level:]
        self._counters += [0] * (level - len(self._counters))
        self._counters[level - 1] += 1
        if level == 1:
            self._figures = 0
        return written(self.scheme, self._counters), text

    def figure(self) -> str:
        """The label of the next figure: chapter, hyphen, running number."""
        self._figures += 1
        return f"图{self._counters[0] if self._counters else 1}-{self._figures}"
