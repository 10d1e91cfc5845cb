"""The demo tenants of the simulator's fleet."""

import pytest
import redis
from django.utils import timezone

from arcadia_cloud.main_job.pipeline import run_anomalies, run_drift, run_sync
from arcadia_cloud.main_job.seeds.demo import DESIRED_SIZE, SMALLER, TENANTS, TOO_SMALL, seed_demo
from billing.models import CostAnomaly
from billing.services import compute_daily_costs, read_provider_prices
from drift.models import Drift
from inventory.models import Project, Resource
from tests.simulated import Simulated


@pytest.mark.django_db(transaction=True)
def test_projects_are_given_to_their_tenants_once_and_their_resources_are_to_follow(
    simulator: Simulated, valkey_client: redis.Redis, patient_broker: None
) -> None:
    assert seed_demo().projects == len(TENANTS)
    given = dict(Project.objects.exclude(tenant_id=None).values_list("name", "tenant_id"))
    assert given == {tenant: tenant for tenant in TENANTS}
    assert valkey_client.llen("cloud_sync_full") == len(TENANTS)
    assert seed_demo().projects == 0


@pytest.mark.django_db(transaction=True)
def test_the_seeded_drift_is_found_by_the_main_job(simulator: Simulated, patient_broker: None) -> None:
    seeded = seed_demo().desired_states
    assert seeded > 5
    assert seed_demo().desired_states == 0
    (result,) = run_drift(lambda _text: None)
    assert (result.error, result.counts["checked"], result.counts["opened"]) == ("", seeded, 1)
    found = Drift.objects.get()
    assert (found.resource.name, found.field, found.expected) == (TOO_SMALL, "size_slug", DESIRED_SIZE)


@pytest.mark.django_db(transaction=True)
def test_the_seeded_resize_is_a_cost_anomaly_with_its_cause(
    simulator: Simulated, patient_broker: None
) -> None:
    seed_demo()
    list(run_sync(lambda _text: None))
    at = timezone.now()
    read_provider_prices(day=at.date())
    compute_daily_costs(at=at)
    (result,) = run_anomalies(lambda _text: None)
    assert (result.error, result.counts["open"]) == ("", 1)
    anomaly = CostAnomaly.objects.get(status="open")
    assert anomaly.cause.startswith("Cost of globex/crm +")
    for name, size in SMALLER.items():
        droplet = Resource.objects.get(name=name)
        assert f"droplet {name} resized {size} → {droplet.attrs['size_slug']} by demo (+$" in anomaly.cause
