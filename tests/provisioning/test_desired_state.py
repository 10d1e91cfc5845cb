"""The desired state of what sagas made."""

import pytest

from provisioning.desired_state import record_provisioned
from provisioning.models import Provisioned, SagaRun
from tests.provisioning.sagas import droplet_row, start

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_desired_state_is_recorded_once_per_saga_and_versioned() -> None:
    resource = droplet_row()
    first, second = start(message="a"), start(message="b")

    def record(saga: SagaRun, size: str) -> int:
        return record_provisioned(resource_pk=resource.pk, spec={"size": size}, saga_id=saga.pk)

    assert [record(first, "s"), record(first, "s"), record(first, "m"), record(second, "m")] == [1, 1, 2, 3]
    row = Provisioned.objects.get()
    assert (row.resource_id, row.spec, row.spec_version, row.saga_id) == (
        resource.pk,
        {"size": "m"},
        3,
        second.pk,
    )
