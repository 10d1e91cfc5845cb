"""The home page's strip: what needs a hand, what isn't known, and whether all is well."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from django.db.models import Count, Min
from django.http import HttpRequest

from arcadia_cloud.console.attention.addresses import SubjectAddresses
from arcadia_cloud.console.attention.alert_signs import signs_of_alerts, subjects_with
from arcadia_cloud.console.attention.concern import Concern, Sign, count_severities, merge_signs
from arcadia_cloud.console.attention.job_signs import signs_of_jobs
from arcadia_cloud.console.attention.state_signs import (
    sign_of_drift,
    signs_of_billing,
    signs_of_processes,
    signs_of_provisioning,
    signs_of_syncs,
    syncs_cannot_run,
)
from arcadia_cloud.console.attention.unknowns import Horizon, Unknown
from arcadia_cloud.console.jobs.rows import JobRow
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
class PageReads:
    """The reads that the page has made already. What the user may not see is None or, of jobs, empty."""

    ages: Sequence[SyncAge]
    processes: Processes
    jobs: Sequence[JobRow]
    brake: ProvisioningBrake
    billing: BillingSummary | None
    audit: AuditRun | None
    has_costs: bool


@dataclass(frozen=True, slots=True)
class Strip:
    """The concerns, most severe first, and the unknowns. `hidden` more are not shown."""

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


def build_strip(known: PageReads, request: HttpRequest, horizon: Horizon, *, at: datetime) -> Strip:
    """Read what else is needed, and merge it: four queries, and one more of billing."""
    alerts = _OpenAlerts.load(at=at)
    drift = Drift.objects.open().aggregate(count=Count("pk"), since=Min("detected_at"))
    signs = _signs_of_work(known, alerts, request)
    if not alerts.is_snoozed(NEW_DRIFT):
        signs += sign_of_drift(drift["count"], since=drift["since"])
    unknowns = horizon.unknown_kinds(known.ages, request)
    if known.billing is not None:
        queues, beats = known.processes.unserved, known.processes.beats
        can_run = beats > 0 and _BILLING_QUEUE not in queues
        billing = (known.billing, list_unpushed(), known.audit)
        signs += signs_of_billing(*billing, alerted=alerts.subjects, can_run=can_run, at=at)
        unknowns += horizon.unknown_money(
            known.billing,
            known.audit,
            request,
            has_costs=known.has_costs,
            is_failing=any(subject.startswith("billing:") for subject in alerts.subjects),
        )
    concerns = merge_signs(signs)
    heading = "Nothing needs a hand"
    if concerns:
        heading = count_severities(concerns)
    elif unknowns:
        # Not green: what isn't known may need one.
        heading = f"Nothing known needs a hand; {len(unknowns)} not known yet"
    return Strip(
        heading=heading,
        concerns=concerns[:_SHOWN],
        hidden=max(len(concerns) - _SHOWN, 0),
        unknowns=unknowns,
        drift=drift["count"],
    )


@dataclass(frozen=True, slots=True)
class _OpenAlerts:
    """The open alerts; `subjects` are those of snoozed ones, too: a snooze covers rows."""

    every: Sequence[Alert]
    awake: Sequence[Alert]

    @classmethod
    def load(cls, *, at: datetime) -> Self:
        rows = Alert.objects.filter(resolved_at=None).order_by("severity", "raised_at", "pk")
        every = list(rows[:_MOST_ALERTS])
        awake = [alert for alert in every if alert.snoozed_until is None or alert.snoozed_until <= at]
        return cls(every, awake)

    @property
    def subjects(self) -> set[str]:
        return {alert.subject for alert in self.every}

    def snoozed_subjects(self, code: str) -> set[str]:
        return subjects_with(self.every, code) - subjects_with(self.awake, code)

    def is_snoozed(self, code: str) -> bool:
        return bool(self.snoozed_subjects(code))


def _signs_of_work(known: PageReads, alerts: _OpenAlerts, request: HttpRequest) -> list[Sign]:
    """Return what alerts, workers, syncs and sagas show."""
    late = signs_of_syncs(known.ages, alerted=alerts.subjects)
    # Kinds that nobody can read for want of a worker are the worker's entry; those that fail are their own.
    cannot_sync = syncs_cannot_run(known.processes)
    silent = [sign for sign in late if cannot_sync and sign.cause == ("sync", "")]
    addresses = SubjectAddresses(alert.subject for alert in alerts.awake)
    return [
        *signs_of_processes(
            known.processes, snoozed_queues=alerts.snoozed_subjects(NO_WORKER), stale_kinds=len(silent)
        ),
        *signs_of_alerts(alerts.awake, addresses, with_billing=known.billing is not None),
        *(sign for sign in late if sign not in silent),
        *signs_of_jobs(known.jobs, known.processes, alert_messages={alert.message for alert in alerts.every}),
        *signs_of_provisioning(
            known.brake,
            list_failed_sagas(_MOST_ALERTS),
            alerted=alerts.subjects,
            may_lift=request.user.has_perm("provisioning.change_provisioningbrake"),
        ),
    ]
