"""The scheduled and the requested work. Each is thin: its outcome is in the rows."""

from celery import shared_task
from django.utils import timezone

from arcadia_cloud.kernel.leases import LeaseHeld
from arcadia_cloud.kernel.money import Money, format_money
from billing import services
from billing.refresh import REFRESH_TASK, refresh
from inventory.values import PROVIDER_CURRENCY


@shared_task(name=REFRESH_TASK)
def refresh_billing(actor: str = "schedule") -> dict[str, str]:
    """Read and compute everything at once, as a new installation asks for; return what failed."""
    return dict(refresh(actor=actor))


@shared_task(name=services.BALANCE_TASK)
def snapshot_balance() -> dict[str, str]:
    """Store the balance, hourly."""
    snapshot = services.snapshot_balance(at=timezone.now())
    balance = Money(snapshot.month_to_date_balance, PROVIDER_CURRENCY)
    return {"month_to_date_balance": format_money(balance)}


@shared_task(name=services.HISTORY_TASK, throws=(LeaseHeld,))
def read_history() -> dict[str, int]:
    """Read the history, daily: headers of new invoices, and an ingest for each that isn't in place."""
    history = services.update_history(at=timezone.now(), enqueue=True)
    return {"invoices": history.invoices, "entries": history.entries, "to_ingest": len(history.to_ingest)}


@shared_task(name=services.INGEST_TASK)
def ingest_invoice(invoice_pk: int, again: bool = False) -> dict[str, str | int]:
    """Ingest one invoice, and push it."""
    result = services.ingest_and_push(invoice_pk=invoice_pk, again=again)
    return {"invoice": invoice_pk, "status": str(result.invoice.ingest_status) if result else "gone"}


@shared_task(name=services.PUSH_TASK)
def push_invoice(invoice_pk: int, force: bool = False) -> dict[str, str | int]:
    """Push one invoice to finance."""
    result = services.push_if_due(invoice_pk=invoice_pk, force=force)
    return {"invoice": invoice_pk, "action": result.action if result else "skipped"}


@shared_task(name="billing.read_provider_prices")
def read_provider_prices() -> dict[str, int]:
    """Read what droplet sizes cost and where they are sold, daily."""
    counts = services.read_provider_prices(day=timezone.now().date())
    return {"begun": counts.begun, "ended": counts.ended}


@shared_task(name="billing.read_reported_costs", throws=(LeaseHeld,))
def read_reported_costs() -> dict[str, int | str]:
    """Read what the provider reports that days cost, daily, where the token may."""
    result = services.read_reported_costs(at=timezone.now())
    return {"days": result.days, "items": result.items, "refusal": result.refusal}


@shared_task(name=services.COSTS_TASK, throws=(LeaseHeld,))
def compute_daily_costs() -> dict[str, int]:
    """Compute the costs of the days that are due, daily."""
    result = services.compute_daily_costs(at=timezone.now())
    return {"days": result.days, "rows": result.rows}


@shared_task(name=services.AUDIT_TASK)
def audit_money(actor: str = "schedule") -> dict[str, int]:
    """Judge the whole book, daily, by the audit's rules; return the findings of each that has any."""
    results = services.run_audit(at=timezone.now(), actor=actor)
    return {each.rule.code: len(each.faults) for each in results if each.faults}


@shared_task(name=services.SIMULATE_TASK)
def simulate_plan(simulation_pk: int) -> dict[str, str | int]:
    """Run one price simulation."""
    simulation = services.run_if_unattended(simulation_pk=simulation_pk)
    return {"simulation": simulation_pk, "status": str(simulation.status) if simulation else "skipped"}


@shared_task(name="billing.sweep_simulations")
def sweep_simulations() -> dict[str, int]:
    """Ask for the simulations that no process has in hand, every five minutes."""
    return {"simulations": services.sweep_simulations()}


@shared_task(name="billing.prune_simulations")
def prune_simulations() -> dict[str, int]:
    """Delete, daily, the rows of price simulations and the simulations whose retention is over."""
    counts = services.prune_simulations(at=timezone.now())
    return {"rows": counts.rows, "simulations": counts.simulations}


@shared_task(name="billing.detect_cost_anomalies", throws=(LeaseHeld,))
def detect_cost_anomalies() -> dict[str, int]:
    """Judge the costs of the last days, daily, after they are computed."""
    counts = services.detect_cost_anomalies(at=timezone.now())
    return {"opened": counts.opened, "closed": counts.closed, "open": counts.open}


@shared_task(name="billing.sweep")
def sweep() -> dict[str, int]:
    """Try again, hourly, what failed, didn't add up, or wasn't pushed."""
    counts = services.sweep(at=timezone.now())
    return {"ingests": counts.ingests, "pushes": counts.pushes, "matched": counts.matched}


@shared_task(name="billing.match_again")
def match_lines_again(kinds: list[str]) -> dict[str, int]:
    """Match again the lines of these kinds, of which inventory has learnt more."""
    return {"matched": services.rematch(kinds=kinds)}
