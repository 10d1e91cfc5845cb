"""The demo tenants of the simulator's fleet."""

import pytest
import redis

from arcadia_cloud.main_job.seeds.demo import TENANTS, seed_demo
from inventory.models import Project
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
