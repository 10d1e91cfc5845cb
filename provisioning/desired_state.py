"""The desired state of what sagas made: what drift is measured against."""

from collections.abc import Mapping
from typing import Any

import msgspec

from provisioning.models import Provisioned
from provisioning.statements import one_row, statement

_RECORD = statement("record_provisioned.sql")


def record_provisioned(*, resource_pk: int, spec: Mapping[str, Any], saga_id: int | None) -> int:
    """Write what the resource is to be like, and return the version; it goes up with each recording.

    The same spec from the same saga is recorded once: a step may run again after its worker died.
    """
    row = one_row(
        _RECORD,
        {"resource_id": resource_pk, "spec": msgspec.json.encode(spec).decode(), "saga_id": saga_id},
    )
    if row is None:
        return Provisioned.objects.values_list("spec_version", flat=True).get(resource=resource_pk)
    version: int = row[0]
    return version
