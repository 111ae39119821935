"""Where a workspace keeps its calibration: one small file beside its indexes, replaced in one step.

It outlives a new index, for what it corrects comes from how people ask here more than from one
training; whether it was fitted on another index than the current one is told. Refuses values that
no fit could give: search goes on without them.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog

from kb.calibration_map import ScoreMap
from kb.fusion import Cuts
from kb.index_holder import indexes_dir

log = structlog.get_logger(__name__)

FILE = "calibrated.json"
#: Raised whenever the fields change their meaning.
VERSION = 1


@dataclass(frozen=True, slots=True)
class Calibration:
    """A map and cuts, what they were fitted on, and what they came to there.

    `at` is an ISO time, `revision` the index; `target` the precision that was asked for, `bound`
    the lower bound of what was reached.
    """

    score_map: ScoreMap
    cuts: Cuts
    at: str
    revision: str
    source: str
    questions: int
    target: float
    precision: float
    bound: float
    coverage: float


def calibration_file(home: Path) -> Path:
    """The file of a workspace."""
    return indexes_dir(home) / FILE


def read_calibration(home: Path) -> Calibration | None:
    """What is in force; None when nothing is, or what is there cannot be used (it is logged)."""
    path = calibration_file(home)
    try:
        return _from_json(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("calibration_unreadable", error=type(error).__name__)
        return None


def write_calibration(home: Path, calibration: Calibration) -> None:
    """Put it in force: every process that serves the workspace takes it up within moments."""
    path = calibration_file(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".tmp")
    with written.open("w", encoding="utf-8") as file:
        json.dump({"version": VERSION, **asdict(calibration)}, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    written.replace(path)


def forget_calibration(home: Path) -> bool:
    """Go back to what the index was built with; whether there was anything to forget."""
    path = calibration_file(home)
    there = path.exists()
    path.unlink(missing_ok=True)
    return there


def _from_json(content: dict[str, Any]) -> Calibration:
    if content["version"] != VERSION:
        raise ValueError("a calibration of another version")
    score_map, cuts = ScoreMap(**content["score_map"]), Cuts(**content["cuts"])
    usable = 0.01 <= score_map.scale <= 100 and abs(score_map.shift) <= 100
    if not usable or not 0 < cuts.answer < 1 or not 0 < cuts.offer < 1:
        raise ValueError("a calibration out of range")
    rest = {key: content[key] for key in content if key not in ("version", "score_map", "cuts")}
    return Calibration(score_map, cuts, **rest)
