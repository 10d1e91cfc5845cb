"""Gauges: facts that are read where they are kept, in the database or the broker, when somebody scrapes.

A registry that apps fill from `AppConfig.ready()`. Every process reads the same facts, so it doesn't matter
which one is asked.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import redis
import structlog
from django.db import DatabaseError, InterfaceError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number that goes up and down, one for each combination of its labels' values."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


class Sample(NamedTuple):
    """The value of a gauge under its labels' values."""

    gauge: Gauge
    value: float
    labels: tuple[str, ...] = ()


Read = Callable[[datetime], Iterable[Sample]]


@dataclass(frozen=True, slots=True)
class _Source:
    gauges: tuple[Gauge, ...]
    read: Read


SOURCE_UP: Final = Gauge(
    "arcadia_metrics_source_up", "Whether the source of these gauges could be read.", ("source",)
)
_sources: dict[str, _Source] = {}


def register_gauges(source: str, gauges: Sequence[Gauge], read: Read) -> None:
    """Add gauges and the function that reads them, at an instant; a source stands once."""
    entry = _Source(tuple(gauges), read)
    if _sources.setdefault(source, entry) is not entry:
        raise ValueError(f"the gauges of {source!r} are registered twice")


def read_gauges(*, at: datetime) -> dict[Gauge, list[Sample]]:
    """Return the samples of every registered gauge, in the order of registration.

    A source that can't be read has none, and is 0 in `arcadia_metrics_source_up`: the others are there.
    """
    found: dict[Gauge, list[Sample]] = {SOURCE_UP: []}
    for name, source in _sources.items():
        found |= {gauge: [] for gauge in source.gauges}
        samples: list[Sample] = []
        is_up = True
        try:
            # As a list: half of a source's samples, before it failed, would pass for all of them.
            samples = list(source.read(at))
        except (DatabaseError, InterfaceError, redis.RedisError) as error:
            log.warning("gauges_not_read", source=name, error=type(error).__name__, detail=str(error).strip())
            is_up = False
        for sample in samples:
            found[sample.gauge].append(sample)
        found[SOURCE_UP].append(Sample(SOURCE_UP, float(is_up), (name,)))
    return found
