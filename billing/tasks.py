"""The scheduled and the requested work. Each is thin: the rows tell what happened."""

from celery import shared_task
from django.utils import timezone

from billing import services
from billing.matching import rematch


@shared_task(name="billing.snapshot_balance")
def snapshot_balance() -> dict[str, str]:
    """Hourly: what we owe."""
    snapshot = services.snapshot_balance(at=timezone.now())
    return {"month_to_date_balance": str(snapshot.month_to_date_balance)}


@shared_task(name="billing.read_history")
def read_history() -> dict[str, int]:
    """Daily: headers of new invoices, and an ingest for each that isn't in place."""
    found = services.update_history(at=timezone.now(), enqueue=True)
    return {"invoices": found.invoices, "entries": found.entries, "to_ingest": len(found.open)}


@shared_task(name=services.INGEST_TASK)
def ingest_invoice(invoice_pk: int, again: bool = False) -> dict[str, str | int]:
    """Ingest one invoice, and push it."""
    done = services.ingest_and_push(invoice_pk=invoice_pk, again=again)
    return {"invoice": invoice_pk, "status": str(done.invoice.ingest_status) if done else "gone"}


@shared_task(name=services.PUSH_TASK)
def push_invoice(invoice_pk: int, force: bool = False) -> dict[str, str | int]:
    """Push one invoice to finance."""
    pushed = services.push(invoice_pk=invoice_pk, force=force)
    return {"invoice": invoice_pk, "action": pushed.action if pushed else "skipped"}


@shared_task(name="billing.sweep")
def sweep() -> dict[str, int]:
    """Hourly: what failed, didn't add up, or wasn't pushed is tried again."""
    swept = services.sweep(at=timezone.now())
    return {"ingests": swept.ingests, "pushes": swept.pushes, "matched": swept.matched}


@shared_task(name="billing.match_again")
def match_lines_again(kinds: list[str]) -> dict[str, int]:
    """Inventory has learnt of resources of these kinds."""
    return {"matched": rematch(kinds=kinds)}
