"""Tables of questions and answers, whatever program made them.

Three shapes are known: columns under a header (ours, 问题|…|解决办法, ID|QUESTION|ANSWER), `Q:` and
`A:` stacked in one column, and `Q:` beside `A:`. Every other table is not a question table.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kb.importer.intake import Intake
from kb.sections import FaqEntry, Image, WarningCode

Row = tuple[str, ...]

_NAMES = {
    "question": """question questions q 问题 标准问 标准问题 标准问法 问题描述 问题现象 常见问题
        咨询问题 问题内容 问题标题 提问 问 故障现象 现象 问题及现象 主问题 提示原文 提示信息
        提示内容 报错信息 报错内容 报错提示 错误提示 错误信息 审核提示""",
    "answer": """answer answers a 答案 标准答案 回答 答复 解答 解决办法 解决方法 解决方案 处理办法
        处理方法 处理方式 处理措施 处理 解决措施 答复内容 回复 回复内容 处理建议 答 操作方法
        解决""",
    "similar": "similar 相似问 相似问题 相似问法 扩展问 扩展问法 同义问 同义问法 其他问法 相似提问",
    "module": "module 模块 功能模块 所属模块 系统模块 功能 所属功能 业务模块",
    "ref": "ref reference id 出处 来源 依据 事实编号 答案编号 知识编号",
    "category": "category 分类 类别 问题分类 问题类别 问题类型 工单类别",
    "kind": "kind 答复方式 回答方式",
    "cause": "原因 问题原因 原因分析 产生原因 可能原因 含义 cause",
}
_COLUMNS: Mapping[str, frozenset[str]] = {
    meaning: frozenset(names.split()) for meaning, names in _NAMES.items()
}
_IGNORED = {"序号", "编号", "no", "no.", "#", "行号", "index"}
_HEADER_ROWS = 6  # a title, a note and an empty line may stand above the header
_QUESTION = re.compile(r"(?:Q|q|问题?)\s*\d{0,3}\s*[:：.．、]\s*(?=\S)")
_ANSWER = re.compile(r"(?:A|a|答案?|回答)\s*\d{0,3}\s*[:：.．、]\s*")
_SIMILAR = re.compile(r"[\n|｜]+")
_KINDS = {"": "answer", "answer": "answer", "回答": "answer", "答复": "answer",
          "collect": "collect", "收集": "collect", "登记": "collect"}  # fmt: skip
_LEAST_PAIRS = 0.5  # of a sheet's rows must open with Q or A


@dataclass(frozen=True, slots=True)
class Sheet:
    """Cells as text, merged ones filled; `numbers` are the rows' own, where some were left out.

    `pictures` are those that stand beside a row, by the row's place in `rows`.
    """

    name: str
    rows: tuple[Row, ...]
    numbers: tuple[int, ...] = ()
    pictures: Mapping[int, tuple[Image, ...]] = field(default_factory=dict)

    def where(self, at: int) -> str:
        """How a notice names a row."""
        return f"{self.name}:{self.numbers[at] if self.numbers else at + 1}"

    def shots(self, at: int) -> str:
        """The pictures beside a row as lines of an answer, each opened by a line end."""
        return "".join(
            f"\n![{image.caption}](/media/{image.sha256})" for image in self.pictures.get(at, ())
        )


def read_faq(sheet: Sheet, intake: Intake) -> list[FaqEntry] | None:
    """The sheet's entries, or None when it is no question table."""
    header = _find_header(sheet.rows)
    if header is not None:
        return list(_columns(sheet, *header, intake))
    if _is_stacked(sheet.rows):
        return list(_stacked(sheet, intake))
    return None


def missing_columns(rows: Sequence[Row]) -> str:
    """What a refusal says about a table that is none: its first row."""
    first = next((row for row in rows if any(row)), ())
    return " | ".join(cell for cell in first if cell)[:200]


def _find_header(rows: Sequence[Row]) -> tuple[int, dict[str, int]] | None:
    for at, row in enumerate(rows[:_HEADER_ROWS]):
        named = _named(row)
        if "question" in named and "answer" in named and named["question"] != named["answer"]:
            return at, named
    return None


def _named(row: Row) -> dict[str, int]:
    """Column places by field; the first column wins where two carry the same name."""
    named: dict[str, int] = {}
    for at, cell in enumerate(row):
        key = re.sub(r"[\s*＊（(].*$", "", cell.strip()).lower()
        for meaning, names in _COLUMNS.items():
            if key in names:
                named.setdefault(meaning, at)
    return named


def _columns(sheet: Sheet, at: int, named: dict[str, int], intake: Intake) -> Iterator[FaqEntry]:
    header = sheet.rows[at]
    extra = [
        (column, " ".join(name.split()))
        for column, name in enumerate(header)
        if name and column not in named.values() and name.strip().lower() not in _IGNORED
    ]
    for offset, row in enumerate(sheet.rows[at + 1 :], start=at + 1):
        if any(row):
            cells = _Row(row, named, header, sheet.shots(offset))
            entry = _entry(cells, extra, (sheet.name, sheet.where(offset)), intake)
            if entry is not None:
                yield entry


@dataclass(frozen=True, slots=True)
class _Row:
    cells: Row
    named: Mapping[str, int]
    header: Row
    shots: str = ""

    def get(self, field: str) -> str:
        at = self.named.get(field)
        return self.cells[at].strip() if at is not None and at < len(self.cells) else ""

    def at(self, column: int) -> str:
        return self.cells[column].strip() if column < len(self.cells) else ""


def _entry(
    row: _Row, extra: Sequence[tuple[int, str]], place: tuple[str, str], intake: Intake
) -> FaqEntry | None:
    group, where = place
    question = _QUESTION.sub("", row.get("question"), count=1).strip()
    answer = _answer(row, extra)
    if not question:
        intake.note(WarningCode.MALFORMED_ROW, f"{where} no question")
        return None
    if not row.get("answer") and not row.shots:
        intake.note(WarningCode.EMPTY_ANSWER, f"{where} {question}")
        return None
    kind = _KINDS.get(row.get("kind").lower())
    if kind is None:
        intake.note(WarningCode.MALFORMED_ROW, f"{where} kind {row.get('kind')}")
        kind = "collect"  # the careful reading: better no answer than one nobody meant to give
    return FaqEntry(
        question=question,
        answer=answer,
        similar=_similar(row.get("similar"), question),
        module=row.get("module"),
        ref=row.get("ref"),
        category=row.get("category"),
        kind=kind,
        group=group,
    )


def _answer(row: _Row, extra: Sequence[tuple[int, str]]) -> str:
    """Cause first, then the answer, then whatever else the table says, each with its name."""
    cause = row.get("cause")
    parts = [f"{' '.join(row.header[row.named['cause']].split())}：{cause}"] if cause else []
    parts.append(_ANSWER.sub("", row.get("answer"), count=1).strip())
    parts.extend(f"{name}：{row.at(column)}" for column, name in extra if row.at(column))
    return ("\n".join(filter(None, parts)) + row.shots).lstrip("\n")


def _similar(text: str, question: str) -> tuple[str, ...]:
    parts = (part.strip() for part in _SIMILAR.split(text))
    return tuple(dict.fromkeys(part for part in parts if part and part != question))


def _is_stacked(rows: Sequence[Row]) -> bool:
    cells = [cell for row in rows for cell in row if cell]
    marked = sum(1 for cell in cells if _QUESTION.match(cell) or _ANSWER.match(cell))
    asks = any(_QUESTION.match(cell) for cell in cells)
    return asks and marked >= len(cells) * _LEAST_PAIRS


def _stacked(sheet: Sheet, intake: Intake) -> Iterator[FaqEntry]:
    """Pairs in reading order; text without a mark goes on with what stands above it."""
    question, answer, where = "", "", ""
    for offset, row in enumerate(sheet.rows):
        for cell in filter(None, row):
            if _QUESTION.match(cell):
                yield from _pair(question, answer, where, sheet.name, intake)
                question, answer = _QUESTION.sub("", cell, count=1).strip(), ""
                where = sheet.where(offset)
            elif _ANSWER.match(cell) and not answer:
                answer = _ANSWER.sub("", cell, count=1).strip()
            elif question and not answer:
                question = f"{question}\n{cell}"
            elif question:
                answer = f"{answer}\n{cell}"
            else:
                intake.note(WarningCode.MALFORMED_ROW, sheet.where(offset))
        answer += sheet.shots(offset) if question else ""
    yield from _pair(question, answer, where, sheet.name, intake)


def _pair(question: str, answer: str, where: str, group: str, intake: Intake) -> Iterator[FaqEntry]:
    if question and answer:
        yield FaqEntry(question=question, answer=answer.lstrip("\n"), group=group)
    elif question:
        intake.note(WarningCode.EMPTY_ANSWER, f"{where} {question}")


def without_duplicates(entries: Sequence[FaqEntry], intake: Intake) -> tuple[FaqEntry, ...]:
    """Entries as they are; a question asked twice is noted, identical rows are kept once."""
    kept: dict[FaqEntry, None] = {}
    seen: set[str] = set()
    for entry in entries:
        key = re.sub(r"[\s?？。]", "", entry.question)
        if key in seen:
            intake.note(WarningCode.DUPLICATE_QUESTION, entry.question)
        seen.add(key)
        kept[entry] = None
    return tuple(kept)
