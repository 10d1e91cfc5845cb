"""The home page's figures: a number each, with the list behind it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.urls import reverse
from django.utils.http import urlencode

from billing.admin.formatting import format_dollars
from billing.admin.invoices import UNPUSHED_CHOICE, UNRECONCILED_CHOICE
from billing.queries import BillingSummary
from provisioning.admin.filters import LIVE_SAGAS
from provisioning.engine.compensation import COMPENSATION_FAILED
from provisioning.queries import ProvisioningSummary
from provisioning.states import SagaStatus

_STALE: Final = timedelta(hours=3)  # the balance is asked for every hour


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its name, what stands beside it, and the list behind it. `tone` colours the number."""

    name: str
    value: str
    caption: str
    href: str
    tone: str = ""


def saga_figures(sagas: ProvisioningSummary) -> list[Figure]:
    """What goes on, and what needs a hand."""
    alerts = f"{reverse('admin:kernel_alert_changelist')}?{urlencode({'q': COMPENSATION_FAILED})}"
    return [
        Figure("Live sagas", f"{sagas.live:,}", _pace(sagas), _sagas(LIVE_SAGAS), _tone(sagas)),
        Figure(
            "Waiting sagas",
            f"{sagas.waiting:,}",
            "each for its time or a cap" if sagas.waiting else "none waits",
            _sagas(SagaStatus.WAITING),
        ),
        Figure(
            "Dead letters",
            f"{sagas.dead_letters:,}",
            "need a retry or a cancel" if sagas.dead_letters else "none",
            _sagas(SagaStatus.FAILED),
            "bad" if sagas.dead_letters else "good",
        ),
        Figure(
            "Undo failures",
            f"{sagas.compensation_failures:,}",
            "left something behind" if sagas.compensation_failures else "none is open",
            alerts,
            "bad" if sagas.compensation_failures else "good",
        ),
    ]


def billing_figures(billing: BillingSummary, *, at: datetime) -> list[Figure]:
    """What the month has cost, and which invoices need a hand."""
    unpushed = billing.waiting + billing.refused
    return [
        _spend(billing, at),
        Figure(
            "Invoices that don't add up",
            f"{billing.unreconciled:,}",
            "are read again every hour" if billing.unreconciled else "all add up",
            _invoices(ingest_status=UNRECONCILED_CHOICE),
            "bad" if billing.unreconciled else "good",
        ),
        Figure(
            "Not pushed to finance",
            f"{unpushed:,}",
            _pushing(billing),
            _invoices(push_status=UNPUSHED_CHOICE),
            "bad"
            if billing.refused
            else "warning"
            if unpushed and settings.SKYAI_FINANCE_ENABLED
            else "good",
        ),
    ]


def _spend(billing: BillingSummary, at: datetime) -> Figure:
    """As the provider told it last; beside it, the month before."""
    href = reverse("admin:billing_balancesnapshot_changelist")
    balance, month = billing.balance, f"{billing.previous_month:%B}"
    if balance is None:
        return Figure("Spend this month", "-", "the balance was never asked for", href)
    if billing.spent_by_then is not None:
        before = f"{month} by then: {format_dollars(billing.spent_by_then)}"
    elif billing.invoiced is not None:
        before = f"{month} in all: {format_dollars(billing.invoiced)}"
    else:
        before = f"nothing is known of {month}"
    return Figure(
        name=f"Spend in {balance.generated_at:%B}",
        value=format_dollars(balance.month_to_date_usage),
        caption=f"{before}; told on {balance.generated_at:%-d %b at %H:%M}",
        href=href,
        tone="warning" if at - balance.generated_at > _STALE else "",
    )


def _pushing(billing: BillingSummary) -> str:
    if not settings.SKYAI_FINANCE_ENABLED:
        return "pushing is switched off"
    counts = {"refused": billing.refused, "waiting": billing.waiting}
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "finance has all"


def _invoices(**query: str) -> str:
    return f"{reverse('admin:billing_providerinvoice_changelist')}?{urlencode(query)}"


def _pace(sagas: ProvisioningSummary) -> str:
    if sagas.brake.paused:
        return "paused"
    return "under way" if sagas.live else "nothing goes on"


def _tone(sagas: ProvisioningSummary) -> str:
    return "warning" if sagas.brake.paused else ""


def _sagas(status: str) -> str:
    return f"{reverse('admin:provisioning_sagarun_changelist')}?{urlencode({'status': status})}"
