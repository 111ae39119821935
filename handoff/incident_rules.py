"""When several tickets are one fault: the numbers, by module and season, and their file.

The shipped numbers are ``data/incidents.yml``; a deployment may have a file of its own. Refuses
what it does not understand, naming the file and the fault.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from handoff.errors import InvalidTerms
from store import yaml_text
from store.vocabulary import Category

#: The numbers fit on a page; anything larger is something else.
MAX_FILE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Numbers:
    """So many different units within ``window``, whose words are as alike as ``alike`` (0..1).

    From ``urgent_units`` and ``major_units`` on the severity to propose is raised.
    """

    window: timedelta
    units: int
    alike: float
    urgent_units: int
    major_units: int


@dataclass(frozen=True, slots=True)
class SeasonalNumbers:
    """Numbers for these modules in these months (local); empty means all."""

    modules: frozenset[str]
    months: frozenset[int]
    numbers: Numbers

    def holds(self, module: str | None, month: int) -> bool:
        """Whether these numbers are meant."""
        in_module = not self.modules or module in self.modules
        return in_module and (not self.months or month in self.months)


@dataclass(frozen=True, slots=True)
class IncidentRules:
    """All numbers, and the categories of tickets that can tell of a fault."""

    categories: frozenset[Category]
    usual: Numbers
    seasonal: tuple[SeasonalNumbers, ...]
    zone: ZoneInfo

    def at(self, module: str | None, now: datetime) -> Numbers:
        """The first seasonal numbers that hold for the module at ``now``, else the usual ones."""
        month = now.astimezone(self.zone).month
        found = (one.numbers for one in self.seasonal if one.holds(module, month))
        return next(found, self.usual)

    def widest(self) -> timedelta:
        """The longest window of all: older tickets never count."""
        return max(one.window for one in (self.usual, *(s.numbers for s in self.seasonal)))


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Numbers(_Form):
    window_minutes: Annotated[int, Field(ge=5, le=7 * 24 * 60)]
    units: Annotated[int, Field(ge=2, le=1_000)]
    alike: Annotated[float, Field(ge=0.1, le=1.0)]
    urgent_units: Annotated[int, Field(ge=2, le=10_000)]
    major_units: Annotated[int, Field(ge=2, le=10_000)]

    @model_validator(mode="after")
    def _in_order(self) -> "_Numbers":
        if self.major_units < self.urgent_units:
            raise ValueError("major_units is below urgent_units")
        return self

    def value(self) -> Numbers:
        return Numbers(
            timedelta(minutes=self.window_minutes),
            self.units,
            self.alike,
            self.urgent_units,
            self.major_units,
        )


class _Seasonal(_Form):
    modules: list[Annotated[str, Field(min_length=1, max_length=80)]] = Field(default_factory=list)
    months: list[Annotated[int, Field(ge=1, le=12)]] = Field(default_factory=list)
    window_minutes: int | None = None
    units: int | None = None
    alike: float | None = None
    urgent_units: int | None = None
    major_units: int | None = None

    def value(self, usual: _Numbers) -> SeasonalNumbers:
        own = self.model_dump(exclude={"modules", "months"}, exclude_none=True)
        numbers = _Numbers.model_validate({**usual.model_dump(), **own})
        return SeasonalNumbers(frozenset(self.modules), frozenset(self.months), numbers.value())


class _File(_Form):
    categories: list[Annotated[Category, Field(strict=False)]] = Field(min_length=1)
    usual: _Numbers
    seasonal: list[_Seasonal] = Field(default_factory=list)


def read_rules(text: str, *, source: str, zone: ZoneInfo) -> IncidentRules:
    """The numbers of one file. Raises ``InvalidTerms``."""
    try:
        form = _File.model_validate(yaml_text.parse(text))
        seasonal = tuple(one.value(form.usual) for one in form.seasonal)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidTerms(source, f"{place}: {first['msg']}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidTerms(source, str(error).splitlines()[0]) from None
    return IncidentRules(frozenset(form.categories), form.usual.value(), seasonal, zone)


def load_rules(path: Path, *, zone: ZoneInfo) -> IncidentRules:
    """``read_rules`` of a file. Raises ``InvalidTerms``, also when it cannot be read."""
    try:
        content = path.read_bytes()
        if len(content) > MAX_FILE_BYTES:
            raise InvalidTerms(path.name, "too large")
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidTerms(path.name, type(error).__name__) from None
    return read_rules(text, source=path.name, zone=zone)
