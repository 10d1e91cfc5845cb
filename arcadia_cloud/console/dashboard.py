"""The console's home page: in ten seconds, what needs a hand. Every figure links to its list.

From the top: what needs a hand, then money, then the fleet. A fixed number of queries, whatever there is.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from arcadia_cloud.console.attention.provider_faults import provider_fault
from arcadia_cloud.console.attention.strip import PageReads, Strip, build_strip
from arcadia_cloud.console.attention.unknowns import Horizon
from arcadia_cloud.console.figures import (
    Figure,
    audit_figure,
    billing_figures,
    drift_figure,
    fleet_figures,
    saga_figures,
    spend_figure,
    syncs_figure,
)
from arcadia_cloud.console.fleet_table import CHART_OPTIONS, FleetRow, chart_data, fleet_rows
from arcadia_cloud.console.jobs.rows import JobRow, list_job_rows
from arcadia_cloud.console.jobs.views import VIEW_JOBS
from arcadia_cloud.console.money_card import MoneyCard, build_money_card
from arcadia_cloud.kernel.processes import Processes, read_processes
from billing.queries import latest_audit, summarize_billing
from inventory.models import SyncRun
from inventory.queries import RunProgress, SyncAge, fleet_cells, run_progress, sync_ages
from inventory.values import RunOutcome, kind_label
from provisioning.queries import summarize_provisioning

_BILLING_PERMISSIONS: Final = (
    "billing.view_balancesnapshot",
    "billing.view_providerinvoice",
    "billing.view_dailycost",
)


@dataclass(frozen=True, slots=True)
class SyncRow:
    """The age of a kind's last complete sync, and the link to its runs.

    `reason` is why it isn't fresh, in a few words: the run has the whole text.
    """

    kind: str
    age: SyncAge
    reason: str
    href: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything that the home page shows. The chart is Chart.js's, as JSON.

    `zeros` are the figures of which there is none. `spend` and `money` are None for who may not see billing.
    """

    strip: Strip
    spend: Figure | None
    money: MoneyCard | None
    figures: list[Figure]
    zeros: list[Figure]
    fleet: list[FleetRow]
    chart: str
    chart_options: str
    syncs: list[SyncRow]
    running: list[RunProgress]
    processes: Processes
    waiting_jobs: list[JobRow]
    is_paused: bool
    is_new: bool  # nothing was ever synced


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the home page shows; nothing for a user who may not see resources."""
    if request.user.has_perm("inventory.view_resource"):
        context["dashboard"] = build_dashboard(
            request, at=timezone.now(), with_billing=request.user.has_perms(_BILLING_PERMISSIONS)
        )
        context["may_pause"] = request.user.has_perm("provisioning.change_provisioningbrake")
        context["may_sync"] = request.user.has_perm("inventory.add_syncrun")
    return context


def build_dashboard(request: HttpRequest, *, at: datetime, with_billing: bool) -> Dashboard:
    """Read the figures as they are at the instant `at`; `with_billing` those of billing, too."""
    cells = fleet_cells()
    ages = sync_ages(at=at)
    running = [
        run_progress(run) for run in SyncRun.objects.filter(outcome=RunOutcome.RUNNING).order_by("kind")
    ]
    sagas = summarize_provisioning()
    processes = read_processes(at=at)
    billing = summarize_billing(at=at) if with_billing else None
    jobs = list_job_rows(processes, at=at) if request.user.has_perm(VIEW_JOBS) else []
    audit = latest_audit() if with_billing else None
    money = build_money_card(at=at) if with_billing else None
    horizon = Horizon.load(processes, at=at)
    strip = build_strip(
        PageReads(
            ages, processes, jobs, sagas.brake, billing, audit, has_costs=bool(money and money.has_costs)
        ),
        request,
        horizon,
        at=at,
    )
    figures = [
        *fleet_figures(cells, with_money=with_billing),
        syncs_figure(ages),
        *saga_figures(sagas),
        drift_figure(strip.drift),
        *(billing_figures(billing) if billing else ()),
        *([audit_figure(audit, horizon.of_audit())] if with_billing else ()),
    ]
    return Dashboard(
        strip=strip,
        spend=spend_figure(billing, horizon.of_balance(), at=at) if billing else None,
        money=money,
        figures=[figure for figure in figures if not figure.is_zero],
        zeros=[figure for figure in figures if figure.is_zero],
        fleet=fleet_rows(cells, with_money=with_billing),
        chart=chart_data(cells),
        chart_options=CHART_OPTIONS,
        syncs=_sync_rows(ages),
        running=running,
        processes=processes,
        waiting_jobs=[job for job in jobs if job.state.word == "waiting"],
        is_paused=sagas.brake.paused,
        is_new=not cells and not running and all(age.completed_at is None for age in ages),
    )


def _sync_rows(ages: list[SyncAge]) -> list[SyncRow]:
    runs = reverse("admin:inventory_syncrun_changelist")
    rows = [
        SyncRow(
            kind_label(age.kind),
            age,
            "" if age.is_fresh else provider_fault(age.reason) or age.reason,
            f"{runs}?{urlencode({'kind': age.kind})}",
        )
        for age in ages
    ]
    return sorted(rows, key=lambda row: row.kind.casefold())
