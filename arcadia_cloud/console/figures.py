"""The home page's figures: a number each, with a link to its list."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.urls import reverse
from django.utils.http import urlencode

from arcadia_cloud.console.attention.state_signs import BALANCE_STALE_AFTER
from arcadia_cloud.kernel.console.formatting import NOTHING, at_least
from arcadia_cloud.kernel.money import Money, format_money
from billing.models import AuditRun
from billing.queries import BillingSummary
from billing.values import UNPUSHED_CHOICE, UNRECONCILED_CHOICE
from inventory.queries import FleetCell, SyncAge, sum_of_known
from inventory.values import OWNER_PARAMETER, PROVIDER_CURRENCY, UNATTRIBUTED, kind_label
from provisioning.queries import COMPENSATION_FAILED, ProvisioningSummary
from provisioning.states import LIVE_SAGAS, SagaStatus

_KINDS_NAMED: Final = 3  # the table of syncs has them all


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its name, a caption, and the link to its list. `tone` colours the number."""

    name: str
    value: str
    caption: str
    href: str
    tone: str = ""

    @property
    def is_zero(self) -> bool:
        """Whether there is none of it: such figures stand together in one line."""
        return self.value == "0"


def fleet_figures(cells: Sequence[FleetCell], *, with_money: bool) -> list[Figure]:
    """Count the live resources, and the unattributed ones among them; what they cost `with_money` alone."""
    resources = reverse("admin:inventory_resource_changelist")
    unattributed = sum(cell.unattributed for cell in cells)
    unpriced = sum(cell.unpriced for cell in cells)
    cost = _format_least((cell.monthly_cost_cents for cell in cells), unpriced)
    unattributed_cost = _format_least(
        (cell.unattributed_cost_cents for cell in cells), sum(cell.unattributed_unpriced for cell in cells)
    )
    without = f"; {unpriced:,} without a price" if unpriced else ""
    return [
        Figure(
            "Live resources",
            f"{sum(cell.count for cell in cells):,}",
            f"{cost} a month at list price{without}"
            if with_money
            else f"of {len({cell.kind for cell in cells})} kinds",
            resources,
        ),
        Figure(
            "Unattributed",
            f"{unattributed:,}",
            f"{unattributed_cost} a month" if with_money else "belong to no tenant",
            f"{resources}?{urlencode({OWNER_PARAMETER: UNATTRIBUTED})}",
            "warning",
        ),
    ]


def syncs_figure(ages: Sequence[SyncAge]) -> Figure:
    """Count the kinds that are known to be up to date; one that isn't set up counts for nothing."""
    fresh = sum(age.is_fresh for age in ages)
    stale = [age for age in ages if age.is_stale and age.completed_at]
    failed = [age for age in ages if age.has_failed and age not in stale]
    never = [age for age in ages if age.is_stale and age.completed_at is None and not age.has_failed]
    late = []
    for label, group in (("stale", stale), ("failed", failed), ("never", never)):
        kinds = [kind_label(age.kind) for age in group]
        if kinds:
            rest = f" and {len(kinds) - _KINDS_NAMED} more" if len(kinds) > _KINDS_NAMED else ""
            late.append(f"{label}: {', '.join(kinds[:_KINDS_NAMED])}{rest}")
    # What was never read is neither good nor bad: nothing is known of it yet.
    tone = "bad" if stale or failed else "" if never else "good"
    return Figure(
        name="Kinds up to date",
        value=f"{fresh} of {fresh + len(stale) + len(failed) + len(never)}",
        caption="; ".join(late) or "every sync is fresh",
        href=reverse("admin:inventory_syncrun_changelist"),
        tone=tone,
    )


def drift_figure(count: int) -> Figure:
    """Return the open differences between desired and live state."""
    href = reverse("admin:drift_drift_changelist")
    return Figure("Open drift", f"{count:,}", "differ from their desired state", href, "warning")


def saga_figures(sagas: ProvisioningSummary) -> list[Figure]:
    """Return the live and waiting sagas, and those that need attention."""
    failures = f"{reverse('admin:kernel_alert_changelist')}?{urlencode({'q': COMPENSATION_FAILED})}"
    return [
        Figure(
            "Live sagas",
            f"{sagas.live:,}",
            "paused" if sagas.brake.paused else "running",
            _sagas_href(LIVE_SAGAS),
            "warning" if sagas.brake.paused else "",
        ),
        Figure(
            "Waiting sagas",
            f"{sagas.waiting:,}",
            "each for a time or a cap",
            _sagas_href(SagaStatus.WAITING),
        ),
        Figure(
            "Dead letters",
            f"{sagas.dead_letters:,}",
            "need a retry or a cancel",
            _sagas_href(SagaStatus.FAILED),
            "bad",
        ),
        Figure(
            "Failed compensations",
            f"{sagas.compensation_failures:,}",
            "left something behind",
            failures,
            "bad",
        ),
    ]


def billing_figures(billing: BillingSummary) -> list[Figure]:
    """Return the invoices that need attention."""
    unpushed = billing.waiting + billing.refused
    counts = {"refused": billing.refused, "waiting": billing.waiting}
    push = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    is_off = not settings.SKYAI_FINANCE_ENABLED
    return [
        Figure(
            "Invoices that don't add up",
            f"{billing.unreconciled:,}",
            "or can't be read",
            _invoices_href(ingest_status=UNRECONCILED_CHOICE),
            "bad",
        ),
        Figure(
            "Not pushed to finance",
            f"{unpushed:,}",
            "pushing is switched off" if is_off else push,
            _invoices_href(push_status=UNPUSHED_CHOICE),
            "" if is_off else "bad" if billing.refused else "warning",
        ),
    ]


def audit_figure(audit: AuditRun | None, next_run: str) -> Figure:
    """Return the findings of the money audit; red only where a run found red ones, grey before the first."""
    href = reverse("admin:billing_auditfinding_changelist")
    # No colour before the first run: nothing is known, which is neither good nor bad.
    if audit is None:
        return Figure("Money audit", NOTHING, f"not run yet; {next_run}", href)
    counts = {"red": audit.red, "yellow": audit.yellow}
    caption = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    tone = "bad" if audit.red else "warning"
    as_of = f"{caption}; as of {audit.started_at:%-d %b at %H:%M} UTC"
    return Figure("Money audit", f"{audit.red + audit.yellow:,}", as_of, href, tone)


def spend_figure(billing: BillingSummary, next_run: str, *, at: datetime) -> Figure:
    """Return the provider's last figure; beside it, the month before."""
    href = reverse("admin:billing_balancesnapshot_changelist")
    balance, month = billing.balance, f"{billing.previous_month:%B}"
    if balance is None:
        return Figure("Spend this month", NOTHING, f"no balance was read yet; {next_run}", href)
    if billing.spent_by_then is not None:
        before = f"{month} by then: {_format_exact(billing.spent_by_then)}"
    elif billing.invoiced is not None:
        before = f"{month} in all: {_format_exact(billing.invoiced)}"
    else:
        before = f"nothing is known of {month}"
    return Figure(
        name=f"Spend in {balance.generated_at:%B}",
        value=_format_exact(balance.month_to_date_usage),
        caption=f"{before}; as of {balance.generated_at:%-d %b at %H:%M} UTC",
        href=href,
        tone="warning" if at - balance.generated_at > BALANCE_STALE_AFTER else "",
    )


def _format_least(cents: Iterable[int | None], unpriced: int) -> str:
    """Format the sum of the known costs: a least sum where some resources have no price."""
    return at_least(format_money(Money.from_cents(sum_of_known(cents) or 0, PROVIDER_CURRENCY)), unpriced)


def _format_exact(amount: Decimal) -> str:
    return format_money(Money(amount, PROVIDER_CURRENCY), exact=True)


def _invoices_href(**query: str) -> str:
    return f"{reverse('admin:billing_providerinvoice_changelist')}?{urlencode(query)}"


def _sagas_href(status: str) -> str:
    return f"{reverse('admin:provisioning_sagarun_changelist')}?{urlencode({'status': status})}"
