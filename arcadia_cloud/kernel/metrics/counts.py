"""Counters and histograms, declared by the modules that count, and their values over all processes."""

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, TypeVar

from arcadia_cloud.kernel.metrics.buffer import buffer, decode_field, encode_field, read_counts

Labels = tuple[str, ...]
_COUNT: Final = "count"
_SUM: Final = "sum"
INFINITE: Final = "+Inf"

# Seconds. From a request that is answered from memory to one that waits for a database's time limit.
OF_REQUESTS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# Seconds. A task may be a nudge that finds nothing, or an invoice of a million lines.
OF_TASKS: Final = (0.01, 0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)


@dataclass(frozen=True, slots=True)
class Counter:
    """A number that only grows. `name` ends in `_total`."""

    name: str
    help: str
    labels: Labels

    def add(self, *labels: str, amount: float = 1) -> None:
        """Add an amount under these labels' values."""
        buffer.add({encode_field(self.name, _COUNT, _require_values(self.labels, labels)): amount})


@dataclass(frozen=True, slots=True)
class Histogram:
    """Durations in seconds, counted by upper bound. `name` ends in `_seconds`."""

    name: str
    help: str
    labels: Labels
    bounds: tuple[float, ...]

    def observe(self, seconds: float, *labels: str) -> None:
        """Count a duration under these labels' values."""
        values = _require_values(self.labels, labels)
        place = bisect_left(self.bounds, seconds)  # a bound takes in what equals it
        bound = f"{self.bounds[place]}" if place < len(self.bounds) else INFINITE
        buffer.add(
            {encode_field(self.name, bound, values): 1, encode_field(self.name, _SUM, values): seconds}
        )


@dataclass(frozen=True, slots=True)
class HistogramValue:
    """The number of durations within each bound, the smaller ones included, and their sum in seconds."""

    buckets: list[tuple[str, float]]
    sum: float


_declared: dict[str, Counter | Histogram] = {}
MetricT = TypeVar("MetricT", Counter, Histogram)


def declare(metric: MetricT) -> MetricT:
    """Make a counter or histogram known to who scrapes; a name stands once."""
    if _declared.setdefault(metric.name, metric) is not metric:
        raise ValueError(f"the metric {metric.name!r} is declared twice")
    return metric


def read_values() -> tuple[dict[Counter, dict[Labels, float]], dict[Histogram, dict[Labels, HistogramValue]]]:
    """Return the value of every declared metric by labels, over all processes. Raises redis.RedisError.

    What another build has counted under a name or labels that this one doesn't have is left out.
    """
    parts: dict[tuple[str, Labels], dict[str, float]] = defaultdict(dict)
    for field, amount in read_counts().items():
        name, part, labels = decode_field(field)
        if name in _declared and len(labels) == len(_declared[name].labels):
            parts[name, labels][part] = amount
    counters: dict[Counter, dict[Labels, float]] = {}
    histograms: dict[Histogram, dict[Labels, HistogramValue]] = {}
    for metric in _declared.values():
        found = {labels: amounts for (name, labels), amounts in parts.items() if name == metric.name}
        if isinstance(metric, Counter):
            counters[metric] = {labels: amounts.get(_COUNT, 0) for labels, amounts in found.items()}
        else:
            histograms[metric] = {}
            for labels, amounts in found.items():
                bounds = [*(f"{bound}" for bound in metric.bounds), INFINITE]
                # Stored apart, so that a duration is one addition; Prometheus wants them summed.
                totals = accumulate(amounts.get(bound, 0) for bound in bounds)
                buckets = list(zip(bounds, totals, strict=True))
                histograms[metric][labels] = HistogramValue(buckets, amounts.get(_SUM, 0))
    return counters, histograms


def _require_values(names: Labels, values: Labels) -> Labels:
    if len(names) != len(values):
        raise ValueError(f"{len(values)} values for the labels {', '.join(names)}")
    return values
