"""Reads the yearly notice of days off, or a table of days, as people paste it.

Pure. What is not understood is said by line and left out: a day that is guessed would move
deadlines. Refuses to know what a calendar holds already.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from handoff.calendar import ExceptionKind
from handoff.calendar_text import ExceptionDraft

#: A notice is a page; no arrangement of one holiday is nearly as long as this.
MAX_CHARS, MAX_SPAN_DAYS, MAX_DOUBT_CHARS, MAX_NAME_CHARS = 20_000, 31, 80, 20
#: The holidays that each year's notice arranges; the National Day may be named together with
#: the Mid-Autumn Festival.
HOLIDAYS = ("元旦", "春节", "清明", "劳动", "端午", "中秋", "国庆")
#: Days of the year before and after that belong to a notice: New Year's may reach into them.
_AROUND = timedelta(days=7)
_DAY = (
    r"(?:(?P<year{n}>\d{{4}})\s*[年/.-]\s*)?(?P<month{n}>\d{{1,2}})\s*[月/.-]\s*"
    r"(?P<day{n}>\d{{1,2}})(?!\d)\s*日?"
)
#: The day of the moon may stand before it.
_WEEKDAY = r"\s*(?:\((?:[^()]{{0,20}}[、, ])?(?:周|星期)(?P<weekday{n}>[一二三四五六日天])\s*\))?"
_FIRST = _DAY.format(n="") + _WEEKDAY.format(n="")
_LAST = (
    r"(?:(?:(?P<year2>\d{4})\s*[年/.-]\s*)?(?P<month2>\d{1,2})\s*[月/.-]\s*)?"
    r"(?P<day2>\d{1,2})(?!\d)\s*日?" + _WEEKDAY.format(n="2")
)
_TOKEN = re.compile(
    rf"(?P<span>(?<!\d){_FIRST}(?:\s*(?:至|到|~|-{{1,2}}|–|—{{1,2}})\s*{_LAST})?)"
    r"|(?P<count>共\s*(?P<total>\d{1,2})\s*天)"
    r"|(?P<work>调休上班|补班|(?<!不)上班|工作日|(?<![值加上])班)"
    r"|(?P<closed>(?<!不)放假|休息|调休|补休|休)"
)
_HEADING = re.compile(r"^\s*(?:[一二三四五六七八九十]+\s*[、.]|\(?\d{1,2}\)?\s*[、.](?!\d))?\s*")
_NAME = re.compile(r"^(?P<name>[\u4e00-\u9fff、]{2,20}?)(?:节日)?\s*:")
_TITLE_YEAR = re.compile(r"(?<!\d)(\d{4})\s*年(?!\s*\d)")
_SIGNS = "一二三四五六日"
_SIGN = re.compile(r"(?:周|星期)[一二三四五六日天]$")


class DoubtReason(StrEnum):
    """Why something in the text was left out, or should be looked at."""

    NOTHING = "nothing"
    NO_YEAR = "no_year"
    NO_KIND = "no_kind"
    DATE = "date"
    SPAN = "span"
    OTHER_YEAR = "other_year"
    WEEKDAY = "weekday"
    COUNT = "count"
    TWICE = "twice"
    CONTRADICTION = "contradiction"
    INCOMPLETE = "incomplete"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something not understood, or not believed. ``line`` counts from 1; 0 is the whole text."""

    line: int
    text: str
    reason: DoubtReason


@dataclass(frozen=True, slots=True)
class NoticeDay:
    """One day: off, or worked though the week says otherwise."""

    date: date
    kind: ExceptionKind
    name: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What a text says. ``complete``: years all of whose holidays are named in it."""

    days: tuple[NoticeDay, ...]
    doubts: tuple[Doubt, ...]
    complete: frozenset[int]

    def lines(self) -> tuple[ExceptionDraft, ...]:
        """The days as a calendar's form takes them, neighbours together."""
        found: list[list[NoticeDay]] = []
        for day in self.days:
            before = found[-1][-1] if found else None
            if before is not None and _goes_on(before, day):
                found[-1].append(day)
            else:
                found.append([day])
        return tuple(_draft(run) for run in found)


def _goes_on(before: NoticeDay, day: NoticeDay) -> bool:
    follows = day.date - before.date == timedelta(days=1)
    return follows and (day.kind, day.name) == (before.kind, before.name)


def _draft(run: Sequence[NoticeDay]) -> ExceptionDraft:
    first, last = run[0], run[-1]
    until = last.date.isoformat() if last.date != first.date else ""
    return ExceptionDraft(first.date.isoformat(), until, first.kind.value, "", first.name)


def read_notice(text: str, *, year: int | None, unnamed: str) -> Notice:
    """What a notice or a table says of ``year``; without one, of the years that it names.

    ``unnamed`` names days off whose line does not. Raises nothing: see :class:`Doubt`.
    """
    reader = _Reader(year, unnamed)
    if len(text) > MAX_CHARS:
        reader.doubt(DoubtReason.TOO_LONG)
    for number, line in enumerate(text[:MAX_CHARS].splitlines(), 1):
        # Runs of blanks would make the patterns look again and again.
        reader.read(number, " ".join(unicodedata.normalize("NFKC", line).split()))
    return reader.finished()


@dataclass(slots=True)
class _Reader:
    """Walks over the lines, and keeps what the one before said about the year."""

    wanted: int | None
    unnamed: str
    year: int | None = None
    line: int = 0
    source: str = ""
    days: dict[date, NoticeDay] = field(default_factory=dict)
    doubts: list[Doubt] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.year = self.wanted

    def doubt(self, reason: DoubtReason, text: str = "") -> None:
        self.doubts.append(Doubt(self.line, (text or self.source)[:MAX_DOUBT_CHARS], reason))

    def read(self, number: int, line: str) -> None:
        self.line, self.source = number, line
        tokens = list(_TOKEN.finditer(line))
        if not any(token["span"] for token in tokens):
            self._without_days(line, tokens)
            return
        body = _HEADING.sub("", line, count=1)
        named = _NAME.match(body)
        name = named["name"] if named else _table_name(line, tokens)
        self._days_of(tokens, name[:MAX_NAME_CHARS])

    def _without_days(self, line: str, tokens: Sequence[re.Match[str]]) -> None:
        title = _TITLE_YEAR.search(line)
        if title:
            self.year = self.wanted or int(title[1])
        elif any(token["work"] or token["closed"] for token in tokens):
            self.doubt(DoubtReason.NOTHING)

    def _days_of(self, tokens: Sequence[re.Match[str]], name: str) -> None:
        """Days stand before the word that says what they are."""
        open_spans: list[re.Match[str]] = []
        off = 0
        said: int | None = None
        for token in tokens:
            if token["span"]:
                open_spans.append(token)
            elif token["count"]:
                said = int(token["total"])
            elif open_spans:
                kind = ExceptionKind.WORK if token["work"] else ExceptionKind.CLOSED
                days = [day for span in open_spans for day in self._span(span)]
                off += len(days) if kind is ExceptionKind.CLOSED else 0
                self._keep(days, kind, name)
                open_spans = []
        for span in open_spans:
            self.doubt(DoubtReason.NO_KIND, span["span"])
        if said is not None and off and said != off:
            self.doubt(DoubtReason.COUNT)

    def _span(self, span: re.Match[str]) -> Iterator[date]:
        """The days of a span, as far as they can be believed."""
        year = int(span["year"]) if span["year"] else self.year
        if year is None:
            self.doubt(DoubtReason.NO_YEAR, span["span"])
            return
        if span["year"] and self.wanted is None:
            self.year = year
        first = _date(year, span["month"], span["day"])
        last = first if span["day2"] is None else self._last(span, year)
        if first is None or last is None:
            self.doubt(DoubtReason.DATE, span["span"])
            return
        if not first <= last <= first + timedelta(days=MAX_SPAN_DAYS):
            self.doubt(DoubtReason.SPAN, span["span"])
            return
        for day, sign in ((first, span["weekday"]), (last, span["weekday2"])):
            if sign and _SIGNS[day.weekday()] != sign.replace("天", "日"):
                self.doubt(DoubtReason.WEEKDAY, span["span"])
        yield from (first + timedelta(days=n) for n in range((last - first).days + 1))

    def _last(self, span: re.Match[str], year: int) -> date | None:
        month = span["month2"] or span["month"]
        if span["year2"]:
            year = int(span["year2"])
        elif int(month) < int(span["month"]):
            year += 1
        return _date(year, month, span["day2"])

    def _keep(self, days: Sequence[date], kind: ExceptionKind, name: str) -> None:
        wanted = self.wanted
        other = [day for day in days if wanted is not None and not _belongs(day, wanted)]
        if other:
            self.doubt(DoubtReason.OTHER_YEAR, other[0].isoformat())
        for day in days:
            known = self.days.get(day)
            if day in other:
                continue
            if known is None:
                self.days[day] = NoticeDay(day, kind, name or self.unnamed)
            elif known.kind is kind:
                self.doubt(DoubtReason.TWICE, day.isoformat())
            else:
                self.doubt(DoubtReason.CONTRADICTION, day.isoformat())

    def finished(self) -> Notice:
        self.line, self.source = 0, ""
        days = tuple(self.days[day] for day in sorted(self.days))
        years = {one.date.year for one in days} if self.wanted is None else {self.wanted}
        complete = frozenset(year for year in years if _is_whole(days, year))
        if days and not complete:
            self.doubt(DoubtReason.INCOMPLETE)
        return Notice(days, tuple(self.doubts), complete)


def _table_name(line: str, tokens: Sequence[re.Match[str]]) -> str:
    """What is left of a line of a table once days and words are taken out."""
    rest = line
    for token in reversed(tokens):
        rest = rest[: token.start()] + " " + rest[token.end() :]
    han = [word for word in re.findall(r"[\u4e00-\u9fff]{2,20}", rest) if not _SIGN.match(word)]
    return han[0] if han and not re.search(r"[。;,]", rest.replace("、", "")) else ""


def _is_whole(days: Sequence[NoticeDay], year: int) -> bool:
    names = {one.name for one in days if _belongs(one.date, year)}
    return all(any(holiday in name for name in names) for holiday in HOLIDAYS)


def _belongs(day: date, year: int) -> bool:
    return date(year, 1, 1) - _AROUND <= day <= date(year, 12, 31) + _AROUND


def _date(year: int, month: str, day: str) -> date | None:
    try:
        return date(year, int(month), int(day))
    except ValueError:
        return None
