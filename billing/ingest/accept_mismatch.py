"""The acceptance of a mismatch: an operator finds an invoice's difference right, for a reason."""

from datetime import datetime

from django.db import transaction

from arcadia_cloud.kernel.alerts import resolve_alert
from arcadia_cloud.kernel.errors import Conflict, InvalidInput
from arcadia_cloud.kernel.states import advance
from billing.ingest.alerts import MISMATCH_ALERT
from billing.models import ProviderInvoice
from billing.states import INGEST_LIFECYCLE, IngestStatus


class NotAMismatch(Conflict):
    """There is no difference to accept."""

    code = "not_a_mismatch"


def accept_mismatch(
    *, invoice_pk: int, difference: str, note: str, actor: str, at: datetime
) -> ProviderInvoice:
    """Count an invoice as ingested although it doesn't add up. It holds for this difference only.

    `difference` is what the operator was shown: the invoice is read again every hour, and may have another by
    then. White space aside, which a browser changes. Raises InvalidInput without a
    note, NotAMismatch where there is nothing to accept or something else, and NotFound.
    """
    if not note.strip():
        raise InvalidInput("Say why it is right.", errors={"note": ["May not be empty."]})
    with transaction.atomic():
        # Locked before the difference is compared: a worker may be storing another one.
        invoice = ProviderInvoice.objects.select_for_update().find(invoice_pk)
        if invoice.ingest_status != IngestStatus.MISMATCH:
            raise NotAMismatch(f"{invoice} is {invoice.ingest_status}: there is no difference to accept")
        if difference.split() != invoice.ingest_error.split():
            raise NotAMismatch(f"{invoice} was read again, and the difference is another now")
        advance(
            invoice,
            IngestStatus.INGESTED,
            INGEST_LIFECYCLE,
            accepted_at=at,
            accepted_by=actor,
            accepted_note=note.strip(),
            accepted_error=invoice.ingest_error,
        )
    resolve_alert(code=MISMATCH_ALERT, subject=invoice.alert_subject, actor=actor)
    return invoice
