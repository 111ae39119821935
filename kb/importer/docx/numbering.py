"""Automatic numbers of a Word file: counts paragraphs and renders what Word would print.

The digits are not in the text, so without this `3.4 停用与删除用户` reads 停用与删除用户. Neither
python-docx nor mammoth renders them. Source: ECMA-376 part 1, 17.9.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lxml import etree

from kb.importer.docx.package import W, is_on, value

_BULLET = "•"
_LEVELS = 9
_HAN = "零一二三四五六七八九"
_LEGAL = "零壹贰叁肆伍陆柒捌玖"
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_BRANCHES = "子丑寅卯辰巳午未申酉戌亥"
_ROMAN = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),
          (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Level:
    start: int
    form: str
    text: str
    restart: int | None  # 0: never; n: when a level up to n counts; None: any level above
    legal: bool
    style: str | None


class Numbering:
    """Counts as paragraphs go by; ask in document order."""

    def __init__(self, root: etree._Element | None) -> None:
        self._abstract: dict[str, dict[int, _Level]] = {}
        self._styled: dict[str, str] = {}  # style link → abstract id
        self._linked: dict[str, str] = {}  # abstract id → style link it borrows from
        self._instances: dict[str, tuple[str, dict[int, _Level], dict[int, int]]] = {}
        self._counters: dict[str, dict[int, int]] = {}
        self._seen: set[tuple[str, int]] = set()
        if root is not None:
            self._read(root)

    def label(self, number: str, level: int) -> str:
        """The printed number of the next paragraph of list `number`; empty where it prints none."""
        instance = self._instances.get(number)
        if instance is None or not 0 <= level < _LEVELS:
            return ""
        abstract, overrides, starts = instance
        levels = {**self._levels(abstract), **overrides}
        if level not in levels:
            return ""
        counters = self._counters.setdefault(abstract, {})
        self._count(number, level, levels, counters, starts)
        return _render(level, levels, counters)

    def level_of_style(self, number: str, style_id: str) -> int:
        """The level bound to a style that names the list but not the level."""
        instance = self._instances.get(number)
        levels = self._levels(instance[0]) if instance else {}
        bound = (at for at, level in levels.items() if style_id and level.style == style_id)
        return next(bound, 0)

    def _count(
        self,
        number: str,
        level: int,
        levels: Mapping[int, _Level],
        counters: dict[int, int],
        starts: Mapping[int, int],
    ) -> None:
        first = (number, level) not in self._seen
        self._seen.add((number, level))
        if first and level in starts:
            counters[level] = starts[level]
        else:
            counters[level] = counters.get(level, levels[level].start - 1) + 1
        for deeper in [at for at in counters if at > level]:
            restart = levels[deeper].restart if deeper in levels else None
            if restart is None or restart > level:
                del counters[deeper]

    def _levels(self, abstract: str) -> dict[int, _Level]:
        own = self._abstract.get(abstract, {})
        link = self._linked.get(abstract)
        if own or link is None:
            return own
        return self._abstract.get(self._styled.get(link, ""), {})

    def _read(self, root: etree._Element) -> None:
        for node in root.findall(W + "abstractNum"):
            abstract = node.get(W + "abstractNumId", "")
            self._abstract[abstract] = dict(map(_read_level, node.findall(W + "lvl")))
            style, link = value(node.find(W + "styleLink")), value(node.find(W + "numStyleLink"))
            if style is not None:
                self._styled[style] = abstract
            if link is not None:
                self._linked[abstract] = link
        for node in root.findall(W + "num"):
            abstract = value(node.find(W + "abstractNumId")) or ""
            overrides: dict[int, _Level] = {}
            starts: dict[int, int] = {}
            for override in node.findall(W + "lvlOverride"):
                _read_override(override, overrides, starts)
            self._instances[node.get(W + "numId", "")] = (abstract, overrides, starts)


def _read_level(node: etree._Element) -> tuple[int, _Level]:
    restart = value(node.find(W + "lvlRestart"))
    return _number(node.get(W + "ilvl"), 0), _Level(
        start=_number(value(node.find(W + "start")), 1),
        form=value(node.find(W + "numFmt")) or "decimal",
        text=value(node.find(W + "lvlText")) or "",
        restart=None if restart is None else _number(restart, 0),
        legal=is_on(node.find(W + "isLgl")),
        style=value(node.find(W + "pStyle")),
    )


def _read_override(
    node: etree._Element, overrides: dict[int, _Level], starts: dict[int, int]
) -> None:
    level = _number(node.get(W + "ilvl"), 0)
    start = value(node.find(W + "startOverride"))
    if start is not None:
        starts[level] = _number(start, 1)
    own = node.find(W + "lvl")
    if own is not None:
        overrides[level] = _read_level(own)[1]


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdigit() else default


def _render(level: int, levels: Mapping[int, _Level], counters: Mapping[int, int]) -> str:
    own = levels[level]
    if own.form == "bullet":
        return _BULLET
    if own.form == "none" and "%" not in own.text:
        return own.text.strip()

    def part(match: re.Match[str]) -> str:
        at = int(match[1]) - 1
        if at not in levels:
            return ""
        count = counters.get(at, levels[at].start)
        return format_number(count, "decimal" if own.legal else levels[at].form)

    return re.sub(r"%([1-9])", part, own.text).strip()


def format_number(count: int, form: str) -> str:
    """`count` as Word prints it in a number format; unknown formats print decimal."""
    return _FORMS.get(form, str)(count)


def _chinese(
    count: int, digits: str = _HAN, units: tuple[str, ...] = ("", "十", "百", "千")
) -> str:
    if not 0 < count < 10_000:
        return str(count) if count else digits[0]
    parts: list[str] = []
    for place, digit in zip(reversed(range(len(str(count)))), str(count), strict=True):
        if digit != "0":
            parts.append(digits[int(digit)] + units[place])
        elif parts and parts[-1] != digits[0]:
            parts.append(digits[0])
    text = "".join(parts).rstrip(digits[0])
    return text[1:] if text.startswith(digits[1] + units[1]) and digits == _HAN else text


def _digits(count: int) -> str:
    return "".join("〇一二三四五六七八九"[int(digit)] for digit in str(count))


def _letters(count: int) -> str:
    """1 → a, 27 → aa, as Word repeats letters."""
    return chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1) if count > 0 else "0"


def _roman(count: int) -> str:
    text = ""
    for worth, letters in _ROMAN:
        text += letters * (count // worth)
        count %= worth
    return text


def _circled(count: int) -> str:
    for first, last, base in ((1, 20, 0x2460), (21, 35, 0x3251), (36, 50, 0x32B1)):
        if first <= count <= last:
            return chr(base + count - first)
    return str(count)


def _cycle(signs: str) -> Callable[[int], str]:
    return lambda count: signs[(count - 1) % len(signs)]


_FORMS: Mapping[str, Callable[[int], str]] = {
    "decimalZero": lambda count: f"{count:02d}",
    "decimalFullWidth": lambda count: str(count).translate({48 + n: 0xFF10 + n for n in range(10)}),
    "chineseCounting": _chinese,
    "chineseCountingThousand": _chinese,
    "japaneseCounting": _chinese,
    "taiwaneseCounting": _chinese,
    "taiwaneseCountingThousand": _chinese,
    "chineseLegalSimplified": lambda count: _chinese(count, _LEGAL, ("", "拾", "佰", "仟")),
    "ideographDigital": _digits,
    "japaneseDigitalTenThousand": _digits,
    "taiwaneseDigital": _digits,
    "ideographTraditional": _cycle(_STEMS),
    "ideographZodiac": _cycle(_BRANCHES),
    "lowerLetter": _letters,
    "upperLetter": lambda count: _letters(count).upper(),
    "lowerRoman": lambda count: _roman(count).lower(),
    "upperRoman": _roman,
    "decimalEnclosedCircle": _circled,
    "decimalEnclosedCircleChinese": _circled,
    "decimalEnclosedFullstop": lambda count: f"{count}.",
    "decimalEnclosedParen": lambda count: f"({count})",
    "ideographEnclosedCircle": lambda count: chr(0x3220 + count - 1) if count <= 10 else str(count),
    "none": lambda _count: "",
}
