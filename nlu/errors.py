"""What can go wrong while understanding or training; data only, no words for people."""

from enum import StrEnum
from pathlib import Path


class NluError(Exception):
    """Base of everything that this package raises on purpose."""


class UnavailableReason(StrEnum):
    """Why an interpreter gave no understanding."""

    BREAKER_OPEN = "breaker_open"
    DEADLINE = "deadline"
    CONNECTION = "connection"
    STATUS = "status"
    OVERSIZED = "oversized"
    MALFORMED = "malformed"
    FOREIGN = "foreign"
    CLOSED = "closed"


class InterpreterUnavailable(NluError):
    """The interpreter could not answer this time; another one should."""

    def __init__(self, reason: UnavailableReason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


class TrainingDataInvalid(NluError):
    """A training data file is not what Rasa's NLU format allows."""

    def __init__(self, path: Path | None, detail: str) -> None:
        super().__init__(f"{path}: {detail}" if path else detail)
        self.path = path
        self.detail = detail


class TrainingFailed(NluError):
    """Training ended without a model. ``log_tail`` is the end of what the trainer printed."""

    def __init__(self, detail: str, *, log_tail: str = "") -> None:
        super().__init__(f"{detail}\n{log_tail}" if log_tail else detail)
        self.detail = detail
        self.log_tail = log_tail


class ModelUnreadable(NluError):
    """A saved model is missing, damaged, or of another version."""

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.path = path
        self.detail = detail


class EvaluationDataInvalid(NluError):
    """An evaluation file has a row that cannot be read."""

    def __init__(self, path: Path, line: int, detail: str) -> None:
        super().__init__(f"{path}:{line}: {detail}")
        self.path = path
        self.line = line
        self.detail = detail
