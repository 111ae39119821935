"""Draws an evaluation's curves as SVG that needs nothing else: no script, no font, no style sheet.

Axes run from 0 to 1. Refuses to hold words: labels are passed in and escaped here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

from kb.evaluation_curves import CurvePoint, ReliabilityBin

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 360, 260, 44, 40, 12, 12
_INK, _GRID, _LINE, _MARK, _BAR = "#475467", "#d0d5dd", "#175cd3", "#b42318", "#84adff"


@dataclass(frozen=True, slots=True)
class Labels:
    """Words of a plot: what it is for those who do not see it, and its axes."""

    title: str
    x: str
    y: str


def curve_plot(points: Sequence[CurvePoint], cut: float | None, labels: Labels) -> Markup:
    """Precision over coverage; the point of the cut in use, if there is one, is marked."""
    ordered = sorted(points, key=lambda point: point.coverage)
    path = " ".join(f"{_x(point.coverage):.1f},{_y(point.precision):.1f}" for point in ordered)
    parts = [f'<polyline points="{path}" fill="none" stroke="{_LINE}" stroke-width="2"/>']
    in_use = [point for point in points if cut is not None and point.cut >= cut]
    if cut is not None and in_use:
        here = max(in_use, key=lambda point: point.coverage)
        parts.append(
            f'<circle cx="{_x(here.coverage):.1f}" cy="{_y(here.precision):.1f}" r="4" '
            f'fill="{_MARK}"/>'
            f'<text x="{_x(here.coverage) - 6:.1f}" y="{_y(here.precision) + 18:.1f}" '
            f'text-anchor="end" fill="{_MARK}">{cut:.2f}</text>'
        )
    return _framed("".join(parts), labels)


def reliability_plot(bins: Sequence[ReliabilityBin], labels: Labels) -> Markup:
    """Found shares over stated scores; a bar on the diagonal says what is true."""
    parts = []
    for one in bins:
        left, right = _x(one.low) + 1, _x(one.high) - 1
        top = _y(one.share_right)
        parts.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
            f'height="{_y(0) - top:.1f}" fill="{_BAR}"><title>{one.count}</title></rect>'
        )
    diagonal = (
        f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="{_MARK}" '
        'stroke-dasharray="4 4"/>'
    )
    return _framed("".join(parts) + diagonal, labels)


def trend_plot(values: Sequence[float], labels: Labels) -> Markup:
    """Values of 0 to 1 from the oldest to the newest."""
    step = 1 / max(len(values) - 1, 1)
    places = [(_x(number * step), _y(value)) for number, value in enumerate(values)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{_LINE}"/>' for x, y in places)
    line = f'<polyline points="{path}" fill="none" stroke="{_LINE}" stroke-width="2"/>'
    return _framed(line + dots, labels, x_numbers=False)


def _framed(content: str, labels: Labels, *, x_numbers: bool = True) -> Markup:
    grid = []
    for number in range(6):
        share = number / 5
        grid.append(
            f'<line x1="{_x(0)}" y1="{_y(share):.1f}" x2="{_x(1)}" y2="{_y(share):.1f}" '
            f'stroke="{_GRID}"/><text x="{_x(0) - 6}" y="{_y(share) + 4:.1f}" '
            f'text-anchor="end" fill="{_INK}">{share:.1f}</text>'
        )
        if x_numbers:
            grid.append(
                f'<text x="{_x(share):.1f}" y="{_y(0) + 16}" text-anchor="middle" '
                f'fill="{_INK}">{share:.1f}</text>'
            )
    middle = (_x(0) + _x(1)) / 2
    words = (
        f'<text x="{middle}" y="{_HEIGHT - 6}" text-anchor="middle" fill="{_INK}">'
        f'{escape(labels.x)}</text><text x="{_x(0)}" y="0" text-anchor="start" '
        f'fill="{_INK}">{escape(labels.y)}</text>'
    )
    # Every part is a number or was escaped above.
    return Markup(  # noqa: S704
        f'<svg viewBox="0 {-_TOP} {_WIDTH} {_HEIGHT + _TOP}" width="{_WIDTH}" '
        f'height="{_HEIGHT + _TOP}" role="img" aria-label="{escape(labels.title)}" '
        f'font-size="11" xmlns="http://www.w3.org/2000/svg"><title>{escape(labels.title)}</title>'
        f"{''.join(grid)}{content}{words}</svg>"
    )


def _x(share: float) -> float:
    return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)


def _y(share: float) -> float:
    return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP), 1)
