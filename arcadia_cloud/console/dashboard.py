"""The console's home: in ten seconds, whether anything needs a hand. Every figure links to its list.

A fixed number of queries, whatever there is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from arcadia_cloud.console.figures import Figure, billing_figures, saga_figures
from arcadia_cloud.console.fleet_table import CHART_OPTIONS, FleetRow, chart_data, fleet_rows
from arcadia_cloud.kernel.models import Alert
from billing.queries import summarize_billing
from inventory.admin.formatting import Progress, dollars, progress
from inventory.models import SyncRun
from inventory.queries import FleetCell, SyncAge, fleet_cells, sum_of_known, sync_ages
from inventory.values import RunOutcome, kind_label
from provisioning.models import ProvisioningBrake
from provisioning.queries import summarize_provisioning

_ALERTS_SHOWN: Final = 5
_KINDS_NAMED: Final = 3
_OF_BILLING: Final = ("billing.view_balancesnapshot", "billing.view_providerinvoice")


@dataclass(frozen=True, slots=True)
class SyncRow:
    """How long ago a kind was read completely, and its runs."""

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
    running: list[Progress]
    brake: ProvisioningBrake
    is_new: bool  # nothing was ever synced


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the home page shows; nothing for a user who may not see resources."""
    if request.user.has_perm("inventory.view_resource"):
        context["sight"] = build_dashboard(
            at=timezone.now(), with_billing=request.user.has_perms(_OF_BILLING)
        )
        context["may_pause"] = request.user.has_perm("provisioning.change_provisioningbrake")
        context["may_sync"] = request.user.has_perm("inventory.add_syncrun")
    return context


def build_dashboard(*, at: datetime, with_billing: bool) -> Dashboard:
    """Read the figures as they are at the instant `at`; `with_billing` those of billing, too."""
    cells = fleet_cells()
    ages = sync_ages(at=at)
    running = [progress(run) for run in SyncRun.objects.filter(outcome=RunOutcome.RUNNING).order_by("kind")]
    sagas = summarize_provisioning()
    return Dashboard(
        figures=[
            _resources(cells),
            _unattributed(cells),
            _alerts(_open_alerts().count()),
            _stale(ages),
            *saga_figures(sagas),
            *(billing_figures(summarize_billing(at=at), at=at) if with_billing else ()),
        ],
        fleet=fleet_rows(cells),
        chart=chart_data(cells),
        chart_options=CHART_OPTIONS,
        syncs=sorted(map(_sync_row, ages), key=lambda row: row.kind.casefold()),
        alerts=list(_open_alerts().order_by("-last_raised_at")[:_ALERTS_SHOWN]),
        running=running,
        brake=sagas.brake,
        is_new=not cells and not running and all(age.completed_at is None for age in ages),
    )


def _open_alerts() -> QuerySet[Alert]:
    return Alert.objects.filter(resolved_at=None)


def _resources(cells: Sequence[FleetCell]) -> Figure:
    cost = sum_of_known(cell.monthly_cost_cents for cell in cells) or 0
    return Figure(
        name="Live resources",
        value=f"{sum(cell.count for cell in cells):,}",
        caption=f"{dollars(cost)} a month at list price",
        href=reverse("admin:inventory_resource_changelist"),
    )


def _unattributed(cells: Sequence[FleetCell]) -> Figure:
    count = sum(cell.unattributed for cell in cells)
    cost = sum_of_known(cell.unattributed_cost_cents for cell in cells) or 0
    return Figure(
        name="Nobody's resources",
        value=f"{count:,}",
        caption=f"{dollars(cost)} a month" if count else "all are attributed",
        href=f"{reverse('admin:inventory_resource_changelist')}?{urlencode({'whose': 'nobodys'})}",
        tone="warning" if count else "good",
    )


def _alerts(count: int) -> Figure:
    return Figure(
        name="Open alerts",
        value=f"{count:,}",
        caption="need a look" if count else "nothing is wrong",
        href=reverse("admin:kernel_alert_changelist"),
        tone="bad" if count else "good",
    )


def _stale(ages: Sequence[SyncAge]) -> Figure:
    """A kind that isn't set up is waited for by nobody."""
    fresh = sum(age.completed_at is not None and not age.is_stale for age in ages)
    stale = [kind_label(age.kind) for age in ages if age.is_stale and age.completed_at]
    never = [kind_label(age.kind) for age in ages if age.is_stale and age.completed_at is None]
    words = [f"{words}: {_few(kinds)}" for words, kinds in (("stale", stale), ("never", never)) if kinds]
    return Figure(
        name="Kinds up to date",
        value=f"{fresh} of {fresh + len(stale) + len(never)}",
        caption="; ".join(words) or "every sync is fresh",
        href=reverse("admin:inventory_syncrun_changelist"),
        tone="bad" if words else "good",
    )


def _few(kinds: Sequence[str]) -> str:
    """Some of the names: the table of syncs has them all."""
    named = ", ".join(kinds[:_KINDS_NAMED])
    return f"{named} and {len(kinds) - _KINDS_NAMED} more" if len(kinds) > _KINDS_NAMED else named


def _sync_row(age: SyncAge) -> SyncRow:
    return SyncRow(kind_label(age.kind), age, _runs_of(age.kind))


def _runs_of(kind: str) -> str:
    return f"{reverse('admin:inventory_syncrun_changelist')}?{urlencode({'kind': kind})}"
