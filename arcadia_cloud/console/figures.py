"""The home page's figures: a number each, with a link to its list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.urls import reverse
from django.utils.http import urlencode

from arcadia_cloud.kernel.money import Money, format_money
from billing.models import AuditRun
from billing.queries import BillingSummary
from billing.values import UNPUSHED_CHOICE, UNRECONCILED_CHOICE
from inventory.queries import FleetCell, SyncAge, sum_of_known
from inventory.values import OWNER_PARAMETER, PROVIDER_CURRENCY, UNATTRIBUTED, kind_label
from provisioning.queries import COMPENSATION_FAILED, ProvisioningSummary
from provisioning.states import LIVE_SAGAS, SagaStatus

_KINDS_NAMED: Final = 3  # the table of syncs has them all
_STALE: Final = timedelta(hours=3)  # the balance is asked for every hour


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its name, a caption, and the link to its list. `tone` colours the number."""

    name: str
    value: str
    caption: str
    href: str
    tone: str = ""


def fleet_figures(cells: Sequence[FleetCell]) -> list[Figure]:
    """Count the live resources, and the unattributed ones among them."""
    resources = reverse("admin:inventory_resource_changelist")
    unattributed = sum(cell.unattributed for cell in cells)
    costs = [
        format_money(Money.from_cents(sum_of_known(cents) or 0, PROVIDER_CURRENCY))
        for cents in (
            (cell.monthly_cost_cents for cell in cells),
            (cell.unattributed_cost_cents for cell in cells),
        )
    ]
    return [
        Figure(
            "Live resources",
            f"{sum(cell.count for cell in cells):,}",
            f"{costs[0]} a month at list price",
            resources,
        ),
        Figure(
            "Unattributed",
            f"{unattributed:,}",
            f"{costs[1]} a month" if unattributed else "all are attributed",
            f"{resources}?{urlencode({OWNER_PARAMETER: UNATTRIBUTED})}",
            "warning" if unattributed else "good",
        ),
    ]


def alerts_figure(count: int, *, is_watched: bool) -> Figure:
    """Count the open alerts; none is no good sign while the processes that raise them don't run."""
    quiet = "none is open" if is_watched else "a worker is missing: see below"
    return Figure(
        name="Open alerts",
        value=f"{count:,}",
        caption="need a look" if count else quiet,
        href=reverse("admin:kernel_alert_changelist"),
        tone="good" if is_watched and not count else "bad",
    )


def syncs_figure(ages: Sequence[SyncAge]) -> Figure:
    """Count the kinds that are up to date; one that isn't set up is neither fresh nor stale."""
    fresh = sum(age.completed_at is not None and not age.is_stale for age in ages)
    stale = [kind_label(age.kind) for age in ages if age.is_stale and age.completed_at]
    never = [kind_label(age.kind) for age in ages if age.is_stale and age.completed_at is None]
    late = []
    for label, kinds in (("stale", stale), ("never", never)):
        if kinds:
            rest = f" and {len(kinds) - _KINDS_NAMED} more" if len(kinds) > _KINDS_NAMED else ""
            late.append(f"{label}: {', '.join(kinds[:_KINDS_NAMED])}{rest}")
    return Figure(
        name="Kinds up to date",
        value=f"{fresh} of {fresh + len(stale) + len(never)}",
        caption="; ".join(late) or "every sync is fresh",
        href=reverse("admin:inventory_syncrun_changelist"),
        tone="bad" if late else "good",
    )


def drift_figure(count: int) -> Figure:
    """Return the open differences between desired and live state."""
    caption = "differ from their desired state" if count else "all is as desired"
    href, tone = reverse("admin:drift_drift_changelist"), "warning" if count else "good"
    return Figure("Open drift", f"{count:,}", caption, href, tone)


def saga_figures(sagas: ProvisioningSummary) -> list[Figure]:
    """Return the live and waiting sagas, and those that need attention."""
    failures = f"{reverse('admin:kernel_alert_changelist')}?{urlencode({'q': COMPENSATION_FAILED})}"
    return [
        Figure(
            "Live sagas",
            f"{sagas.live:,}",
            "paused" if sagas.brake.paused else "running" if sagas.live else "none is running",
            _sagas_href(LIVE_SAGAS),
            "warning" if sagas.brake.paused else "",
        ),
        Figure(
            "Waiting sagas",
            f"{sagas.waiting:,}",
            "each for a time or a cap" if sagas.waiting else "none is waiting",
            _sagas_href(SagaStatus.WAITING),
        ),
        Figure(
            "Dead letters",
            f"{sagas.dead_letters:,}",
            "need a retry or a cancel" if sagas.dead_letters else "none",
            _sagas_href(SagaStatus.FAILED),
            "bad" if sagas.dead_letters else "good",
        ),
        Figure(
            "Failed compensations",
            f"{sagas.compensation_failures:,}",
            "left something behind" if sagas.compensation_failures else "none is open",
            failures,
            "bad" if sagas.compensation_failures else "good",
        ),
    ]


def billing_figures(billing: BillingSummary, *, at: datetime) -> list[Figure]:
    """Return what the month has cost, and the invoices that need attention."""
    unpushed = billing.waiting + billing.refused
    counts = {"refused": billing.refused, "waiting": billing.waiting}
    push = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "finance has all"
    return [
        spend_figure(billing, at),
        Figure(
            "Invoices that don't add up",
            f"{billing.unreconciled:,}",
            "are read again every hour" if billing.unreconciled else "all add up",
            _invoices_href(ingest_status=UNRECONCILED_CHOICE),
            "bad" if billing.unreconciled else "good",
        ),
        Figure(
            "Not pushed to finance",
            f"{unpushed:,}",
            push if settings.SKYAI_FINANCE_ENABLED else "pushing is switched off",
            _invoices_href(push_status=UNPUSHED_CHOICE),
            "bad"
            if billing.refused
            else "warning"
            if unpushed and settings.SKYAI_FINANCE_ENABLED
            else "good",
        ),
    ]


def audit_figure(audit: AuditRun | None) -> Figure:
    """Return the findings of the money audit; red only where a run found red ones, grey before the first."""
    href = reverse("admin:billing_auditfinding_changelist")
    # No colour before the first run: nothing is known, which is neither good nor bad.
    if audit is None:
        return Figure("Money audit", "-", "not run yet; next at 03:55 UTC", href)
    found = audit.red + audit.yellow
    counts = {"red": audit.red, "yellow": audit.yellow}
    caption = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "the book is sound"
    tone = "bad" if audit.red else "warning" if audit.yellow else "good"
    return Figure(
        "Money audit", f"{found:,}", f"{caption}; as of {audit.started_at:%-d %b at %H:%M}", href, tone
    )


def spend_figure(billing: BillingSummary, at: datetime) -> Figure:
    """Return the provider's last figure; beside it, the month before."""
    href = reverse("admin:billing_balancesnapshot_changelist")
    balance, month = billing.balance, f"{billing.previous_month:%B}"
    if balance is None:
        return Figure("Spend this month", "-", "the balance was never asked for", href)
    if billing.spent_by_then is not None:
        before = f"{month} by then: {_format_exact(billing.spent_by_then)}"
    elif billing.invoiced is not None:
        before = f"{month} in all: {_format_exact(billing.invoiced)}"
    else:
        before = f"nothing is known of {month}"
    return Figure(
        name=f"Spend in {balance.generated_at:%B}",
        value=_format_exact(balance.month_to_date_usage),
        caption=f"{before}; as of {balance.generated_at:%-d %b at %H:%M}",
        href=href,
        tone="warning" if at - balance.generated_at > _STALE else "",
    )


def _format_exact(amount: Decimal) -> str:
    return format_money(Money(amount, PROVIDER_CURRENCY), exact=True)


def _invoices_href(**query: str) -> str:
    return f"{reverse('admin:billing_providerinvoice_changelist')}?{urlencode(query)}"


def _sagas_href(status: str) -> str:
    return f"{reverse('admin:provisioning_sagarun_changelist')}?{urlencode({'status': status})}"
