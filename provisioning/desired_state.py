"""The desired state of what sagas made: what drift is measured against."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.sql import fetch_all, fetch_one, load
from provisioning.models import Provisioned

_RECORD_DESIRED_STATE: Final = load(__package__, "record_desired_state.sql")
_ADOPT_DESIRED_STATES: Final = load(__package__, "adopt_desired_states.sql")
_SET_DESIRED_FIELD: Final = load(__package__, "set_desired_field.sql")


def record_provisioned(*, resource_pk: int, spec: Mapping[str, Any], saga_id: int | None) -> int:
    """Record the resource's desired state, and return its version; it goes up with each recording.

    The same spec from the same saga is recorded once: a step may run again after its worker died.
    """
    parameters = {
        "resource_id": resource_pk,
        "spec": msgspec.json.encode(spec).decode(),
        "saga_id": saga_id,
    }
    version = fetch_one(_RECORD_DESIRED_STATE, parameters, into=int)
    # No row was written: this saga has recorded the same spec before.
    if version is None:
        return Provisioned.objects.values_list("spec_version", flat=True).get(resource=resource_pk)
    return version


def adopt_desired_states(specs: Mapping[int, str]) -> list[int]:
    """Record desired states, JSON's text by resource, of those that have none; return which these are."""
    desired = [
        {"resource_id": resource_pk, "spec": msgspec.Raw(spec.encode())}
        for resource_pk, spec in sorted(specs.items())
    ]
    return fetch_all(_ADOPT_DESIRED_STATES, {"desired": msgspec.json.encode(desired).decode()}, into=int)


def set_desired_field(*, resource_pk: int, field: str, value: str) -> int:
    """Make `value`, JSON's text, the desired one of a field; return the new version of the desired state.

    It stays the same saga's. Raises NotFound where nothing is desired of the resource.
    """
    parameters = {"resource_id": resource_pk, "field": field, "value": value}
    version = fetch_one(_SET_DESIRED_FIELD, parameters, into=int)
    if version is None:
        raise NotFound(f"nothing is desired of resource {resource_pk}")
    return version


def drop_provisioned(*, resource_pk: int) -> bool:
    """Delete the resource's desired state, so that nothing is expected of it; return whether it had one."""
    deleted, _ = Provisioned.objects.filter(resource=resource_pk).delete()
    return deleted > 0
