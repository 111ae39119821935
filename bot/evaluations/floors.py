"""Least figures that a workspace must reach, and which of them an evaluation falls short of.

A floor for a figure that was not measured counts as missed: a set that vanished must not pass.
Refuses to choose floors; they stand in a table beside the questions.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.errors import EvaluationFileInvalid
from bot.evaluations.records import EvaluationReport, headline


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A figure below its floor; ``found`` is None when it was not measured."""

    figure: str
    least: float
    found: float | None


def read_floors(path: Path) -> dict[str, float]:
    """A table with the columns figure and least; raises EvaluationFileInvalid naming the line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise EvaluationFileInvalid(path.name, 0, "unreadable") from None
    if not lines or lines[0].split("\t") != ["figure", "least"]:
        raise EvaluationFileInvalid(path.name, 1, "no_floors")
    floors: dict[str, float] = {}
    for number, line in enumerate(lines[1:], 2):
        name, _, least = line.partition("\t")
        try:
            floors[name] = float(least)
        except ValueError:
            raise EvaluationFileInvalid(path.name, number, "no_floor") from None
        if not name or not math.isfinite(floors[name]):
            raise EvaluationFileInvalid(path.name, number, "no_floor")
    return floors


def shortfalls(report: EvaluationReport, floors: Mapping[str, float]) -> list[Shortfall]:
    """Every figure that misses its floor; empty when the report passes."""
    found = headline(report)
    return [
        Shortfall(figure, least, found.get(figure))
        for figure, least in floors.items()
        if found.get(figure, -math.inf) < least
    ]
