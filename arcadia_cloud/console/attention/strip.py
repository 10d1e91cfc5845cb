"""The home page's strip: what needs a hand, what isn't known, and whether all is well."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Min
from django.http import HttpRequest

from arcadia_cloud.console.attention.addresses import SubjectAddresses
from arcadia_cloud.console.attention.alert_signs import signs_of_alerts, subjects_with
from arcadia_cloud.console.attention.concern import Concern, Sign, count_severities, merge_signs
from arcadia_cloud.console.attention.state_signs import (
    sign_of_drift,
    signs_of_billing,
    signs_of_processes,
    signs_of_provisioning,
    signs_of_syncs,
    syncs_cannot_run,
)
from arcadia_cloud.console.attention.unknowns import Horizon, Unknown
from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.processes import NO_WORKER, Processes
from billing.models import AuditRun
from billing.queries import BillingSummary, list_unpushed
from drift.alerts import NEW_DRIFT
from drift.models import Drift
from inventory.queries import SyncAge
from provisioning.models import ProvisioningBrake
from provisioning.queries import list_failed_sagas

_MOST_ALERTS: Final = 500
_SHOWN: Final = 10
_BILLING_QUEUE: Final = "cloud_billing"


@dataclass(frozen=True, slots=True)
class Known:
    """What the page has read already. `billing` is None for those who may not see it."""

    ages: Sequence[SyncAge]
    processes: Processes
    brake: ProvisioningBrake
    billing: BillingSummary | None
    audit: AuditRun | None
    has_costs: bool


@dataclass(frozen=True, slots=True)
class Strip:
    """What needs a hand, the most severe first, and what isn't known yet. `hidden` more are not shown."""

    heading: str
    concerns: list[Concern]
    hidden: int
    unknowns: list[Unknown]
    drift: int

    @property
    def tone(self) -> str:
        """The strip's colour: green only where all is known to be good."""
        if self.concerns:
            return "bad" if self.concerns[0].is_critical else "warning"
        return "unknown" if self.unknowns else "good"


def build_strip(known: Known, request: HttpRequest, horizon: Horizon, *, at: datetime) -> Strip:
    """Read what else is needed, and merge it: four queries, and one more of billing."""
    every = list(
        Alert.objects.filter(resolved_at=None).order_by("severity", "raised_at", "pk")[:_MOST_ALERTS]
    )
    awake = [alert for alert in every if alert.snoozed_until is None or alert.snoozed_until <= at]
    alerted = {alert.subject for alert in every}
    snoozed_queues = subjects_with(every, NO_WORKER) - subjects_with(awake, NO_WORKER)
    drift = Drift.objects.open().aggregate(count=Count("pk"), since=Min("detected_at"))
    is_drift_awake = subjects_with(awake, NEW_DRIFT) or not subjects_with(every, NEW_DRIFT)
    cannot_sync = syncs_cannot_run(known.processes)
    late = signs_of_syncs(known.ages, alerted=alerted)
    # Kinds that nobody can read for want of a worker are the worker's entry; those that fail are their own.
    silent = [sign for sign in late if cannot_sync and sign.cause[0] == "sync" and not sign.cause[1]]
    signs: list[Sign] = [
        *signs_of_processes(known.processes, snoozed_queues=snoozed_queues, stale_kinds=len(silent)),
        *signs_of_alerts(
            awake,
            SubjectAddresses(alert.subject for alert in awake),
            with_billing=known.billing is not None,
        ),
        *(sign for sign in late if sign not in silent),
        *signs_of_provisioning(
            known.brake,
            list_failed_sagas(_MOST_ALERTS),
            alerted=alerted,
            may_lift=request.user.has_perm("provisioning.change_provisioningbrake"),
        ),
        *(sign_of_drift(drift["count"], since=drift["since"]) if is_drift_awake else ()),
    ]
    unknowns = horizon.unknown_kinds(known.ages, request)
    if known.billing is not None:
        signs += signs_of_billing(
            known.billing,
            list_unpushed(),
            known.audit,
            alerted=alerted,
            can_run=known.processes.beats > 0 and _BILLING_QUEUE not in known.processes.unserved,
            at=at,
        )
        unknowns += horizon.unknown_money(
            known.billing,
            known.audit,
            request,
            has_costs=known.has_costs,
            is_failing=any(subject.startswith("billing:") for subject in alerted),
        )
    concerns = merge_signs(signs)
    return Strip(
        heading=_heading(concerns, unknowns),
        concerns=concerns[:_SHOWN],
        hidden=max(len(concerns) - _SHOWN, 0),
        unknowns=unknowns,
        drift=drift["count"],
    )


def _heading(concerns: Sequence[Concern], unknowns: Sequence[Unknown]) -> str:
    if concerns:
        return count_severities(concerns)
    if unknowns:
        return f"Nothing known needs a hand; {len(unknowns)} not known yet"
    return "Nothing needs a hand"
