"""The lease of an invoice: one process at a time ingests or pushes it."""

from contextlib import AbstractContextManager
from typing import Final

from django.conf import settings

from arcadia_cloud.kernel.leases import HeldLease, lease

_WAIT_SECONDS: Final = 900  # whoever holds the invoice may be reading a million lines


def lease_name(invoice_pk: int) -> str:
    """Return the name of the lease under which an invoice is ingested, and pushed."""
    return f"invoice:{invoice_pk}"


def invoice_lease(invoice_pk: int) -> AbstractContextManager[HeldLease]:
    """Hold an invoice's lease for the block; wait a quarter of an hour for another holder.

    Raises LeaseHeld then.
    """
    seconds = settings.ARCADIA_BILLING_LEASE_SECONDS
    return lease(lease_name(invoice_pk), seconds=seconds, wait_seconds=_WAIT_SECONDS)
