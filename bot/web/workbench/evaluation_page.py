"""An evaluation as a page: one file that needs no network, or a part of the workbench.

Refuses to compute figures; it lays them out.
"""

from dataclasses import dataclass

from markupsafe import Markup

from bot.calibrating import Fitted
from bot.evaluations.lines import change, label_name, local_minute, moment, set_name
from bot.evaluations.plots import Labels, curve_plot, reliability_plot
from bot.evaluations.records import Comparison, EvaluationReport
from bot.phrases import Phrases
from bot.web.rendering import Pages


@dataclass(frozen=True, slots=True)
class EvaluationView:
    """A report, its comparison and its plots, with the words that templates need."""

    phrases: Phrases
    report: EvaluationReport
    comparison: Comparison | None
    curve: Markup | None
    reliability: Markup | None

    @property
    def at(self) -> str:
        """When it was asked, in local time."""
        return moment(self.report)

    @property
    def before_at(self) -> str:
        """When the earlier run was, in local time."""
        return moment(self.comparison.before) if self.comparison else ""

    @property
    def calibrated_at(self) -> str:
        """When the cuts were chosen, in local time; empty where they are the settings'."""
        return local_minute(self.report.calibrated_at) if self.report.calibrated_at else ""

    def set_name(self, name: str) -> str:
        """A set's name as people know it."""
        return set_name(self.phrases, name)

    def label_name(self, label: str) -> str:
        """A label as people know it."""
        return label_name(self.phrases, label)

    def changed(self, name: str) -> str:
        """How a figure changed since the earlier run, with its sign."""
        return change(self.comparison.changes, name) if self.comparison else ""


def view_of(
    phrases: Phrases, report: EvaluationReport, comparison: Comparison | None
) -> EvaluationView:
    """Draw what there is to draw."""
    curve = bars = None
    if report.retrieval:
        curve = curve_plot(report.retrieval.curve, report.answer_cut, _labels(phrases, "curve"))
        bars = reliability_plot(report.retrieval.reliability, _labels(phrases, "reliability"))
    return EvaluationView(phrases, report, comparison, curve, bars)


def evaluation_page(
    phrases: Phrases, report: EvaluationReport, comparison: Comparison | None
) -> str:
    """The whole report as one HTML file."""
    template = Pages.create(phrases).environment.get_template("evaluation.html")
    return template.render(view=view_of(phrases, report, comparison))


def _labels(phrases: Phrases, name: str) -> Labels:
    start = f"evaluation.plot.{name}"
    return Labels(
        phrases.say(f"{start}.title"), phrases.say(f"{start}.x"), phrases.say(f"{start}.y")
    )


def calibration_page(phrases: Phrases, fitted: Fitted) -> str:
    """A fit as one HTML file: both curves and both reliabilities."""
    found, in_force = fitted.calibrated, fitted.calibration
    curve, bars = _labels(phrases, "curve"), _labels(phrases, "reliability")
    template = Pages.create(phrases).environment.get_template("calibration.html")
    return template.render(
        fitted=fitted,
        at=local_minute(in_force.at),
        plots={
            "before": (
                curve_plot(found.before.curve, None, curve),
                reliability_plot(found.before.bins, bars),
            ),
            "after": (
                curve_plot(found.after.curve, in_force.cuts.answer, curve),
                reliability_plot(found.after.bins, bars),
            ),
        },
    )
