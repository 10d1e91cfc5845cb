"""The default fleet's leftovers, from their list to the provider's answer that they are gone."""

from django.utils import timezone

from billing.costs.clean_up import NO_SAGA
from billing.queries import Leftover, LeftoverReason, list_leftovers, sum_leftovers
from billing.services import seed_prices, start_clean_up
from inventory.services import sync_inventory
from inventory.values import RunMode
from provisioning.models import SagaRun
from tests.provisioning.sagas import run_to_end
from tests.provisioning.workflows.cloud import Cloud


def unused() -> dict[str, Leftover]:
    """Those that are of no use, without those that only lack an owner."""
    found = list_leftovers(at=timezone.now())
    return {each.name: each for each in found if list(each.reasons) != [LeftoverReason.UNATTRIBUTED]}


def test_the_default_fleets_leftovers_are_listed_cleaned_up_and_gone(cloud: Cloud) -> None:
    sync_inventory(mode=RunMode.FULL, actor="a test")
    sync_inventory(mode=RunMode.SLOW, actor="a test")
    seed_prices()
    found = unused()
    assert {name: (each.kind, str(each.monthly)) for name, each in found.items()} == {
        "old-files": ("volume", "50.00"),
        "203.0.113.99": ("reserved_ip", "5.00"),
        "legacy-files": ("droplet", "None"),  # its size's price comes with DigitalOcean's sizes
    }
    before = sum_leftovers(at=timezone.now())
    outcomes = start_clean_up(
        [each.resource_id for each in found.values()], actor="a test", key="k", at=timezone.now()
    )
    assert [each.refusal for each in outcomes] == ["", "", NO_SAGA]
    for saga in SagaRun.objects.all():
        assert run_to_end(saga).status == "completed"
    assert cloud.asked("DELETE", "/v2/") == 2
    # What was taken of the volume is a leftover now.
    assert list(unused()) == ["old-files-2024", "legacy-files"]
    assert sum_leftovers(at=timezone.now()).monthly < before.monthly
