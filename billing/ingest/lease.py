"""How an invoice is named in alerts, and how one process has it to itself."""

from contextlib import AbstractContextManager
from typing import Final

from django.conf import settings

from arcadia_cloud.kernel.leases import HeldLease, lease
from billing.models import ProviderInvoice

_WAIT_SECONDS: Final = 900  # who holds the invoice may be reading a million lines


def subject_of(invoice: ProviderInvoice) -> str:
    """How alerts name an invoice, so that the console leads there."""
    return f"invoice:{invoice.pk}"


def lease_of(invoice_pk: int) -> str:
    """The lease under which an invoice is ingested, and pushed."""
    return f"invoice:{invoice_pk}"


def invoice_lease(invoice_pk: int) -> AbstractContextManager[HeldLease]:
    """Have an invoice to oneself for the block; waits a quarter of an hour for who has it.

    Raises LeaseHeld then.
    """
    seconds = settings.ARCADIA_BILLING_LEASE_SECONDS
    return lease(lease_of(invoice_pk), seconds=seconds, wait_seconds=_WAIT_SECONDS)
