"""The sizes on sale and the account's limits, checked before a saga starts."""

import json
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models.functions import Now
from django.test import Client

from arcadia_cloud.kernel.errors import InvalidInput
from arcadia_cloud.kernel.models import Alert
from provisioning import provider_offer
from provisioning.errors import AccountLimit
from provisioning.models import ProviderOffer, SagaRun
from provisioning.services import refresh_offer
from provisioning.tasks import read_provider_offer
from tests.access import bearer, token_of
from tests.inventory.observations import observed, seen
from tests.provisioning.offers import offer
from tests.provisioning.sagas import droplet_row, start
from tests.provisioning.test_plan import ORDER
from tests.simulated import Simulated

pytestmark = pytest.mark.django_db(transaction=True)


def asked(simulator: Simulated) -> int:
    return len(simulator.requests(path="/v2/sizes"))


def age(by: timedelta) -> None:
    ProviderOffer.objects.update(read_at=Now() - by, tried_at=Now() - by)


@pytest.mark.parametrize(
    ("size", "region", "rule"),
    [
        ("s-9vcpu-9gb", "fra1", "doesn't sell the size s-9vcpu-9gb (read"),
        ("s-gone", "fra1", "doesn't sell the size s-gone (read"),
        ("s-2vcpu-4gb", "nyc3", "doesn't sell the size s-2vcpu-4gb in nyc3"),
    ],
)
def test_a_size_that_is_not_sold_there_is_refused_before_the_start(size: str, region: str, rule: str) -> None:
    offer()
    with pytest.raises(InvalidInput) as refused:
        start("provision_droplet", **{**ORDER, "size": size, "region": region})
    assert rule in refused.value.errors["inputs.size"][0]
    assert not SagaRun.objects.exists()


def test_a_group_of_regions_has_the_size_if_one_of_them_has() -> None:
    offer()
    assert start("provision_droplet", **{**ORDER, "region": "fra"}).context == {}


def test_a_resize_is_checked_in_the_droplets_region() -> None:
    droplet_row(region="nyc3")
    offer()
    with pytest.raises(InvalidInput, match="doesn't sell the size s-2vcpu-4gb in nyc3"):
        start("resize_droplet", droplet_id=1, size="s-2vcpu-4gb")


def test_the_limit_is_named_when_it_is_reached() -> None:
    observed(seen("1"), seen("2"))
    offer(droplet_limit=2)
    with pytest.raises(AccountLimit, match="droplet_limit is 2, and it has 2 of them: 1 more can't be made"):
        start("provision_droplet", **ORDER)
    assert not SagaRun.objects.exists()
    offer(droplet_limit=3)
    assert start("provision_droplet", **ORDER).status == "pending"


def test_without_an_answer_the_saga_starts_and_says_what_was_not_checked() -> None:
    saga = start("provision_droplet", **{**ORDER, "size": "s-whatever-1gb"})
    assert saga.context["unchecked"].startswith("size, region and the account's limits: no answer")
    offer(read_at=Now() - timedelta(hours=25), failure="it hangs")
    assert "(it hangs)" in start("provision_droplet", **{**ORDER, "name": "new-02"}).context["unchecked"]
    assert start(message="hello").context == {}, "nothing had to be checked"


def test_the_offer_is_read_and_believed_for_a_while(simulator: Simulated) -> None:
    refresh_offer(kind="resize_droplet")
    refresh_offer(kind="resize_droplet")
    assert asked(simulator) == 1
    row = ProviderOffer.objects.get()
    assert row.sizes["s-1vcpu-1gb"]["price_monthly"] == "6.0"
    assert (row.droplet_limit, row.volume_limit, row.reserved_ip_limit) == (1000, 100, 25)
    age(timedelta(minutes=6))
    refresh_offer(kind="resize_droplet")
    assert asked(simulator) == 2


def test_an_outage_is_recorded_and_the_last_answer_still_counts(
    simulator: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_offer, "_GIVE_UP_AFTER_SECONDS", 0.1)
    refresh_offer(kind="resize_droplet")
    age(timedelta(hours=2))
    simulator.fault(kind="server_error", path="/v2/", count=0)
    refresh_offer(kind="resize_droplet")
    known = provider_offer.present_offer()
    assert known is not None
    assert known.failure != ""
    assert "s-1vcpu-1gb" in known.sizes
    before = len(simulator.requests())
    refresh_offer(kind="resize_droplet")
    assert len(simulator.requests()) == before, "an outage isn't asked about again and again"


def test_nothing_is_asked_inside_a_transaction(simulator: Simulated) -> None:
    with transaction.atomic():
        refresh_offer(kind="resize_droplet")
    assert simulator.requests() == []


@pytest.mark.parametrize(("present", "is_near"), [(3, False), (4, True), (5, True)])
def test_an_alert_is_raised_at_four_fifths_of_a_limit(
    simulator: Simulated, present: int, is_near: bool
) -> None:
    simulator.control("PATCH", "account", droplet_limit=5)
    observed(*(seen(str(number)) for number in range(1, present + 1)))
    assert read_provider_offer() == {"read": 1, "limits_near": int(is_near)}
    alerts = Alert.objects.filter(code="account_limit_near", resolved_at=None)
    assert list(alerts.values_list("subject", flat=True)) == (["limit:droplet"] if is_near else [])
    simulator.control("PATCH", "account", droplet_limit=50)
    read_provider_offer()
    assert not alerts.exists()
    simulator.control("PATCH", "account", droplet_limit=1000)


def test_a_start_over_the_api_asks_before_its_transaction(simulator: Simulated) -> None:
    operator = Client(headers=bearer(token_of("platform_admin", subject="operator-1")))
    body = {"kind": "provision_droplet", "inputs": {**ORDER, "size": "s-9vcpu-9gb"}}
    answer = operator.post("/api/v1/sagas", json.dumps(body), content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["inputs.size"])
    assert asked(simulator) == 1
    assert not SagaRun.objects.exists()
