"""Billing read and computed at once, as a first start asks for it, also with a token that may not."""

from io import StringIO

import pytest
import redis
from django.core.management import call_command
from django.test import Client

from arcadia_cloud.digitalocean.errors import ProviderError
from arcadia_cloud.kernel.models import Alert
from billing import services, tasks
from billing.models import BalanceSnapshot, CostDay, ProviderInvoice, ProviderPrice
from billing.refresh import refresh
from tests.billing.test_console import queued
from tests.console.conftest import Login, login, viewer
from tests.simulated import Simulated, SimulatedFinance

__all__ = ["login", "viewer"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_refresh_reads_and_computes_everything_and_may_be_repeated(
    reference: Simulated, finance: SimulatedFinance
) -> None:
    for _ in range(2):
        assert tasks.refresh_billing(actor="a test") == {}
        assert BalanceSnapshot.objects.count() == 1
        assert ProviderInvoice.objects.get(period="2026-04-01", is_preview=False).push_status == "pushed"
        assert ProviderPrice.objects.filter(kind="droplet").exists()
        assert CostDay.objects.exclude(computed_at=None).exists()
        assert not Alert.objects.filter(code="billing_unread").exists()


def test_a_token_that_may_not_read_bills_breaks_nothing_and_is_told(reference: Simulated) -> None:
    reference.fault(kind="forbidden", count=0, path="/customers/my|/billing")
    failed = refresh(actor="a test")
    assert set(failed) >= {"balance", "invoices"}
    assert "403" in failed["balance"]
    assert not {"prices", "daily costs", "anomalies"} & set(failed)
    assert ProviderPrice.objects.exists()
    opened = Alert.objects.filter(code="billing_unread", resolved_at=None)
    assert sorted(opened.values_list("subject", flat=True)) == ["billing:balance", "billing:history"]
    with pytest.raises(ProviderError):
        tasks.snapshot_balance()
    reference.reset(fleet="reference", today="2026-05-10", invoices=0)
    tasks.snapshot_balance()
    assert list(opened.values_list("subject", flat=True)) == ["billing:history"]
    services.update_history(at=BalanceSnapshot.objects.get().captured_at, enqueue=False)
    assert not opened.exists()


@pytest.mark.usefixtures("patient_broker")
def test_a_start_asks_for_billing_as_it_asks_for_a_sync(
    valkey_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCADIA_OPERATOR_PASSWORD", "long-enough-for-a-test")
    call_command("set_up", sync=True, stdout=StringIO())
    assert queued(valkey_client) == [("billing.refresh", "{'actor': 'bin/run'}")]
    assert valkey_client.llen("cloud_sync_full") == valkey_client.llen("cloud_sync_slow") == 1
    assert valkey_client.llen("provisioning") == 1, "what DigitalOcean sells"


@pytest.mark.usefixtures("patient_broker")
def test_who_may_have_invoices_read_asks_for_it_from_the_console(
    login: Login, viewer: Client, valkey_client: redis.Redis
) -> None:
    biller = login("billing")
    address = "/admin/billing/providerinvoice/read_now/"
    assert viewer.post(address, {"_form_submitted": "on"}).status_code == 403
    assert queued(valkey_client) == []
    assert biller.post(address, {"_form_submitted": "on"}).headers["HX-Redirect"]
    assert queued(valkey_client) == [("billing.refresh", "{'actor': 'user:billing-1'}")]
