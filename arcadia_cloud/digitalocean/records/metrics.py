"""Metrics of droplets."""

from decimal import Decimal

from arcadia_cloud.digitalocean.records.base import Record


class MetricSeries(Record, frozen=True, gc=False):
    """Samples in order of time: seconds since 1970, and the value as the text that came."""

    values: list[tuple[Decimal, str]]


class MetricMatrix(Record, frozen=True, gc=False):
    """The series that fit the question; none where nothing was measured."""

    result: list[MetricSeries]


class MetricsRecord(Record, frozen=True, gc=False):
    """The answer to a question for metrics. `status`: success or error."""

    status: str
    data: MetricMatrix
