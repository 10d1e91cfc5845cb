"""Billing by the workers: from the history to finance, and from a sync to the lines."""

import time
from collections.abc import Callable

import pytest
import redis
from django.utils import timezone

from arcadia_cloud.kernel.queue.schedule.registry import registered_schedule
from billing import services, tasks
from billing.models import BalanceSnapshot, CostLine, ProviderInvoice
from inventory.services import sync_inventory
from inventory.values import RunMode
from tests.billing.conftest import Ingest
from tests.billing.test_console import queued
from tests.processes import Workers
from tests.simulated import Simulated, SimulatedFinance

pytestmark = pytest.mark.django_db(transaction=True)


def until(true: Callable[[], bool], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, ProviderInvoice.objects.values_list(
            "ingest_status", "push_status"
        )
        time.sleep(0.1)


@pytest.mark.processes
def test_a_worker_ingests_the_new_invoices_of_the_history_and_pushes_them(
    reference: Simulated, finance: SimulatedFinance, worker: Workers
) -> None:
    services.update_history(at=timezone.now(), enqueue=False)
    ProviderInvoice.objects.filter(period__lt="2026-03-01").update(
        ingest_status="ingested", push_status="pushed", pushed_to_finance_at=timezone.now()
    )
    finance.fault("lost_answer", count=1)
    worker("cloud_billing")
    services.update_history(at=timezone.now(), enqueue=True)
    until(lambda: len(finance.invoices()) == 2)
    waiting = ProviderInvoice.objects.filter(period__gte="2026-03-01", is_preview=False)
    until(lambda: waiting.filter(push_attempts=0, push_status="waiting").count() == 0)
    lost = waiting.get(push_status="waiting")
    assert lost.push_error
    ProviderInvoice.objects.filter(pk=lost.pk).update(next_push_at=timezone.now())  # a minute passes
    services.sweep(at=timezone.now())
    until(lambda: waiting.filter(push_status="pushed").count() == 2)
    assert sorted(row["times"] for row in finance.invoices()) == [1, 2]
    until(lambda: ProviderInvoice.objects.get(is_preview=True).ingest_status == "ingested")


def test_the_history_asks_for_an_ingest_each(reference: Simulated, valkey_client: redis.Redis) -> None:
    valkey_client.flushdb()  # the sync has asked for a match
    counts = tasks.read_history()
    assert counts["invoices"] == 137
    assert len(queued(valkey_client)) == counts["to_ingest"] == 138
    assert {name for name, _ in queued(valkey_client)} == {"billing.ingest_invoice"}


def test_the_sweep_asks_again_for_what_is_not_done(
    april: ProviderInvoice, valkey_client: redis.Redis
) -> None:
    ProviderInvoice.objects.exclude(pk=april.pk).update(ingest_status="ingested", push_status="refused")
    ProviderInvoice.objects.filter(is_preview=True).delete()
    for status in ("pending", "failed", "mismatch"):
        valkey_client.flushdb()
        ProviderInvoice.objects.filter(pk=april.pk).update(ingest_status=status)
        assert tasks.sweep() == {"ingests": 1, "pushes": 0, "matched": 0}
        assert [name for name, _ in queued(valkey_client)] == ["billing.ingest_invoice"]
    valkey_client.flushdb()
    ProviderInvoice.objects.filter(pk=april.pk).update(ingest_status="ingested")
    assert tasks.sweep() == {"ingests": 0, "pushes": 1, "matched": 0}
    assert [name for name, _ in queued(valkey_client)] == ["billing.push_invoice"]


def test_the_balance_task_stores_one(reference: Simulated) -> None:
    tasks.snapshot_balance()
    tasks.snapshot_balance()
    assert BalanceSnapshot.objects.count() == 1


def test_billing_is_on_the_schedule() -> None:
    entries = {entry.task: (entry.crontab, entry.queue) for entry in registered_schedule()}
    assert entries["billing.snapshot_balance"] == ("7 * * * *", "cloud_billing")
    assert entries["billing.read_history"] == ("23 2 * * *", "cloud_billing")
    assert entries["billing.sweep"] == ("37 * * * *", "cloud_billing")


def test_a_sync_that_discovers_has_lines_matched_again_and_another_does_not(
    years: Simulated, ingest: Ingest, valkey_client: redis.Redis
) -> None:
    years.reset(fleet="reference")
    services.update_history(at=timezone.now(), enqueue=False)
    ingest(ProviderInvoice.objects.get(period="2026-04-01", is_preview=False))
    assert not CostLine.objects.exclude(resource=None).exists()
    sync()
    assert queued(valkey_client) == [("billing.match_again", "{'kinds': ['droplet']}")]
    assert tasks.match_lines_again(["droplet"]) == {"matched": 6}
    assert set(CostLine.objects.exclude(resource=None).values_list("match", flat=True)) == {"id"}
    valkey_client.flushdb()
    sync()
    assert queued(valkey_client) == []


def sync() -> None:
    sync_inventory(mode=RunMode.FULL, actor="a test", kinds=["droplet"])
