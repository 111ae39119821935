"""Reads contracts and calendars from their YAML files into values.

The only place that knows the files' form. Refuses anything it does not understand, naming the
file and the fault: a mistyped key must not silently become a promise that nobody keeps.
"""

import hashlib
from collections.abc import Hashable, Iterable, Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from typing_extensions import override

from handoff.calendar import Calendar, CalendarException, ExceptionKind, Span
from handoff.contract import (
    Clock,
    Contract,
    Origin,
    PhoneService,
    Promise,
    ServiceLevel,
    SeverityTable,
    Target,
    Terms,
)
from handoff.errors import InvalidTerms
from handoff.holidays import PublishedHolidays
from handoff.ticket import PauseReason
from store.vocabulary import Category, Severity

#: A file of terms is a page or two; anything larger is not one.
MAX_FILE_BYTES = 256 * 1024

Weekday = Literal["周一", "周二", "周三", "周四", "周五", "周六", "周日"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

Minutes = Annotated[int, Field(strict=True, gt=0, le=60 * 24 * 366)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Title = Annotated[str, Field(min_length=1, max_length=200)]


def _span(value: object) -> Span:
    if isinstance(value, Span):
        return value
    start, dash, end = str(value).partition("-")
    if not dash:
        raise ValueError(f"hours are written HH:MM-HH:MM, not {value!r}")
    return Span(_minute(start), _minute(end))


def _minute(clock: str) -> int:
    hours, colon, minutes = clock.strip().partition(":")
    if not (colon and hours.isdecimal() and minutes.isdecimal() and int(minutes) < 60):
        raise ValueError(f"not a time of day: {clock!r}")
    return int(hours) * 60 + int(minutes)


def _in_order(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    for earlier, later in pairwise(spans):
        if earlier.end > later.start:
            raise ValueError("hours overlap or are out of order")
    return spans


def _spans(value: object) -> tuple[Span, ...]:
    if not isinstance(value, (list, tuple)):
        raise ValueError("hours are a list")  # pydantic turns ValueError into a message
    return _in_order(tuple(_span(item) for item in value))


Hours = Annotated[tuple[Span, ...], BeforeValidator(_spans)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class _ExceptionFile(_Strict):
    day: date | None = Field(default=None, alias="date")
    first: date | None = Field(default=None, alias="from")
    last: date | None = Field(default=None, alias="to")
    closed: Title | None = None
    work: Title | None = None
    hours: Hours = ()
    note: str = Field(default="", max_length=200)

    def value(self) -> CalendarException:
        """The exception; ``ValueError`` when the keys contradict each other."""
        first, last = self.day or self.first, self.day or self.last
        if first is None or last is None or last < first or (self.day and self.first):
            raise ValueError("an exception names one `date`, or `from` and `to` in order")
        if self.closed and (self.work or self.hours):
            raise ValueError("a closed day has neither `work` nor `hours`")
        if self.closed:
            return CalendarException(first, last, ExceptionKind.CLOSED, self.closed)
        if self.work:
            return CalendarException(first, last, ExceptionKind.WORK, self.work, self.hours)
        if not self.hours:
            raise ValueError("an exception says `closed`, `work` or `hours`")
        return CalendarException(first, last, ExceptionKind.HOURS, self.note, self.hours)


class _CalendarFile(_Strict):
    id: Identifier
    name: Title
    zone: str = "Asia/Shanghai"
    holidays: Literal["china", "none"] = "china"
    week: dict[Weekday, Hours]
    makeup: Hours
    exceptions: tuple[_ExceptionFile, ...] = ()
    entered_years: frozenset[int] = frozenset()

    def value(self, holidays: PublishedHolidays) -> Calendar:
        """The calendar; ``ValueError`` when nobody ever works or the zone does not exist."""
        if not any(self.week.values()) or not self.makeup:
            raise ValueError("a calendar needs hours in the week and on make-up days")
        try:
            zone = ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"no time zone {self.zone!r}") from None
        return Calendar(
            id=self.id,
            name=self.name,
            zone=zone,
            week=tuple(self.week.get(name, ()) for name in WEEKDAYS),
            makeup=self.makeup,
            holidays=holidays if self.holidays == "china" else None,
            exceptions=tuple(entry.value() for entry in self.exceptions),
            entered_years=self.entered_years,
        )


class _PromiseFile(_Strict):
    minutes: Minutes
    after: Origin = Origin.OPENED
    categories: frozenset[Category] = frozenset()

    def value(self) -> Promise:
        return Promise(self.minutes, self.after, self.categories)


def _promise(value: object) -> object:
    return value if isinstance(value, dict) else {"minutes": value}


PromiseEntry = Annotated[_PromiseFile, BeforeValidator(_promise)]


class _LevelFile(_Strict):
    term: Title
    clock: Clock = Clock.WORKING_HOURS
    respond: PromiseEntry | None = None
    arrange: PromiseEntry | None = None
    resolve: PromiseEntry | None = None
    report: PromiseEntry | None = None
    at_once: frozenset[Target] = frozenset()
    written_report_after: Minutes | None = None

    def value(self) -> ServiceLevel:
        """The level; ``ValueError`` for a promise counted from its own fulfilment."""
        entries: dict[Target, _PromiseFile | None] = {
            Target.RESPOND: self.respond,
            Target.ARRANGE: self.arrange,
            Target.RESOLVE: self.resolve,
            Target.REPORT: self.report,
        }
        promises = {target: entry.value() for target, entry in entries.items() if entry}
        for target, promise in promises.items():
            if promise.origin is Origin.RESOLVED and target is not Target.REPORT:
                raise ValueError(f"{target} cannot be counted from the resolution")
        return ServiceLevel(
            self.term, self.clock, promises, self.at_once, self.written_report_after
        )


class _PhoneFile(_Strict):
    in_hours: int = Field(ge=0)
    outside_hours: int = Field(ge=0)


class _ContractFile(_Strict):
    id: Identifier
    name: Title
    calendar: Identifier
    severity_table: SeverityTable = SeverityTable.HANDLING
    levels: dict[Severity, _LevelFile]
    pauses: frozenset[PauseReason] = frozenset(PauseReason)
    warn_at: tuple[Annotated[int, Field(gt=0, lt=100)], ...] = (50, 80)
    averages: dict[Identifier, Minutes] = {}
    phone: _PhoneFile | None = None

    def value(self) -> Contract:
        phone = PhoneService(self.phone.in_hours, self.phone.outside_hours) if self.phone else None
        return Contract(
            id=self.id,
            name=self.name,
            calendar=self.calendar,
            levels={severity: level.value() for severity, level in self.levels.items()},
            pauses=self.pauses,
            warn_at=tuple(sorted(set(self.warn_at))),
            severity_table=self.severity_table,
            averages=dict(self.averages),
            phone=phone,
        )


class _StrictLoader(yaml.SafeLoader):
    """Plain YAML only: an alias can make a small file enormous, a repeated key hides a line."""

    @override
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not used in these files")
        return super().compose_node(parent, index)

    @override
    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        repeated = {str(key) for key in keys if keys.count(key) > 1}
        if repeated:
            raise yaml.YAMLError(f"repeated keys: {', '.join(sorted(repeated))}")
        return super().construct_mapping(node, deep)


def read_calendar(text: str, *, source: str, holidays: PublishedHolidays) -> Calendar:
    """One calendar file's text as a value. Raises ``InvalidTerms``."""
    raw = _parsed(text, source)
    try:
        return _CalendarFile.model_validate(raw).value(holidays)
    except ValueError as error:
        raise InvalidTerms(source, _fault(error)) from None


def read_contract(text: str, *, source: str) -> Contract:
    """One contract file's text as a value. Raises ``InvalidTerms``."""
    raw = _parsed(text, source)
    try:
        return _ContractFile.model_validate(raw).value()
    except ValueError as error:
        raise InvalidTerms(source, _fault(error)) from None


def load_terms(contracts: Path, calendars: Path, *, holidays: PublishedHolidays) -> Terms:
    """All ``*.yml`` of both folders. Raises ``InvalidTerms``; also when an id occurs twice,
    a folder has no file, or a contract names a calendar that is not there.
    """
    days = {
        path.name: (read_calendar(text, source=path.name, holidays=holidays), text)
        for path, text in _files(calendars)
    }
    promises = {
        path.name: (read_contract(text, source=path.name), text) for path, text in _files(contracts)
    }
    calendar_files = _sources_by_id({name: calendar.id for name, (calendar, _) in days.items()})
    contract_files = _sources_by_id({name: contract.id for name, (contract, _) in promises.items()})
    revisions = {}
    for contract_id, source in contract_files.items():
        contract, text = promises[source]
        if contract.calendar not in calendar_files:
            raise InvalidTerms(source, f"no calendar {contract.calendar!r}")
        calendar_text = days[calendar_files[contract.calendar]][1]
        revisions[contract_id] = _digest(text, calendar_text, holidays.edition)
    return Terms(
        contracts={key: promises[source][0] for key, source in contract_files.items()},
        calendars={key: days[source][0] for key, source in calendar_files.items()},
        revisions=revisions,
    )


def _sources_by_id(ids: Mapping[str, str]) -> dict[str, str]:
    by_id: dict[str, str] = {}
    for source, identifier in ids.items():
        if identifier in by_id:
            raise InvalidTerms(source, f"{identifier!r} is already in {by_id[identifier]}")
        by_id[identifier] = source
    return by_id


def _files(folder: Path) -> Iterable[tuple[Path, str]]:
    paths = sorted(folder.glob("*.yml"))
    if not paths:
        raise InvalidTerms(str(folder), "no *.yml file")
    for path in paths:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InvalidTerms(path.name, f"larger than {MAX_FILE_BYTES} bytes")
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise InvalidTerms(path.name, "not UTF-8 text") from None


def _parsed(text: str, source: str) -> object:
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506  # a SafeLoader, made stricter
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidTerms(source, str(error).partition("\n")[0] or "not YAML") from None


def _fault(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return f"{where}: {first['msg']}" if where else first["msg"]
    return str(error)


def _digest(*parts: str) -> str:
    joined = "\0".join(parts).encode()
    return hashlib.sha256(joined).hexdigest()[:16]
