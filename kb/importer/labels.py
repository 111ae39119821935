"""Typed numbers and marks at the start of a line: 第一章, （二）, 3.2.1, 1、, ①, 【…】, 步骤一.

Says which pattern a line opens with and what number it carries; whether that makes it a heading is
decided in `headings`, from the whole file.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class LabelKind(StrEnum):
    """The patterns, in the order in which careful authors nest them."""

    CHAPTER = "chapter"  # 第一章, 第2部分
    APPENDIX = "appendix"  # 附录A, 附件1
    SECTION = "section"  # 第一节
    CHINESE = "chinese"  # 一、 一．
    CHINESE_PAREN = "chinese_paren"  # （一）
    LETTER = "letter"  # A、 A.
    ARABIC = "arabic"  # 1. 1、 1．
    DECIMAL = "decimal"  # 1.1, 3.2.2.1
    ARABIC_PAREN = "arabic_paren"  # （1）
    ARABIC_CLOSE = "arabic_close"  # 1) 1）、
    CIRCLED = "circled"  # ①
    LETTER_CLOSE = "letter_close"  # a) (a)
    STAGE = "stage"  # 步骤一, 第一步
    QUESTION = "question"  # 问：, Q1.
    ANSWER = "answer"  # 答：, A1.
    BULLET = "bullet"  # • ● ◆


@dataclass(frozen=True, slots=True)
class Label:
    """The number a line opens with: as typed, what it counts, and the text after it."""

    kind: LabelKind
    text: str
    value: tuple[int, ...]
    rest: str


_HAN = "零〇一二两三四五六七八九十百"
_DIGITS = {char: number for number, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_STOP = r"[、.．,，:：。]"
_GAP = r"[ \u3000]*"

_PATTERNS: tuple[tuple[LabelKind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (LabelKind.STAGE, rf"步[骤驟]{_GAP}(?P<n>[{_HAN}]+|\d{{1,2}}){_STOP}?(?=.)"),
        (LabelKind.STAGE, rf"第{_GAP}(?P<n>[{_HAN}]+|\d{{1,2}}){_GAP}步{_STOP}?(?=.)"),
        (
            LabelKind.CHAPTER,
            rf"第{_GAP}(?P<n>[{_HAN}]+|\d{{1,3}}){_GAP}(?:章|篇|部分|编|单元){_STOP}?",
        ),
        (LabelKind.SECTION, rf"第{_GAP}(?P<n>[{_HAN}]+|\d{{1,3}}){_GAP}节{_STOP}?"),
        (
            LabelKind.APPENDIX,
            rf"(?:附录|附錄|附件|附表){_GAP}(?P<n>[{_HAN}]+|\d{{1,2}}|[A-Z](?![a-z])){_STOP}?",
        ),
        (LabelKind.CHINESE, rf"(?P<n>[{_HAN}]{{1,4}}){_GAP}[、.．]"),
        (LabelKind.CHINESE_PAREN, rf"[(（](?P<n>[{_HAN}]{{1,4}})[)）]{_STOP}?"),
        (LabelKind.DECIMAL, r"(?P<n>\d{1,3}(?:[.．]\d{1,3}){1,6})(?:[.．](?=\D|$)|、|(?=\D|$))"),
        (LabelKind.ARABIC, r"(?P<n>\d{1,3})(?:、|[.．](?=\D|$))"),
        (LabelKind.ARABIC_PAREN, rf"[(（](?P<n>\d{{1,3}})[)）]{_STOP}?"),
        (LabelKind.ARABIC_CLOSE, rf"(?P<n>\d{{1,3}})[)）》]{_STOP}?"),
        (LabelKind.CIRCLED, rf"(?P<n>[①-⑳㉑-㉟㊱-㊿❶-❿⓵-⓾]){_STOP}?"),
        (LabelKind.LETTER_CLOSE, r"[(（]?(?P<n>[A-Za-z])[)）]、?"),
        (LabelKind.QUESTION, r"(?:[问問]题?|Q|q)\s*(?P<n>\d{0,3})\s*[:：.、．](?=.)"),
        (LabelKind.ANSWER, r"(?:答|A|a)\s*(?P<n>\d{0,3})\s*[:：]"),
        (LabelKind.LETTER, r"(?P<n>[A-Z])(?:、|[.．](?=[^A-Za-z0-9]))"),
        (LabelKind.BULLET, r"(?P<n>[•●○■□◆◇▪▶►➢➤✓✔★☆※·]|[-+*](?= ))"),
    )
)
_UNIT = re.compile(r"[万亿%％倍℃]|元(?!素)|[GMKTgmkt][Bb]?(?![A-Za-z])|版(?:本|$)|以上|以下")
_SPACED = re.compile(r"(\d{1,2}) +(?=[\u4e00-\u9fffA-Za-z])")
_BRACKETED = re.compile(r"【(?P<name>[^【】]{2,40})】(?P<tail>[（(][^（）()]{1,20}[）)])?[:：]?$")


def read_label(text: str) -> Label | None:
    """The label that `text` opens with; None where the digits are a date, an amount, a version."""
    for kind, pattern in _PATTERNS:
        match = pattern.match(text)
        if match is not None:
            label = _label(kind, match, text)
            if label is not None:
                return label
    return None


def read_heading_label(text: str) -> Label | None:
    """The same for a line that is a heading for certain, where `1 概述` counts too."""
    label = read_label(text)
    if label is not None:
        return label
    match = _SPACED.match(text)
    if match is None:
        return None
    return Label(LabelKind.ARABIC, match[1], (int(match[1]),), text[match.end() :])


def read_automatic(rendered: str) -> Label | None:
    """The same for a number that the file counts itself, such as `1.1` or `第二章` or `3`."""
    label = read_label(rendered + " x")
    if label is not None and label.rest == "x":
        return Label(label.kind, rendered, label.value, "")
    digits = re.fullmatch(r"(\d+(?:\.\d+)*)\.?", rendered)
    if digits is None:
        return None
    value = tuple(int(part) for part in digits[1].split("."))
    return Label(LabelKind.DECIMAL if len(value) > 1 else LabelKind.ARABIC, rendered, value, "")


def bracketed(text: str) -> str | None:
    """The name inside a line that is nothing but 【name】, colon or short remark allowed."""
    match = _BRACKETED.match(text)
    return None if match is None else match["name"].rstrip("：:") + (match["tail"] or "")


def chinese_number(text: str) -> int:
    """一百零二 → 102, 二〇 → 20; 0 where it is no number."""
    if "百" not in text and "十" not in text:
        digits = [str(_DIGITS.get(char, 0)) for char in text]
        return int("".join(digits) or "0")
    hundreds, _, below = text.rpartition("百")
    tens, ten, ones = below.lstrip("零〇").rpartition("十")
    total = (_DIGITS.get(hundreds, 1) * 100) if "百" in text else 0
    total += (_DIGITS.get(tens, 1) * 10) if ten else 0
    return total + _DIGITS.get(ones, 0)


def _label(kind: LabelKind, match: re.Match[str], text: str) -> Label | None:
    value = _value(match["n"])
    rest = text[match.end() :].strip()
    if kind is LabelKind.DECIMAL and not _is_outline_number(value, text[match.end() :]):
        return None
    if kind is LabelKind.ARABIC and value == (0,):
        return None
    return Label(kind, match[0].strip(), value, rest)


def _is_outline_number(value: tuple[int, ...], after: str) -> bool:
    """3.2 is one; 2012.9.1, 1.5万元, 2.0版, 0.5 and 127.0.0.1 are not."""
    measured = len(value) == 2 and _UNIT.match(after) is not None
    return all(part > 0 for part in value) and value[0] < 100 and not measured


def _value(text: str) -> tuple[int, ...]:
    if not text:
        return (0,)
    if text[0] in _HAN:
        return (chinese_number(text),)
    if len(text) == 1 and not text.isdecimal():
        return (_single(text),)
    return tuple(int(part) for part in re.split(r"[.．]", text))


def _single(char: str) -> int:
    if char.isascii() and char.isalpha():
        return ord(char.upper()) - ord("A") + 1
    number = unicodedata.numeric(char, 0)
    return int(number)
