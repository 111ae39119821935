"""The NLU section of the settings. Refuses to read the environment itself: the edge does."""

from pathlib import Path

from pydantic import BaseModel, Field


class NluSettings(BaseModel):
    """How messages are understood: the Rasa server, its limits, and where it is installed."""

    enabled: bool = Field(
        default=True, description="Ask the Rasa server; when off, only the in-process interpreter."
    )
    rasa_url: str = Field(
        default="http://127.0.0.1:5005", description="Base address of the Rasa server's HTTP API."
    )
    rasa_token: str = Field(
        default="", repr=False, description="Rasa's --auth-token, if it has one."
    )
    rasa_executable: Path | None = Field(
        default=None, description="The rasa program of its own Python 3.10 environment."
    )
    deadline_s: float = Field(
        default=0.2, gt=0, le=30, description="Longest wait for one answer of Rasa, seconds."
    )
    ask_rasa_below: float = Field(
        default=0.8,
        ge=0,
        le=1,
        description="Ask Rasa only where the in-process interpreter is less sure than this;"
        " 1 asks it about every message.",
    )
    max_connections: int = Field(
        default=32, ge=1, le=1_000, description="Pooled connections to Rasa."
    )
    breaker_failures: int = Field(
        default=5, ge=1, description="Failures in a row after which Rasa is left alone."
    )
    breaker_open_s: float = Field(
        default=2.0, gt=0, description="First pause before Rasa is tried again, seconds; doubles."
    )
    breaker_max_open_s: float = Field(
        default=30.0, gt=0, description="Longest such pause, seconds."
    )
