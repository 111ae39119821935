"""Which tickets tell of the same fault, and whether they are enough for a proposal.

Pure. How alike two texts read is measured elsewhere and given in; this decides what to make of
it. One unit counts once, however often it reports: a unit in trouble is not yet an incident.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from handoff.incident_rules import Numbers

#: A code that names a fault, such as AUTH-1001 or ORA-00942; document and ticket numbers, which
#: go on with more digits, are none.
_CODE = re.compile(r"(?<![A-Z0-9])([A-Z]{1,5}[-_ ]?\d{3,5}|0X[0-9A-F]{6,8})(?![A-Z0-9]|-\d)")
#: Reports that name different modules must read so much more alike: people name what they see.
STRANGERS = 0.1
_PROGRAMS = ("WIN", "IE", "EDGE", "WPS", "CW", "V", "OFFICE")


@dataclass(frozen=True, slots=True)
class Symptom:
    """What one ticket tells of a fault. ``reporter`` stands for its unit."""

    ticket_id: str
    number: str
    reporter: str
    unit: str
    region: str
    module: str | None
    codes: frozenset[str]
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Match:
    """A ticket like the one in question. ``likeness`` is 0..1; ``code`` where one names both."""

    symptom: Symptom
    likeness: float
    code: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a proposal stands on."""

    first: Symptom
    matches: tuple[Match, ...]
    numbers: Numbers

    @property
    def symptoms(self) -> tuple[Symptom, ...]:
        """Every ticket, the newest report first."""
        return (self.first, *(match.symptom for match in self.matches))

    @property
    def units(self) -> int:
        """How many different units."""
        return len({symptom.reporter for symptom in self.symptoms})

    @property
    def began_at(self) -> datetime:
        """When the first of them was reported."""
        return min(symptom.opened_at for symptom in self.symptoms)

    @property
    def code(self) -> str:
        """The error code that most of them name, if any."""
        return next((match.code for match in self.matches if match.code), "")


def codes_in(text: str) -> frozenset[str]:
    """Error codes in a text, in one spelling."""
    plain = unicodedata.normalize("NFKC", text).upper()
    found = (re.sub(r"[-_ ]", "-", code) for code in _CODE.findall(plain))
    return frozenset(
        code for code in found if re.split(r"[-\d]", code, maxsplit=1)[0] not in _PROGRAMS
    )


def reporter_of(unit: str, requester_id: str | None, ticket_id: str) -> str:
    """Who counts as one: the unit; a person whose unit nobody knows; else the ticket alone."""
    plain = "".join(unicodedata.normalize("NFKC", unit).lower().split())
    if plain:
        return f"unit:{plain}"
    return f"person:{requester_id}" if requester_id else f"ticket:{ticket_id}"


def agree(one: str | None, other: str | None) -> bool:
    """Whether two modules may be the same; one that is not known speaks against nothing."""
    return one is None or other is None or one == other


def needed(alike: float, one: str | None, other: str | None) -> float:
    """How alike reports of these modules must read."""
    return alike if agree(one, other) else alike + STRANGERS


def compare(
    first: Symptom, others: Sequence[Symptom], likeness: Sequence[float], *, alike: float
) -> tuple[Match, ...]:
    """The ``others`` that tell of the same fault as ``first``, the most alike first."""
    found = []
    for other, score in zip(others, likeness, strict=True):
        shared = min(first.codes & other.codes, default="")
        if shared or score >= needed(alike, first.module, other.module):
            found.append(Match(other, round(1.0 if shared else score, 3), shared))
    return tuple(sorted(found, key=lambda match: (-match.likeness, match.symptom.number)))


def weigh(first: Symptom, matches: Iterable[Match], numbers: Numbers) -> Evidence | None:
    """Enough for a proposal: as many units within the window as the numbers ask; else ``None``."""
    since = first.opened_at - numbers.window
    recent = tuple(match for match in matches if match.symptom.opened_at >= since)
    evidence = Evidence(first, recent, numbers)
    return evidence if evidence.units >= numbers.units else None


def to_json(evidence: Evidence) -> dict[str, object]:
    """The evidence as it rests with the incident: never changed by what comes later."""
    return {
        "window_minutes": int(evidence.numbers.window.total_seconds() // 60),
        "units_needed": evidence.numbers.units,
        "alike": evidence.numbers.alike,
        "units": evidence.units,
        "code": evidence.code,
        "tickets": [
            _row(evidence.first, None),
            *(_row(match.symptom, match.likeness) for match in evidence.matches),
        ],
    }


def _row(symptom: Symptom, likeness: float | None) -> Mapping[str, object]:
    return {
        "number": symptom.number,
        "unit": symptom.unit,
        "region": symptom.region,
        "opened_at": symptom.opened_at.isoformat(),
        "likeness": likeness,
    }
