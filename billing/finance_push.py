"""The push of an invoice to finance: each once, again when it changed, and never one that doesn't add up.

Finance knows an invoice by its uuid. So a push whose answer was lost is simply repeated: finance answers
`updated` and has one row still.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
from django.conf import settings
from django.db.models import F

from arcadia_cloud.finance import Finance, FinanceInvoice, FinanceRejected, FinanceUnavailable
from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.errors import Conflict
from arcadia_cloud.kernel.states import advance
from billing.ingest.lease import invoice_lease
from billing.models import ProviderInvoice
from billing.states import PUSH_LIFECYCLE, PushStatus

REFUSED_ALERT: Final = "finance_refused"
_FIRST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(hours=6)


class NotPushable(Conflict):
    """A preview, or an invoice that doesn't add up."""

    code = "not_to_be_pushed"


@dataclass(frozen=True, slots=True)
class PushResult:
    """The outcome for one invoice: finance's action, "" where there is none, or the reason of a failure."""

    invoice: ProviderInvoice
    action: str = ""
    error: str = ""


def finance_payload(invoice: ProviderInvoice) -> FinanceInvoice:
    """Return the invoice as finance gets it, in cents."""
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
    """Return a digest of all that finance gets: the same for an invoice that hasn't changed."""
    body = finance_payload(invoice).body(tenant_id=settings.SKYAI_FINANCE_TENANT_ID)
    return hashlib.sha256(msgspec.json.encode(body)).hexdigest()


def assert_pushable(invoice: ProviderInvoice) -> None:
    """Raise NotPushable for a preview, and for an invoice that doesn't add up."""
    if not invoice.is_pushable:
        raise NotPushable(f"{invoice} is {'a preview' if invoice.is_preview else invoice.ingest_status}")


def refresh_push_status(invoice: ProviderInvoice) -> None:
    """Move an invoice, whose row the caller has locked, by what finance has of it. A refusal stays one."""
    if not invoice.pushed_fingerprint:
        return
    is_unchanged = fingerprint(invoice) == invoice.pushed_fingerprint
    if is_unchanged and invoice.push_status == PushStatus.WAITING:
        # It was another for a while, and finance never got that.
        advance(invoice, PushStatus.PUSHED, PUSH_LIFECYCLE)
    elif not is_unchanged and invoice.push_status == PushStatus.PUSHED:
        advance(invoice, PushStatus.WAITING, PUSH_LIFECYCLE)


def push_invoice(
    *, invoice_pk: int, finance: Finance, at: datetime, force: bool = False, only_if_due: bool = False
) -> PushResult:
    """Send an invoice to finance, unless finance has it already or refused it; `force` sends it anyway.

    The outcome is stored on the invoice. A fault is tried again, later each time, and with `only_if_due` not
    before that; a refusal waits for an operator. Raises NotPushable and NotFound.
    """
    with invoice_lease(invoice_pk):
        invoice = ProviderInvoice.objects.find(invoice_pk)
        assert_pushable(invoice)
        if force:
            # What finance has doesn't count: without its fingerprint nothing but an answer makes it `pushed`.
            advance(invoice, PushStatus.WAITING, PUSH_LIFECYCLE, pushed_fingerprint="")
        is_early = only_if_due and invoice.next_push_at is not None and invoice.next_push_at > at
        if (invoice.push_status != PushStatus.WAITING or is_early) and not force:
            return PushResult(invoice)
        sent = fingerprint(invoice)  # of what is sent: the row may change while finance answers
        try:
            answer = finance.import_invoice(finance_payload(invoice))
        except FinanceUnavailable as fault:
            return _postpone(invoice, str(fault), fault.retry_after, at)
        except FinanceRejected as refusal:
            return _refuse(invoice, str(refusal))
        advance(
            invoice,
            PushStatus.PUSHED,
            PUSH_LIFECYCLE,
            pushed_to_finance_at=at,
            finance_invoice_id=answer.invoice_id,
            finance_action=answer.action,
            push_error="",
            push_attempts=0,
            next_push_at=None,
            pushed_fingerprint=sent,
        )
        resolve_alert(code=REFUSED_ALERT, subject=invoice.alert_subject, actor="finance")
        return PushResult(invoice, action=answer.action)


def _postpone(invoice: ProviderInvoice, reason: str, retry_after: float | None, at: datetime) -> PushResult:
    # The exponent is bounded: after weeks of faults the power would overflow a timedelta.
    backoff = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(invoice.push_attempts, 16))
    advance(
        invoice,
        PushStatus.WAITING,
        PUSH_LIFECYCLE,
        push_error=reason,
        push_attempts=F("push_attempts") + 1,
        next_push_at=at + max(backoff, timedelta(seconds=retry_after or 0)),
        pushed_fingerprint="",  # finance may have taken it, or not: what it has isn't known any more
    )
    return PushResult(invoice, error=reason)


def _refuse(invoice: ProviderInvoice, reason: str) -> PushResult:
    advance(invoice, PushStatus.REFUSED, PUSH_LIFECYCLE, push_error=reason, next_push_at=None)
    raise_alert(
        code=REFUSED_ALERT,
        subject=invoice.alert_subject,
        message=f"Finance refuses {invoice}: {reason}",
        details={"invoice": invoice.pk},
    )
    return PushResult(invoice, error=reason)
