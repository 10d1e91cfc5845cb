"""The desired state of what sagas made: what drift is measured against."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from arcadia_cloud.kernel.sql import fetch_one, load
from provisioning.models import Provisioned

_RECORD_DESIRED_STATE: Final = load(__package__, "record_desired_state.sql")


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
