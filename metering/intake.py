"""Intake: batches of usage events from what inventory doesn't know, each event counted once.

A batch is stored whole or not at all, in one statement, under the lock of its source. What it adds to usage
is added in the same transaction, so that usage is never behind its events; `recount_events` derives a day
anew from all of its events, and must find nothing to correct.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple, cast

import msgspec
import structlog
from django.db import transaction

from arcadia_cloud.kernel.periods import Period, month_of
from arcadia_cloud.kernel.sql import execute, fetch_all, fetch_one, load
from catalog.values.kinds import BillingKind
from metering.errors import InvalidUsage, PeriodNotOver, PeriodPruned, UsageRefused
from metering.event_partitions import ensure_partitions
from metering.usage_events import Errors, IntakeEvent, accepted_months, read_events
from metering.values import DAY, MOST_EVENTS, BandwidthOrigin, IntakeResult, MeteringCounts

log = structlog.get_logger(__name__)

_DEPLOYMENTS: Final = load(__package__, "deployments_of_batch.sql")
_LOCK_SOURCE: Final = load(__package__, "lock_source.sql")
_TAKE: Final = load(__package__, "take_events.sql")
_CLOSE_INTAKE: Final = load(__package__, "close_intake.sql")
_RECOUNT: Final = load(__package__, "recount_events.sql")


class _Deployment(NamedTuple):
    id: int
    sources: list[dict[str, str]]


class _BatchOutcome(NamedTuple):
    counted: int
    refusals: list[dict[str, Any]]


def record_usage(
    *, source: str, events: Sequence[object], tenant_id: str | None, actor: str, at: datetime
) -> IntakeResult:
    """Store a batch of a source and add it to the usage of its periods; all of it or nothing.

    An event that came before, in the batch or ever, counts no more. `tenant_id` limits the sender to its own
    deployments, None to none. Raises InvalidUsage, which names every bad event, for those that are wrong by
    themselves, and UsageRefused for those that don't follow what the source has sent before.
    """
    if not 0 < len(events) <= MOST_EVENTS:
        refusal = f"Must hold 1 to {MOST_EVENTS:,} events, not {len(events):,}."
        raise InvalidUsage(refusal, errors={"events": [refusal]})
    found, errors = read_events(events, at=at)
    # A bad event refuses the whole batch: nothing of it may be counted by then.
    with transaction.atomic():
        errors |= _check_deployments(found, tenant_id)
        if errors:
            raise InvalidUsage(_sum_up(errors, len(events)), errors=errors)
        # Before the source is locked: making a partition may wait, and must not make its other batches wait.
        months = accepted_months(at)
        ensure_partitions({event.month for event in found} | set(months))
        source_id = fetch_one(_LOCK_SOURCE, {"tenant_id": tenant_id, "name": source, "at": at}, into=int)
        # A statement of its own: begun before the lock, it would not see what the batch before has stored.
        batch = {
            "source_id": source_id,
            "events": msgspec.json.encode(found).decode(),
            "months": list(months),
            "at": at,
        }
        taken = cast(
            "_BatchOutcome", fetch_one(_TAKE, batch, into=_BatchOutcome)
        )  # a row without a condition
        if taken.refusals:
            for each in taken.refusals:
                field = f"events.{each['place']}.{each['field']}"
                errors.setdefault(field, []).append(each["rule"])
            raise UsageRefused(_sum_up(errors, len(events)), errors=errors)
    log.info(
        "usage_received", source=source, tenant_id=tenant_id, actor=actor, received=len(events),
        counted=taken.counted,
    )  # fmt: skip
    return IntakeResult(len(events), taken.counted, len(events) - taken.counted)


def recount_events(day: date, *, at: datetime) -> MeteringCounts:
    """Make a day's usage of received events what its events sum to; a second run changes nothing.

    Batches wait meanwhile. Raises PeriodNotOver for a day to come, PeriodPruned for one before last month.
    """
    bounds = Period(day, day + DAY)
    if bounds.starts_at > at:
        raise PeriodNotOver(f"{day} has yet to come")
    if day < accepted_months(at)[0]:
        # Its events may have been dropped while its usage is kept: nothing would be left of it.
        raise PeriodPruned(f"{day} is before last month: its usage takes no more events")
    parameters = {"since": bounds.starts_at, "until": bounds.ends_at, "month": month_of(day).start}
    with transaction.atomic():
        # Or a batch under way would add to a record that is then set to the sum without it.
        execute(_CLOSE_INTAKE)
        counts = cast("MeteringCounts", fetch_one(_RECOUNT, parameters, into=MeteringCounts))
    if counts != MeteringCounts():
        log.warning("received_usage_corrected", day=str(day), inserted=counts.inserted,
                    corrected=counts.corrected, removed=counts.removed)  # fmt: skip
    return counts


def _check_deployments(events: Sequence[IntakeEvent], tenant_id: str | None) -> Errors:
    """Lock the deployments of a batch; return what is wrong with those that its events name."""
    ids = list({event.deployment_id for event in events})
    rows = fetch_all(_DEPLOYMENTS, {"ids": ids, "tenant_id": tenant_id}, into=_Deployment)
    sources = {row.id: row.sources for row in rows}
    errors: Errors = {}
    for event in events:
        if event.deployment_id not in sources:
            # The same words for another tenant's: its existence isn't told.
            errors[f"events.{event.place}.deployment"] = ["There is no such deployment."]
        elif event.kind == BillingKind.BANDWIDTH_GB:
            # The latest first: the first that has begun by then is in force.
            origin = next(
                (
                    each["source"]
                    for each in sources[event.deployment_id]
                    if date.fromisoformat(each["from"]) <= event.day
                ),
                BandwidthOrigin.PROVIDER,
            )
            if origin != BandwidthOrigin.INTAKE:
                errors[f"events.{event.place}.kind"] = [
                    f"The deployment's bandwidth of that day comes from its source {origin!s}."
                ]
    return errors


def _sum_up(errors: Errors, received: int) -> str:
    bad = len({name.split(".")[1] for name in errors})
    return f"{bad:,} of {received:,} events can't be taken, so none is; see errors."
