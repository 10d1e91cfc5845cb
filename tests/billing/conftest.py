"""Fixtures of billing's tests: the simulators in the states that they need."""

from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone

from arcadia_cloud.digitalocean import transport
from billing.models import ProviderInvoice
from billing.services import ingest_invoices, update_history
from inventory.services import sync_inventory
from inventory.values import RunMode
from tests.simulated import Simulated

TODAY = "2026-05-10"
Ingest = Callable[..., ProviderInvoice]


@pytest.fixture(autouse=True)
def _short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls are repeated within milliseconds."""
    monkeypatch.setattr(transport, "FIRST_BACKOFF_SECONDS", 0.001)


@pytest.fixture
def reference(simulator: Simulated) -> Iterator[Simulated]:
    """The fleet and the invoice of April 2026, the fleet synced."""
    simulator.reset(fleet="reference", today=TODAY, invoices=0)
    sync_inventory(mode=RunMode.FULL, actor="a test", kinds=["droplet"])
    yield simulator
    simulator.reset(fleet="default", today=None)


@pytest.fixture
def years(simulator: Simulated) -> Iterator[Simulated]:
    """The default fleet, in May 2026: 137 invoices since December 2014."""
    simulator.reset(fleet="default", today=TODAY, invoices=0)
    yield simulator
    simulator.reset(fleet="default", today=None, invoices=0)


@pytest.fixture
def april(reference: Simulated) -> ProviderInvoice:
    """Its header; nothing is ingested yet."""
    update_history(at=timezone.now(), enqueue=False)
    return ProviderInvoice.objects.get(period="2026-04-01", is_preview=False)


@pytest.fixture
def ingest() -> Ingest:
    """Ingest an invoice; return it as it then is."""

    def now(invoice: ProviderInvoice, *, again: bool = False) -> ProviderInvoice:
        (done,) = ingest_invoices([invoice.pk], again=again)
        return done.invoice

    return now
