"""Reads title, version, date and other particulars off a cover, a file name, and front matter.

The cover itself is no answer to anything, so once read its lines are dropped; sentences, steps and
remarks that stand before the first heading are content and stay.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kb.importer.elements import Box, Element, Grid, Line, Picture, Role
from kb.importer.labels import read_label
from kb.importer.shape import remark
from kb.sections import is_revision_record

_SENTENCE = re.compile("[，。；！？]|[：:]\\S{6}")
_SENTENCE_CHARS = 12
_VERSION = re.compile(
    r"(?:版\s*本\s*号?|当前版本|version|ver)\s*[:：.]?\s*[<〈《]?\s*[Vv]?(?P<a>\d+(?:\.\d+)*[a-z]?)"
    r"|(?<![A-Za-z])[Vv]\s?(?P<b>\d+(?:\.\d+)+[a-z]?|\d{1,2}(?!\d))",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d{2})\s*(?:年|[./-])\s*(?P<m>1[0-2]|0?[1-9])(?!\d)"
    r"(?:\s*(?:月|[./-])\s*(?:(?P<d>3[01]|[12]\d|0?[1-9])(?!\d)\s*日?)?)?"
)
_COMPACT_DATE = re.compile(
    r"(?<!\d)(?P<y>20\d{2})(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?!\d)"
)
_YEAR = re.compile(r"(?<!\d)(?P<y>20\d{2})\s*年(?!\s*\d)")
_KEYS = (
    "编制单位|编写单位|发布单位|主办单位|适用对象|适用范围|适用系统|适用区划|适用年度|适用版本|"
    "文号|文档编号|文档版本|当前版本|版本号?|发布日期|编制日期|更新日期|生效日期|失效日期|密级|编制人?|审核人?|批准人?"
)
_PARTICULAR = re.compile(
    rf"(?:^|\s)(?P<key>{_KEYS})\s*[:：]\s*(?P<value>\S.{{0,60}}?)(?=\s+(?:{_KEYS})\s*[:：]|$)"
)
_TITLE_WORDS = (
    "手册",
    "指引",
    "指南",
    "说明",
    "说明书",
    "文档",
    "教程",
    "须知",
    "规程",
    "通知",
    "问答",
    "FAQ",
)
_GENERIC_TITLES = """
操作说明 使用说明 用户手册 操作手册 使用手册 说明书 操作指引 操作指南 用户指南 使用指南
帮助文档 帮助 目录 文档 首页 系统操作手册 系统使用说明 index readme untitled 新建文档 无标题
"""
_GENERIC = frozenset(_GENERIC_TITLES.split())
_STEM_NOISE = re.compile(
    r"^\d{1,3}[_.\-、\s]+(?=\D)|\s*[-_]?\s*副本(?:\s*[（(]\d+[）)])?$|"
    r"[（(](?:最新版?|终稿|定稿|修订稿?|正式版?|\d{1,2})[）)]\d*|"
    r"(?:最终版|终稿|定稿|最新版)\d*$|[_\-\s]*[Vv]\d+(?:\.\d+)*$|[_\-\s]*20\d{6}$"
)


@dataclass(frozen=True, slots=True)
class Particulars:
    """What a guide says about itself."""

    title: str
    version: str | None
    issued: str | None
    meta: Mapping[str, str]


def read_particulars(
    cover: Sequence[Element], *, name: str, title: str, meta: Mapping[str, str]
) -> Particulars:
    """Judge the cover's lines, the declared title and the file's name together."""
    lines = [element for element in cover if isinstance(element, Line)]
    stem = clean_stem(name)
    texts = [line.text for line in lines]
    found = dict(_particulars(texts))
    sources = [meta.get("version", ""), *texts, name]
    dates = [meta.get("date", ""), found.get("发布日期", ""), *texts, name]
    return Particulars(
        title=_choose_title(title or _largest(lines), stem),
        version=_first(map(read_version, sources)),
        issued=_first(map(read_date, dates)),
        meta={**meta, **found},
    )


def content_of_cover(cover: Sequence[Element], title: str) -> list[Element]:
    """The part of the cover that answers something."""
    sentences = any(isinstance(element, Line) and _is_content(element) for element in cover)
    return [element for element in cover if _stays(element, title, sentences=sentences)]


def content_of_opening(opening: Sequence[Element], title: str) -> list[Element]:
    """The same for formats without covers: all but the title and the particulars."""
    return [element for element in opening if not _is_formal(element, title)]


def _is_formal(element: Element, title: str) -> bool:
    """The title, a particular, the record of versions."""
    if isinstance(element, Grid):
        return _is_history(element)
    if not isinstance(element, Line):
        return False
    text = element.text
    return text == title or is_particular(text) or is_revision_record(text)


def _stays(element: Element, title: str, *, sentences: bool) -> bool:
    match element:
        case Line():
            return _is_content(element) and element.text != title
        case Box(callout=callout):
            return bool(callout.title) or _SENTENCE.search(callout.text) is not None
        case Grid():
            return not _is_history(element)
        case Picture():
            return sentences


def is_title_slide(body: Sequence[Element]) -> bool:
    """A first slide that says what the deck is, its version or date, and nothing else."""
    lines = [element for element in body if isinstance(element, Line)]
    if len(lines) < len(body) or any(map(_is_content, lines)):
        return False
    return not lines or any(map(_is_about_itself, lines))


def clean_stem(name: str) -> str:
    """A file name without folder, extension, leading number, version and 终稿."""
    stem = name.replace("\\", "/").rpartition("/")[2]
    stem = stem.rpartition(".")[0] or stem
    previous = ""
    while previous != stem:
        previous, stem = stem, _STEM_NOISE.sub("", stem).strip(" _-")
    return stem or name


def read_version(text: str) -> str | None:
    """`2.0` from 版本号：V2.0; None without one."""
    match = _VERSION.search(text)
    return None if match is None else match["a"] or match["b"]


def read_date(text: str) -> str | None:
    """ISO 8601 as exact as written: 2023年12月 → 2023-12."""
    match = _DATE.search(text) or _COMPACT_DATE.search(text)
    if match is None:
        year = _YEAR.search(text)
        return year["y"] if year else None
    parts = [match["y"], f"{int(match['m']):02d}"]
    if match["d"]:
        parts.append(f"{int(match['d']):02d}")
    return "-".join(parts)


def names_a_guide(heading: str, name: str) -> bool:
    """Whether a lone top heading is the title of the file: it says so, or the file's name does."""
    stem = re.sub(r"\W", "", clean_stem(name))
    bare = re.sub(r"\W", "", heading)
    alike = min(len(bare), len(stem)) > 3 and (bare in stem or stem in bare)
    return alike or heading.endswith(_TITLE_WORDS)


def is_generic(title: str) -> bool:
    """A title that many guides share and that names none of them."""
    return re.sub(r"\s", "", title).lower() in _GENERIC


def is_particular(text: str) -> bool:
    """`发布日期：2026年4月20日` and the like."""
    return _PARTICULAR.match(text) is not None


def _choose_title(declared: str, stem: str) -> str:
    """The file's own title, unless the file's name says the same and more."""
    if not declared or is_generic(declared) or declared in stem:
        return stem
    return declared


def _largest(lines: Sequence[Line]) -> str:
    sized = [line for line in lines if line.size is not None and len(line.text) > 3]
    if not sized:
        return ""
    largest = max(line.size or 0 for line in sized)
    return next(line.text for line in sized if line.size == largest)


def _particulars(texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for text in texts:
        for match in _PARTICULAR.finditer(text):
            yield match["key"], match["value"].strip()


def _first(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value), None)


def _is_about_itself(line: Line) -> bool:
    text = line.text
    return is_particular(text) or bool(read_version(text)) or bool(read_date(text))


def _is_content(line: Line) -> bool:
    if line.role is Role.TITLE or _is_formal(line, ""):
        return False
    if (
        line.role in {Role.ITEM, Role.STEP}
        or line.icons
        or remark(line.text)
        or read_label(line.text)
    ):
        return True
    if line.text[-1] in "。；！？":
        return True
    return len(line.text) >= _SENTENCE_CHARS and _SENTENCE.search(line.text) is not None


def _is_history(grid: Grid) -> bool:
    """A table of versions: 版本 | 日期 | 修改人 | 说明."""
    head = "".join(grid.table.rows[0])
    return "版本" in head and ("日期" in head or "时间" in head)
