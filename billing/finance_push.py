"""The push of an invoice to finance: each once, again when it changed, and never one that doesn't add up.

Finance knows an invoice by its uuid. So a push whose answer was lost is simply made again: finance answers
`updated` and has one row still.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
from django.conf import settings
from django.db.models import F, Q, QuerySet

from arcadia_cloud.finance import Finance, FinanceInvoice, FinanceRejected, FinanceUnavailable
from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.errors import Conflict, NotFound
from billing.ingest.lease import invoice_lease, subject_of
from billing.models import ProviderInvoice
from billing.values import IngestStatus, PushStatus

REFUSED_ALERT: Final = "finance_refused"
_FIRST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(hours=6)


class NotPushable(Conflict):
    """A preview, or an invoice that doesn't add up."""

    code = "not_to_be_pushed"


@dataclass(frozen=True, slots=True)
class PushResult:
    """What became of one invoice. `action` is finance's word, "" where it gave none; `error` says why."""

    invoice: ProviderInvoice
    action: str = ""
    error: str = ""


def finance_payload(invoice: ProviderInvoice) -> FinanceInvoice:
    """The invoice as finance gets it, in cents."""
    return FinanceInvoice(
        external_id=invoice.invoice_uuid,
        number=invoice.invoice_id,
        currency=invoice.currency,
        period_start=invoice.period,
        period_end=invoice.period_end,
        issued_on=invoice.issued_on or invoice.period_end,
        amount_net_minor=invoice.amount_net_minor,
        amount_tax_minor=invoice.amount_tax_minor,
        amount_gross_minor=invoice.amount_gross_minor,
        line_count=invoice.line_count,
    )


def fingerprint(invoice: ProviderInvoice) -> str:
    """Of all that finance is told: the same for an invoice that hasn't changed."""
    body = finance_payload(invoice).body(tenant_id=settings.SKYAI_FINANCE_TENANT_ID)
    return hashlib.sha256(msgspec.json.encode(body)).hexdigest()


def is_pushable(invoice: ProviderInvoice) -> bool:
    """Whether finance may be told of it: a final invoice that adds up."""
    return not invoice.is_preview and invoice.ingest_status == IngestStatus.INGESTED


def assert_pushable(invoice: ProviderInvoice) -> None:
    """Raise NotToBePushed unless finance may be told of it."""
    if not is_pushable(invoice):
        raise NotPushable(f"{invoice} is {'a preview' if invoice.is_preview else invoice.ingest_status}")


def to_be_pushed(*, at: datetime, force: bool = False) -> QuerySet[ProviderInvoice]:
    """The invoices whose turn it is, oldest first. With `force` every one that adds up."""
    fit = ProviderInvoice.objects.filter(is_preview=False, ingest_status=IngestStatus.INGESTED)
    if not force:
        due = Q(next_push_at=None) | Q(next_push_at__lte=at)
        fit = fit.filter(due, push_status=PushStatus.WAITING)
    return fit.order_by("period", "pk")


def refresh_push_status(invoice: ProviderInvoice) -> None:
    """Say on the invoice whether finance has it as it is now; the caller saves it. A refusal stays one."""
    if not invoice.pushed_fingerprint or invoice.push_status == PushStatus.REFUSED:
        return
    if fingerprint(invoice) != invoice.pushed_fingerprint:
        invoice.push_status = PushStatus.WAITING
    elif invoice.push_status == PushStatus.WAITING:  # it was another for a while
        invoice.push_status = PushStatus.PUSHED


def push_invoice(
    *, invoice_pk: int, finance: Finance, at: datetime, force: bool = False, in_turn: bool = False
) -> PushResult:
    """Tell finance of an invoice, unless it has it already or refused it; `force` tells it anyway.

    The outcome stands on the invoice. A fault is to be tried again, later each time, and with `in_turn` not
    before that; a refusal waits for an operator. Raises NotToBePushed and NotFound.
    """
    with invoice_lease(invoice_pk):
        invoice = ProviderInvoice.objects.filter(pk=invoice_pk).first()
        if invoice is None:
            raise NotFound(f"invoice {invoice_pk} is gone")
        assert_pushable(invoice)
        is_early = in_turn and invoice.next_push_at is not None and invoice.next_push_at > at
        if (invoice.push_status != PushStatus.WAITING or is_early) and not force:
            return PushResult(invoice)
        sent = fingerprint(invoice)
        try:
            answer = finance.import_invoice(finance_payload(invoice))
        except FinanceUnavailable as fault:
            return _postpone(invoice, str(fault), fault.retry_after, at)
        except FinanceRejected as refusal:
            return _refuse(invoice, str(refusal))
        _write(
            invoice,
            push_status=PushStatus.PUSHED,
            pushed_to_finance_at=at,
            finance_invoice_id=answer.invoice_id,
            finance_action=answer.action,
            push_error="",
            push_attempts=0,
            next_push_at=None,
            pushed_fingerprint=sent,
        )
        resolve_alert(code=REFUSED_ALERT, subject=subject_of(invoice), actor="finance")
        return PushResult(invoice, action=answer.action)


def _postpone(invoice: ProviderInvoice, words: str, retry_after: float | None, at: datetime) -> PushResult:
    asked = timedelta(seconds=retry_after or 0)
    pause = max(asked, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(invoice.push_attempts, 16)))
    _write(
        invoice,
        push_status=PushStatus.WAITING,
        push_error=words,
        push_attempts=F("push_attempts") + 1,
        next_push_at=at + pause,
        pushed_fingerprint="",  # finance may have taken it, or not: what it has isn't known any more
    )
    return PushResult(invoice, error=words)


def _refuse(invoice: ProviderInvoice, words: str) -> PushResult:
    _write(invoice, push_status=PushStatus.REFUSED, push_error=words, next_push_at=None)
    raise_alert(
        code=REFUSED_ALERT,
        subject=subject_of(invoice),
        message=f"Finance refuses {invoice}: {words}",
        details={"invoice": invoice.pk},
    )
    return PushResult(invoice, error=words)


def _write(invoice: ProviderInvoice, **changes: object) -> None:
    ProviderInvoice.objects.filter(pk=invoice.pk).update(**changes)
    invoice.refresh_from_db()
