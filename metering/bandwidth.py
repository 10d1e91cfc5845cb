"""Bandwidth by the provider's monitoring: one call a droplet and day, oldest missing day first.

What was measured once stands. A day that this run's calls don't reach is left to the next one, as long as the
provider keeps it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec
import structlog
from django.db import transaction

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import ProviderMalformed, ProviderRejected, ProviderUnavailable
from arcadia_cloud.digitalocean.records import MetricSeries
from arcadia_cloud.kernel.errors import describe
from arcadia_cloud.kernel.leases import lease
from arcadia_cloud.kernel.periods import Period
from arcadia_cloud.kernel.sql import fetch_all, fetch_one, load
from catalog.values.kinds import BillingKind
from deployments.services import lock_deployment
from metering.bandwidth_rates import Stretch, Traffic, sum_rates
from metering.errors import InvalidBandwidthSource
from metering.models import BandwidthSource, UsageRecord
from metering.values import DAY, BandwidthOrigin

log = structlog.get_logger(__name__)

_MISSING: Final = load(__package__, "missing_bandwidth.sql")
_RECORD: Final = load(__package__, "record_bandwidth.sql")
# The longest range of DigitalOcean's own graphs: its documents name no time after which metrics go.
_KEPT_DAYS: Final = 14
_AROUND: Final = timedelta(minutes=15)  # samples on both sides of midnight say what held at it
_RESERVED_SHARE: Final = 10  # of the hour's calls a tenth is left to others, as syncs leave it
_MOST: Final = 5_000  # without a limit of calls; an hour's ordinary one
_LEASE: Final = "metering: bandwidth"


@dataclass(frozen=True, slots=True)
class BandwidthResult:
    """A run's droplet-days: measured, and among them those with gaps and those without an answer.

    `stopped` is why the run ended before it was through, empty where it was.
    """

    measured: int = 0
    incomplete: int = 0
    refused: int = 0
    is_through: bool = True
    stopped: str = ""


class _Missing(NamedTuple):
    day: date
    resource_id: int
    droplet_id: str
    spans: list[dict[str, Any]]


def measure_bandwidth(*, at: datetime, report: Callable[[int], None] | None = None) -> BandwidthResult:
    """Ask for the bandwidth of every droplet and day that is missing, within the hour's calls.

    Days that are over, as far back as the provider has them. `report` gets the number of those measured.
    Raises LeaseHeld where another run is at it, MissingToken without a token.
    """
    today = at.astimezone(UTC).date()
    days = Period(today - timedelta(days=_KEPT_DAYS), today)
    with lease(_LEASE), DigitalOcean("METERING") as cloud:
        left, limit = cloud.budget.left_this_hour(), cloud.budget.hourly_limit()
        # Syncs and sagas may use the same token: this work can wait an hour, theirs can't.
        most = _MOST if left is None or limit is None else max(0, min(_MOST, left - limit // _RESERVED_SHARE))
        missing = fetch_all(
            _MISSING, {"since": days.start, "until": days.end, "most": most + 1}, into=_Missing
        )
        measured = incomplete = refused = 0
        stopped = "" if len(missing) <= most else "the hour's calls don't reach further"
        for droplet in missing[:most]:
            try:
                series, note = _ask(cloud, droplet)
            except (ProviderUnavailable, ProviderMalformed) as error:
                # As likely with the next one: what is missing is found again by the next run.
                stopped = describe(error)
                break
            coverage = _store(droplet, series, note, at=at)
            measured += 1
            incomplete += coverage < 1
            refused += bool(note)
            if report is not None:
                report(measured)
    result = BandwidthResult(measured, incomplete, refused, not stopped, stopped)
    log.info("bandwidth_measured", measured=measured, incomplete=incomplete, refused=refused, stopped=stopped)
    return result


def set_bandwidth_source(
    *, deployment_pk: int, source: BandwidthOrigin, effective_from: date, actor: str, at: datetime
) -> BandwidthSource:
    """Set where a deployment's bandwidth comes from, from a day on; setting it again replaces it.

    Raises InvalidBandwidthSource for a day before today, and for one from which on some is recorded already:
    it would be counted twice. Raises DeploymentNotFound.
    """
    with transaction.atomic():
        # Intake locks it too: no event comes in between the check and the change.
        lock_deployment(deployment_pk)
        check_bandwidth_source(deployment_pk, effective_from, at=at)
        setting, _ = BandwidthSource.objects.update_or_create(
            deployment_id=deployment_pk,
            effective_from=effective_from,
            defaults={"source": source, "set_by": actor, "set_at": at},
        )
    log.info("bandwidth_source_set", deployment=deployment_pk, source=str(source), actor=actor)
    return setting


def check_bandwidth_source(deployment_pk: int, effective_from: date, *, at: datetime) -> None:
    """Raise InvalidBandwidthSource where `set_bandwidth_source` would."""
    if effective_from < at.astimezone(UTC).date():
        raise _invalid("a source begins today at the earliest")
    recorded = UsageRecord.objects.filter(
        deployment=deployment_pk,
        resource_kind=BillingKind.BANDWIDTH_GB,
        period_start__gte=Period(effective_from, effective_from + DAY).starts_at,
    )
    if recorded.exists():
        raise _invalid(f"bandwidth of {effective_from} is recorded already: begin a day later")


def _invalid(rule: str) -> InvalidBandwidthSource:
    return InvalidBandwidthSource(rule, errors={"effective_from": [rule]})


def _ask(cloud: DigitalOcean, droplet: _Missing) -> tuple[Sequence[MetricSeries], str]:
    """Return the series of a droplet's day, and why there are none where the provider refuses."""
    day = Period(droplet.day, droplet.day + DAY)
    try:
        series = cloud.droplet_bandwidth(
            int(droplet.droplet_id), start=day.starts_at - _AROUND, end=day.ends_at + _AROUND
        )
    except ProviderRejected as error:
        if error.status in {401, 403}:  # a token without the scope, not a droplet without metrics
            raise ProviderUnavailable(describe(error), status=error.status) from error
        return (), describe(error)
    return series, ""


def _store(droplet: _Missing, series: Sequence[MetricSeries], note: str, *, at: datetime) -> Decimal:
    """Record a droplet's day for each deployment that had it; return its coverage."""
    shares: dict[int, Decimal] = {}
    covered = lived = Decimal(0)
    for span in droplet.spans:
        stretch = Stretch(Decimal(str(span["since"])), Decimal(str(span["until"])))
        traffic = _sum_series(series, stretch)
        lived += stretch.until - stretch.since
        covered += traffic.covered
        shares[span["deployment"]] = shares.get(span["deployment"], Decimal(0)) + traffic.gigabytes
    coverage = (covered / lived).quantize(Decimal("0.0001"))
    parameters = {
        "resource_id": droplet.resource_id,
        "day": droplet.day,
        "gigabytes": sum(shares.values(), Decimal(0)),
        "coverage": coverage,
        "samples": sum(len(each.values) for each in series),
        "note": note,
        "at": at,
        # Nothing that wasn't measured: a record of 0 would say that there was no traffic.
        "shares": msgspec.json.encode(
            [{"deployment": pk, "gigabytes": share} for pk, share in sorted(shares.items()) if covered]
        ).decode(),
    }
    # What was measured and the usage made of it are stored together.
    with transaction.atomic():
        fetch_one(_RECORD, parameters, into=bool)
    return coverage


def _sum_series(series: Sequence[MetricSeries], stretch: Stretch) -> Traffic:
    """Add up the series of one droplet; its coverage is that of the series with the largest gaps."""
    each = [sum_rates(one.values, stretch) for one in series]
    if not each:
        return Traffic(Decimal(0), Decimal(0))
    return Traffic(sum((one.gigabytes for one in each), Decimal(0)), min(one.covered for one in each))
