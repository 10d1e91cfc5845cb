"""The sync on the examples of DigitalOcean's official document: input that none of us wrote."""

import pytest

from inventory.models import CloudAccount, Project, Resource, SyncRun
from tests.digitalocean.official import document
from tests.inventory.conftest import Commands, ended
from tests.inventory.fleet import told
from tests.inventory.openapi_mock import examples_served

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("knows_queries", "droplets"),
    [(True, {"3164412", "3164444", "3164459", "448543583"}), (False, {"3164412", "3164444", "3164459"})],
)
def test_the_sync_completes_and_the_rows_say_what_the_examples_say(
    manage: Commands, knows_queries: bool, droplets: set[str]
) -> None:
    document()
    with examples_served(knows_queries=knows_queries) as url:
        environment = {"DO_API_URL": url, "DO_API_TOKEN": "dop_v1_" + "12" * 32}
        ended(manage("sync_inventory", environment=environment))
        ended(manage("sync_inventory", environment=environment))
    assert set(SyncRun.objects.values_list("kind", "outcome")) == {
        ("project", "complete"),
        ("droplet", "complete"),
    }
    assert set(Resource.objects.values_list("provider_id", flat=True)) == droplets
    assert told() == {"discovered": len(droplets)}
    row = Resource.objects.get(provider_id="3164444")
    assert (row.name, row.region, row.status) == ("example.com", "nyc3", "active")
    assert row.tags == ["env:prod", "web"]
    assert row.attrs["size_slug"] == "s-1vcpu-1gb"
    assert (row.attrs["memory_mb"], row.attrs["vcpus"], row.attrs["disk_gb"]) == (1024, 1, 25)
    assert row.monthly_price_cents == 500
    assert row.attrs["ipv4_public"] == ["192.241.165.154"]
    assert row.attrs["next_backup_window"] == {"start": "2020-07-30T00:00:00Z", "end": "2020-07-30T23:00:00Z"}
    projects = {(project.name, project.purpose, project.is_default) for project in Project.objects.all()}
    assert projects == {
        ("my-web-api", "Service or API", False),
        ("Default", "Just trying out DigitalOcean", True),
    }
    assert CloudAccount.objects.get().name == "My Team"


def test_gpu_droplets_of_the_examples_are_known_as_such(manage: Commands) -> None:
    document()
    with examples_served(knows_queries=True) as url:
        ended(
            manage("sync_inventory", environment={"DO_API_URL": url, "DO_API_TOKEN": "dop_v1_" + "12" * 32})
        )
    row = Resource.objects.get(provider_id="448543583")
    assert row.attrs["gpu"] == {"count": 1, "model": "nvidia_h100"}
    assert row.region == "tor1"
