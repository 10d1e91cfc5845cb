"""The two ends of a workflow: done once, or compensated without a trace."""

from inventory.models import Resource
from provisioning.models import Provisioned, SagaRun
from provisioning.registry import step_named
from tests.provisioning.sagas import ledger
from tests.provisioning.workflows.cloud import Cloud

PROVISION_STEPS = [
    "require_free_name",
    "ensure_project",
    "create_droplet",
    "wait_droplet_active",
    "assign_to_project",
    "observe_droplet",
    "add_dns_record",
    "record_desired_state",
]


def assert_made_once(cloud: Cloud, saga: SagaRun) -> None:
    """One droplet, one record, one project with it; the inventory and the desired state know it."""
    assert saga.status == "completed", saga.error
    assert ledger(saga) == [(step, "completed") for step in PROVISION_STEPS]
    (droplet,) = cloud.named("new-01")
    assert (droplet["status"], droplet["size_slug"], droplet["region"]["slug"]) == (
        "active",
        "s-1vcpu-1gb",
        "fra1",
    )
    assert set(droplet["tags"]) == {"role:web", f"saga:{saga.pk}-2-{saga.nonce}"}
    address = next(each["ip_address"] for each in droplet["networks"]["v4"] if each["type"] == "public")
    assert [each["data"] for each in cloud.records() if each["name"] == "new"] == [address]
    assert cloud.members("acme-new") == {f"do:droplet:{droplet['id']}"}
    assert len(cloud.everything()["droplets"]) == len(cloud.before["droplets"]) + 1
    row = Resource.objects.get(kind="droplet", provider_id=str(droplet["id"]))
    assert row.project is not None
    assert row.project.name == "acme-new"
    desired = Provisioned.objects.get(resource=row)
    assert desired.spec["size_slug"] == "s-1vcpu-1gb"
    assert desired.saga_id == saga.pk


def assert_nothing_left(cloud: Cloud, saga: SagaRun) -> None:
    """Assert that all is as it was, in the ledger too."""
    assert saga.status == "rolled_back", saga.error
    assert saga.compensation_failures == 0
    assert cloud.everything() == cloud.before
    assert not Provisioned.objects.exists()
    assert not Resource.objects.live().filter(name="new-01").exists()
    for name, status in ledger(saga):
        step = step_named(name)
        assert step is not None
        undone = "compensated" if step.compensate is not None else "completed"
        assert status in {undone, "failed"} | ({"compensated"} if step.compensate_on_failure else set()), name


def last_undone(done: list[str]) -> int | None:
    """The index that undoing these completed steps begins at."""
    undoable = [idx for idx, name in enumerate(done) if (step := step_named(name)) and step.compensate]
    return undoable[-1] if undoable else None


def reason(saga: SagaRun) -> str:
    """Return why it was compensated."""
    return str((saga.error or {}).get("reason"))


def words(saga: SagaRun, step: str) -> str:
    """Return the ledger's message of a step that failed."""
    return str((saga.steps.get(name=step).error or {}).get("message"))
