"""The alerts of an ingest: one while an invoice can't be read, another while it doesn't add up."""

from typing import Final

from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from billing.models import ProviderInvoice
from billing.states import IngestStatus

MISMATCH_ALERT: Final = "invoice_mismatch"
FAILED_ALERT: Final = "invoice_failed"
_ALERT_OF: Final = {IngestStatus.MISMATCH: MISMATCH_ALERT, IngestStatus.FAILED: FAILED_ALERT}


def update_alerts(invoice: ProviderInvoice) -> None:
    """Raise the alert of the invoice's state and resolve the other.

    A preview raises none: it moves while it is read.
    """
    code = _ALERT_OF.get(IngestStatus(invoice.ingest_status))
    for other in _ALERT_OF.values():
        if other != code:
            resolve_alert(code=other, subject=invoice.alert_subject, actor="ingest")
    if code and not invoice.is_preview:
        raise_alert(
            code=code,
            subject=invoice.alert_subject,
            message=f"{str(invoice).capitalize()}: {invoice.ingest_error}",
            details={"invoice": invoice.pk},
        )
