"""How an invoice is named where only a name will do, and for how long one process has it to itself."""

from typing import Final

from billing.models import ProviderInvoice

LEASE_SECONDS: Final = 60
WAIT_SECONDS: Final = 900  # who holds the invoice may be reading a million lines


def subject_of(invoice: ProviderInvoice) -> str:
    """How alerts name an invoice."""
    return f"invoice:{invoice.invoice_uuid}"


def lease_of(invoice_pk: int) -> str:
    """The lease under which an invoice is ingested, and pushed."""
    return f"invoice:{invoice_pk}"
