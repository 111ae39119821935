"""Links pointers in the text (操作同5.2.1, 见4.1.1, 同抽样管理, 如图1-2所示) to their sections.

A pointer that leads nowhere, or to more than one section, is reported instead of guessed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kb.importer.labels import read_automatic, read_label
from kb.importer.shape import caption_number
from kb.sections import Block, Image, ImportNotice, Reference, WarningCode, block_text

Path = tuple[str, ...]

_POINTER = (
    r"(?:操作|方法|步骤|流程|内容|功能|参数|设置|填写)?(?:方法|步骤|流程)?"
    r"(?:同|见|参见|参照|参考|详见|请见|参阅|如)"
)
_NUMBER = (
    r"第?\d{1,3}(?:\.\d{1,3})+|第[一二三四五六七八九十\d]+[章节]"
    r"|附[录件]\s?[一二三四五六七八九十\dA-Z]"
)
_BY_NUMBER = re.compile(rf"{_POINTER}\s*[“\"（(]?\s*(?P<n>{_NUMBER})")
_BY_NAME = re.compile(
    r"(?P<sure>(?:操作|方法|步骤|流程|办法)(?:方法|步骤)?)?(?:同|见|参见|参照|参考|详见|参阅)"
    r"\s*[“”\"【「]?"
)
_BY_FIGURE = re.compile(r"(?:如|见|参见)附?(?P<n>图\s?\d{1,3}(?:[-－.．]\d{1,3})*[a-z]?)")
_NAME_ENDS = re.compile(r"$|[\s，。；：、,.;:)）】」”\"]|是|一样|相同|的|中|里|部分|章|节|页面")
_LEAST_NAME_CHARS = 3
_LEAST_AFTER_WORD = 2  # 操作同查询: said so plainly, a shorter name will do


@dataclass(frozen=True, slots=True)
class Target:
    """A section that can be pointed at: its path, number and name without the number."""

    path: Path
    number: str
    name: str


class References:
    """Knows every section and captioned picture of one guide."""

    def __init__(self, targets: Sequence[Target], figures: Iterable[tuple[Path, Image]]) -> None:
        self._numbers = _index((_number_key(target.number), target.path) for target in targets)
        self._names = _index(
            (target.name, target.path)
            for target in targets
            if len(target.name) >= _LEAST_AFTER_WORD
        )
        self._by_start: dict[str, list[str]] = {}
        for name in sorted(self._names, key=len, reverse=True):
            self._by_start.setdefault(name[:_LEAST_AFTER_WORD], []).append(name)
        self._figures = _index(
            (f"图{caption_number(image.caption)}", path) for path, image in figures
        )

    def find(
        self, blocks: Sequence[Block], path: Path
    ) -> tuple[tuple[Reference, ...], tuple[ImportNotice, ...]]:
        """The pointers in a section's own blocks, and what could not be resolved."""
        found: dict[str, Reference] = {}
        notices: list[ImportNotice] = []
        for block in blocks:
            for text, targets in self._pointers(block_text(block)):
                if text in found or targets == [path]:
                    continue
                found[text] = Reference(text, targets[0] if len(targets) == 1 else None)
                if len(targets) != 1:
                    code = _unresolved(targets)
                    notices.append(ImportNotice(code, text, where=path))
        return tuple(found.values()), tuple(notices)

    def _pointers(self, text: str) -> Iterator[tuple[str, list[Path]]]:
        for match in _BY_NUMBER.finditer(text):
            yield match[0], self._numbers.get(_number_key(match["n"]), [])
        for match in _BY_FIGURE.finditer(text):
            targets = self._figures.get(match["n"].replace(" ", "").replace("－", "-"))
            if targets:
                yield match[0], targets
        for match in _BY_NAME.finditer(text):
            least = _LEAST_AFTER_WORD if match["sure"] else _LEAST_NAME_CHARS
            name = self._name_at(text, match.end(), least)
            if name is not None:
                yield match[0] + name, self._names[name]

    def _name_at(self, text: str, at: int, least: int) -> str | None:
        """The section name that stands there as a whole; 《…》 is the name of another document."""
        found = (
            name
            for name in self._by_start.get(text[at : at + _LEAST_AFTER_WORD], ())
            if len(name) >= least
            and text.startswith(name, at)
            and _NAME_ENDS.match(text, at + len(name))
        )
        return next(found, None)


def section_name(heading: str, number: str) -> str:
    """The heading without its number, as other sections refer to it."""
    if number and heading.startswith(number):
        return heading[len(number) :].strip()
    label = read_label(heading)
    return label.rest if label else heading


def _index(pairs: Iterable[tuple[str, Path]]) -> Mapping[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for key, path in pairs:
        if key and path not in found.setdefault(key, []):
            found[key].append(path)
    return found


def _number_key(number: str) -> str:
    """第三章 and 第3章 alike, 5.2.1 and 5.2.1. alike."""
    label = read_automatic(number.removeprefix("第")) or read_automatic(number)
    if label is None:
        return number
    return (
        ".".join(map(str, label.value)) if len(label.value) > 1 else f"{label.kind}{label.value[0]}"
    )


def _unresolved(targets: Sequence[Path]) -> WarningCode:
    return WarningCode.AMBIGUOUS_REFERENCE if targets else WarningCode.UNRESOLVED_REFERENCE
