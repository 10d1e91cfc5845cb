"""The signs that rows show by themselves, where no alert is raised, or later: workers, syncs, bills."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.urls import reverse

from arcadia_cloud.console.attention.addresses import HOME_WORKERS, list_address
from arcadia_cloud.console.attention.concern import CRITICAL, WARNING, Button, Sign
from arcadia_cloud.console.attention.provider_faults import provider_fault
from arcadia_cloud.kernel.processes import Processes
from billing.models import AuditRun
from billing.queries import BillingSummary, UnpushedInvoices
from inventory.queries import SyncAge
from inventory.values import RunOutcome, kind_label
from provisioning.models import ProvisioningBrake, SagaRun

BALANCE_STALE_AFTER: Final = timedelta(hours=3)  # it is asked for every hour
_SYNC_QUEUES: Final = "cloud_sync_"
_RUNS: Final = "admin:inventory_syncrun_changelist"


def signs_of_processes(
    processes: Processes, *, snoozed_queues: Collection[str], stale_kinds: int
) -> list[Sign]:
    """Return what doesn't run. What comes of it is no entry of its own: `stale_kinds` stand beside it."""
    signs = []
    if all(queue.waiting is None for queue in processes.queues):
        words = "Redis doesn't answer: no task reaches a worker, and counts are not kept"
        signs.append(Sign(("broker",), CRITICAL, words, HOME_WORKERS))
    unserved = [queue for queue in processes.queues if not queue.is_served]
    awake = [queue for queue in unserved if f"queue:{queue.name}" not in snoozed_queues]
    late = f"; {stale_kinds} kind{'' if stale_kinds == 1 else 's'} not read in time" if stale_kinds else ""
    lateness = late if syncs_cannot_run(processes) else ""
    if awake:
        named = ", ".join(queue.name for queue in awake)
        is_all = len(unserved) == len(processes.queues)
        words = (
            "No worker runs: nothing is taken from any queue" if is_all else f"No worker takes from {named}"
        )
        waiting = sum(queue.waiting or 0 for queue in awake)
        tasks = f"; {waiting:,} task{'' if waiting == 1 else 's'} wait" if waiting else ""
        seen = [queue.seen_at for queue in awake if queue.seen_at]
        since = max(seen) if is_all and seen else min(seen, default=None)
        is_cause = any(queue.name.startswith(_SYNC_QUEUES) for queue in awake)
        words = f"{words}{tasks}{lateness if is_cause else ''}"
        signs.append(Sign(("workers",), CRITICAL, words, HOME_WORKERS, since=since))
        lateness = "" if is_cause else lateness
    if not processes.beats:
        words = f"No beat runs: nothing is scheduled{lateness}"
        signs.append(Sign(("beat",), CRITICAL, words, HOME_WORKERS))
    return signs


def syncs_cannot_run(processes: Processes) -> bool:
    """Return whether a worker or beat is missing that syncs need."""
    return not processes.beats or any(name.startswith(_SYNC_QUEUES) for name in processes.unserved)


def signs_of_syncs(ages: Sequence[SyncAge], *, alerted: Collection[str]) -> list[Sign]:
    """Return the kinds that weren't read in time, or not at the last try. `alerted` subjects are left out."""
    signs = []
    for age in ages:
        is_late = age.is_stale and age.completed_at is not None
        if f"kind:{age.kind}" in alerted or not (is_late or age.has_failed):
            continue
        fault = provider_fault(age.reason)
        reason = fault or age.reason
        label = kind_label(age.kind)
        state = f"{label} was not read in time" if is_late else f"The last sync of {label} failed"
        signs.append(
            Sign(
                cause=("provider", fault) if fault else ("sync", age.reason),
                severity=WARNING,
                sentence=f"{state}: {reason}" if reason else state,
                href=list_address(_RUNS, kind=age.kind),
                about=reason or "Not read in time",
                noun="kind",
                name=f"kind:{age.kind}",
                list_href=list_address(_RUNS, outcome=RunOutcome.FAILED) if reason else list_address(_RUNS),
                since=age.completed_at,
            )
        )
    return signs


def signs_of_provisioning(
    brake: ProvisioningBrake, failed: Sequence[SagaRun], *, alerted: Collection[str], may_lift: bool
) -> list[Sign]:
    """Return the pause, and dead letters whose alert somebody has resolved by hand."""
    signs = [
        Sign(
            cause=("subject", f"saga:{saga.pk}"),
            severity=CRITICAL,
            sentence=f"Saga {saga.pk} ({saga.kind}) can't go on, and waits for a retry or a cancel",
            href=reverse("admin:provisioning_sagarun_change", args=[saga.pk]),
            since=saga.finished_at,
        )
        for saga in failed
        if f"saga:{saga.pk}" not in alerted
    ]
    if brake.paused:
        lift = reverse("admin:provisioning_sagarun_lift_pause")
        reason = brake.reason or "no reason given"
        signs.append(
            Sign(
                cause=("pause",),
                severity=WARNING,
                sentence=f"Provisioning is paused by {brake.changed_by}: {reason}. "
                "Nothing new starts, and sagas stop at their next step",
                href=list_address("admin:provisioning_sagarun_changelist"),
                since=brake.changed_at,
                button=Button("lift-pause", "Lift the pause", "play_circle", lift) if may_lift else None,
            )
        )
    return signs


def sign_of_drift(count: int, *, since: datetime | None) -> list[Sign]:
    """Return the differences that are open, if there are any."""
    if not count:
        return []
    words = f"{count:,} difference{'' if count == 1 else 's'} from the desired state"
    return [Sign(("drift",), WARNING, words, list_address("admin:drift_drift_changelist"), since=since)]


def signs_of_billing(
    billing: BillingSummary,
    unpushed: Sequence[UnpushedInvoices],
    audit: AuditRun | None,
    *,
    alerted: Collection[str],
    can_run: bool,
    at: datetime,
) -> list[Sign]:
    """Return a balance that isn't read any more, invoices that finance hasn't got, and a red audit."""
    signs = [] if not settings.SKYAI_FINANCE_ENABLED else [_sign_of_push(each) for each in unpushed]
    balance = billing.balance
    is_alerted = any(subject.startswith("billing:") for subject in alerted)
    # Where no worker or beat runs for it, that is the cause, and has its own entry.
    if balance and can_run and not is_alerted and at - balance.generated_at > BALANCE_STALE_AFTER:
        words = "The balance was not read in time"
        href = list_address("admin:billing_balancesnapshot_changelist")
        signs.append(Sign(("balance",), WARNING, words, href, since=balance.generated_at))
    if audit and audit.red and not any(subject.startswith("audit:") for subject in alerted):
        words = f"The money audit found {audit.red:,} red finding{'' if audit.red == 1 else 's'}"
        href = list_address("admin:billing_auditfinding_changelist", severity="red")
        signs.append(Sign(("audit",), CRITICAL, words, href, since=audit.started_at))
    return signs


def _sign_of_push(group: UnpushedInvoices) -> Sign:
    invoices = "admin:billing_providerinvoice_changelist"
    is_one = group.count == 1
    page = reverse("admin:billing_providerinvoice_change", args=[group.first_pk])
    words = f"{group.count} invoice{' is' if is_one else 's are'} not pushed to finance: {group.reason}"
    return Sign(
        cause=("push", group.reason),
        severity=WARNING,
        sentence=words,
        href=page if is_one else list_address(invoices, push_status=group.status),
    )
