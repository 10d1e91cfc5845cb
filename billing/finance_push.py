"""The push of an invoice to finance: each once, again when it changed, and never one that doesn't add up.

Finance knows an invoice by its uuid. So a push whose answer was lost is simply repeated: finance answers
`updated` and has one row still.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import msgspec
import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F

from arcadia_cloud.finance import (
    Finance,
    FinanceInvoice,
    FinanceRejected,
    FinanceResponse,
    FinanceUnavailable,
)
from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.errors import Conflict
from arcadia_cloud.kernel.leases import HeldLease, LeaseLost
from arcadia_cloud.kernel.states import advance
from billing.ingest.lease import invoice_lease
from billing.models import ProviderInvoice
from billing.states import PUSH_LIFECYCLE, PushStatus

log = structlog.get_logger(__name__)
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


def reopen_changed() -> int:
    """Move to `waiting` every pushed invoice that isn't as finance has it; return how many there were.

    A push compares what it sent with the row. This finds what no push could see: a row that was changed by
    other means, or settings by which finance gets something else.
    """
    reopened = 0
    pushed = (
        ProviderInvoice.objects.pushable()
        .filter(push_status=PushStatus.PUSHED)
        .exclude(pushed_fingerprint="")
    )
    # By the database's cursor: every invoice ever pushed is read.
    for invoice in pushed.iterator():
        if fingerprint(invoice) != invoice.pushed_fingerprint:
            # Read again under its lock: an ingest may change it between the look and the write.
            with transaction.atomic():
                refresh_push_status(ProviderInvoice.objects.select_for_update(no_key=True).find(invoice.pk))
            reopened += 1
    return reopened


def push_invoice(
    *, invoice_pk: int, finance: Finance, at: datetime, force: bool = False, only_if_due: bool = False
) -> PushResult:
    """Send an invoice to finance, unless finance has it already or refused it; `force` sends it anyway.

    The outcome is stored on the invoice. A fault is tried again, later each time, and with `only_if_due` not
    before that; a refusal waits for an operator. Raises NotPushable, NotFound, and LeaseLost: nothing was
    sent then, or what finance has isn't known, and the invoice waits for another push.
    """
    with invoice_lease(invoice_pk) as held:
        invoice = ProviderInvoice.objects.find(invoice_pk)
        assert_pushable(invoice)
        if force:
            # What finance has doesn't count: without its fingerprint nothing but an answer makes it `pushed`.
            advance(invoice, PushStatus.WAITING, PUSH_LIFECYCLE, pushed_fingerprint="")
        is_early = only_if_due and invoice.next_push_at is not None and invoice.next_push_at > at
        if (invoice.push_status != PushStatus.WAITING or is_early) and not force:
            return PushResult(invoice)
        sent = fingerprint(invoice)  # of what is sent: the row may change while finance answers
        payload = finance_payload(invoice)
        held.assert_held()  # a process that stood still must not send what another has replaced since
        try:
            answer = finance.import_invoice(payload)
        except FinanceUnavailable as fault:
            # The exponent is bounded: after weeks of faults the power would overflow a timedelta.
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * int(2 ** min(invoice.push_attempts, 16)))
            backoff = max(pause, timedelta(seconds=fault.retry_after or 0))
            return _record(invoice, held, partial(_postpone, reason=str(fault), until=at + backoff))
        except FinanceRejected as refusal:
            return _record(invoice, held, partial(_refuse, reason=str(refusal)))
        return _record(invoice, held, partial(_confirm, answer=answer, sent=sent, at=at))


def _record(
    invoice: ProviderInvoice, held: HeldLease, store: Callable[[ProviderInvoice], PushResult]
) -> PushResult:
    """Store the outcome of a push on the invoice as it is by now. Raises LeaseLost."""
    try:
        with transaction.atomic():
            present = _lock_for_outcome(invoice, held)
            if present.push_status != PushStatus.WAITING:
                # Changed back meanwhile, to what finance had before.
                advance(present, PushStatus.WAITING, PUSH_LIFECYCLE)
            return store(present)
    except LeaseLost:
        # Two requests were on their way to finance, and only another push makes sure which came last. This
        # counts as an attempt, so that a push which is still under way sees it.
        with transaction.atomic():
            present = ProviderInvoice.objects.select_for_update(no_key=True).find(invoice.pk)
            changes = {
                "pushed_fingerprint": "",
                "push_attempts": F("push_attempts") + 1,
                "next_push_at": None,
            }
            advance(present, PushStatus.WAITING, PUSH_LIFECYCLE, **changes)
        raise


def _lock_for_outcome(invoice: ProviderInvoice, held: HeldLease) -> ProviderInvoice:
    """Lock the invoice's row: the history changes amounts without the invoice's lease. Raises LeaseLost."""
    present = ProviderInvoice.objects.select_for_update(no_key=True).find(invoice.pk)
    # After the row's lock: who waited for it may have outlived the lease.
    held.assert_held()
    if present.push_attempts != invoice.push_attempts:
        raise LeaseLost(f"another push of {invoice} ended while this one was under way")
    return present


def _confirm(invoice: ProviderInvoice, *, answer: FinanceResponse, sent: str, at: datetime) -> PushResult:
    is_unchanged = fingerprint(invoice) == sent
    advance(
        invoice,
        PushStatus.PUSHED if is_unchanged else PushStatus.WAITING,
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


def _postpone(invoice: ProviderInvoice, *, reason: str, until: datetime) -> PushResult:
    log.warning(
        "invoice_not_pushed",
        invoice=invoice.invoice_uuid,
        error=reason,
        attempts=invoice.push_attempts + 1,
        next_at=str(until),
    )
    advance(
        invoice,
        PushStatus.WAITING,
        PUSH_LIFECYCLE,
        push_error=reason,
        push_attempts=F("push_attempts") + 1,
        next_push_at=until,
        pushed_fingerprint="",  # finance may have taken it, or not: what it has isn't known any more
    )
    return PushResult(invoice, error=reason)


def _refuse(invoice: ProviderInvoice, *, reason: str) -> PushResult:
    advance(invoice, PushStatus.REFUSED, PUSH_LIFECYCLE, push_error=reason, next_push_at=None)
    raise_alert(
        code=REFUSED_ALERT,
        subject=invoice.alert_subject,
        message=f"Finance refuses {invoice}: {reason}",
        details={"invoice": invoice.pk},
    )
    return PushResult(invoice, error=reason)
