"""Figures of this process for Prometheus."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0)


@dataclass(frozen=True, slots=True)
class Metrics:
    """One registry per assembled product, so that tests can build several in one process."""

    registry: CollectorRegistry
    messages: Counter
    thinking: Histogram
    interpreters: Counter
    streams: Gauge
    outbox_rows: Gauge


def create() -> Metrics:
    """Fresh figures, all zero."""
    registry = CollectorRegistry()
    return Metrics(
        registry=registry,
        messages=Counter(
            "caiwen_messages", "User messages handled.", ["outcome"], registry=registry
        ),
        thinking=Histogram(
            "caiwen_thinking_seconds",
            "From the start of thinking to the end of acting.",
            registry=registry,
            buckets=_SECONDS,
        ),
        interpreters=Counter(
            "caiwen_understood", "Messages by the interpreter used.", ["name"], registry=registry
        ),
        streams=Gauge("caiwen_streams", "Open event streams.", registry=registry),
        outbox_rows=Gauge(
            "caiwen_outbox_rows", "Outbox rows by status.", ["status"], registry=registry
        ),
    )
