"""The console's home page: in ten seconds, whether anything needs attention. Every figure links to its list.

A fixed number of queries, whatever there is.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from arcadia_cloud.console.figures import (
    Figure,
    alerts_figure,
    audit_figure,
    billing_figures,
    drift_figure,
    fleet_figures,
    saga_figures,
    syncs_figure,
)
from arcadia_cloud.console.fleet_table import CHART_OPTIONS, FleetRow, chart_data, fleet_rows
from arcadia_cloud.http.process_checks import missing_processes
from arcadia_cloud.kernel.alerts import awake_alerts
from arcadia_cloud.kernel.models import Alert
from arcadia_cloud.kernel.processes import Processes, read_processes
from billing.queries import latest_audit, summarize_billing
from drift.models import Drift
from inventory.models import SyncRun
from inventory.queries import RunProgress, SyncAge, fleet_cells, run_progress, sync_ages
from inventory.values import RunOutcome, kind_label
from provisioning.models import ProvisioningBrake
from provisioning.queries import summarize_provisioning

_ALERTS_SHOWN: Final = 5
_BILLING_PERMISSIONS: Final = ("billing.view_balancesnapshot", "billing.view_providerinvoice")


@dataclass(frozen=True, slots=True)
class SyncRow:
    """The age of a kind's last complete sync, and the link to its runs."""

    kind: str
    age: SyncAge
    href: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything that the home page shows. The chart is Chart.js's, as JSON."""

    figures: list[Figure]
    fleet: list[FleetRow]
    chart: str
    chart_options: str
    syncs: list[SyncRow]
    alerts: list[Alert]
    running: list[RunProgress]
    processes: Processes
    missing: list[str]  # of the processes, in words
    brake: ProvisioningBrake
    is_new: bool  # nothing was ever synced


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the home page shows; nothing for a user who may not see resources."""
    if request.user.has_perm("inventory.view_resource"):
        context["dashboard"] = build_dashboard(
            at=timezone.now(), with_billing=request.user.has_perms(_BILLING_PERMISSIONS)
        )
        context["may_pause"] = request.user.has_perm("provisioning.change_provisioningbrake")
        context["may_sync"] = request.user.has_perm("inventory.add_syncrun")
    return context


def build_dashboard(*, at: datetime, with_billing: bool) -> Dashboard:
    """Read the figures as they are at the instant `at`; `with_billing` those of billing, too."""
    cells = fleet_cells()
    ages = sync_ages(at=at)
    running = [
        run_progress(run) for run in SyncRun.objects.filter(outcome=RunOutcome.RUNNING).order_by("kind")
    ]
    sagas = summarize_provisioning()
    open_alerts = awake_alerts(at=at)
    processes = read_processes(at=at)
    missing = missing_processes(processes)
    runs = reverse("admin:inventory_syncrun_changelist")
    return Dashboard(
        figures=[
            *fleet_figures(cells),
            alerts_figure(open_alerts.count(), is_watched=not missing),
            syncs_figure(ages),
            *saga_figures(sagas),
            drift_figure(Drift.objects.open().count()),
            *(billing_figures(summarize_billing(at=at), at=at) if with_billing else ()),
            *([audit_figure(latest_audit())] if with_billing else ()),
        ],
        fleet=fleet_rows(cells),
        chart=chart_data(cells),
        chart_options=CHART_OPTIONS,
        syncs=sorted(
            (SyncRow(kind_label(age.kind), age, f"{runs}?{urlencode({'kind': age.kind})}") for age in ages),
            key=lambda row: row.kind.casefold(),
        ),
        alerts=list(open_alerts[:_ALERTS_SHOWN]),
        running=running,
        processes=processes,
        missing=missing,
        brake=sagas.brake,
        is_new=not cells and not running and all(age.completed_at is None for age in ages),
    )
