"""`/metrics` for Prometheus: any web process answers for all processes of the service."""

import hmac
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import redis
import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from arcadia_cloud.kernel.metrics.counts import (
    OF_REQUESTS,
    Counter,
    Histogram,
    declare,
    read_values,
)
from arcadia_cloud.kernel.metrics.gauges import read_gauges

log = structlog.get_logger(__name__)
REQUESTS: Final = declare(
    Counter(
        "arcadia_http_requests_total",
        "Requests answered, by method, route and status.",
        ("method", "route", "status"),
    )
)
REQUEST_SECONDS: Final = declare(
    Histogram(
        "arcadia_http_request_seconds",
        "Seconds until a response began, by method and route.",
        ("method", "route"),
        OF_REQUESTS,
    )
)
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_UNMATCHED: Final = "unmatched"


class MetricsMiddleware:
    """Counts each request by its route, never by its address: those have no end."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        response = self.get_response(request)
        # After the response: the address is resolved on the way in, behind all middleware.
        match = request.resolver_match
        route = _UNMATCHED if match is None else f"/{match.route}"
        # A client may send any word for a method; each would be a series for good.
        method = request.method if request.method in _METHODS else "other"
        REQUESTS.add(method, route, str(response.status_code))
        REQUEST_SECONDS.observe(time.monotonic() - began, method, route)
        return response


@dataclass(frozen=True, slots=True)
class _ServiceCollector(Collector):
    """All metrics of the service at an instant, as the library's families."""

    at: datetime

    def collect(self) -> Iterator[Metric]:
        counters_up = GaugeMetricFamily(
            "arcadia_metrics_counts_up", "Whether Redis, which adds up the counts, could be read."
        )
        try:
            yield from _count_families()
            counters_up.add_metric([], 1)
        except redis.RedisError as error:
            log.warning("counts_not_read", error=type(error).__name__)
            counters_up.add_metric([], 0)
        yield counters_up
        for gauge, samples in read_gauges(at=self.at).items():
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
            for sample in samples:
                family.add_metric(sample.labels, sample.value)
            yield family


def _count_families() -> Iterator[Metric]:
    counters, histograms = read_values()
    for counter, by_labels in counters.items():
        # The library adds the ending itself.
        count = CounterMetricFamily(counter.name.removesuffix("_total"), counter.help, labels=counter.labels)
        for labels, amount in by_labels.items():
            count.add_metric(labels, amount)
        yield count
    for histogram, values in histograms.items():
        seconds = HistogramMetricFamily(histogram.name, histogram.help, labels=histogram.labels)
        for labels, value in values.items():
            seconds.add_metric(labels, buckets=value.buckets, sum_value=value.sum)
        yield seconds


@require_safe
def metrics_view(request: HttpRequest) -> HttpResponse:
    """Answer who has the token (ARCADIA_METRICS_TOKEN); for anybody else there is no such page.

    Without a token set, it is open in development, and closed in production.
    """
    token = settings.ARCADIA_METRICS_TOKEN
    expected = f"Bearer {token}".encode()
    given = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(given, expected) if token else settings.PRODUCTION:
        return HttpResponseNotFound("Not found.\n", content_type="text/plain; charset=utf-8")
    # One of this request: the library's own would add what it counts in this process alone.
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_ServiceCollector(timezone.now()))
    response = HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)
    response.headers["Cache-Control"] = "no-store"
    return response
