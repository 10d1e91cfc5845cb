"""Adoption: the live state of a resource becomes its desired one, for the fields that can be put back.

So what we didn't make is watched, too. A kind without such fields is watched for its existence alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
import structlog

from arcadia_cloud.kernel.errors import NotFound
from arcadia_cloud.kernel.sql import fetch_all, load
from drift.errors import NotAdoptable
from drift.values import AdoptResult
from inventory.models import Resource
from inventory.values import Kind
from provisioning.queries import reversals_of
from provisioning.services import adopt_desired_states

log = structlog.get_logger(__name__)
_BATCH_SIZE: Final = 1_000
_READ_LIVE_FIELDS: Final = load(__package__, "read_live_fields.sql")


@dataclass(frozen=True, slots=True)
class _LiveFields:
    resource_id: int
    spec: str


def adopt_resource(*, resource_pk: int, actor: str, at: datetime) -> AdoptResult:
    """Record the live state of a resource as its desired one.

    Raises NotFound, and NotAdoptable where it has a desired state already or is gone.
    """
    (result,) = adopt_many(resource_pks=[resource_pk], actor=actor, at=at)
    if not result.adopted:
        known = Resource.objects.filter(pk=resource_pk).exists()
        raise NotAdoptable(result.detail) if known else NotFound(result.detail)
    return result


def adopt_many(*, resource_pks: Sequence[int], actor: str, at: datetime) -> list[AdoptResult]:
    """Adopt each resource that has no desired state; return an outcome per id, in their order.

    Of two who adopt the same resource, one is answered that it has a desired state already.
    """
    adopted: set[int] = set()
    fields = msgspec.json.encode({kind: sorted(reversals_of(kind)) for kind in Kind.values}).decode()
    for start in range(0, len(resource_pks), _BATCH_SIZE):
        parameters = {"resource_ids": list(resource_pks[start : start + _BATCH_SIZE]), "fields": fields}
        live = fetch_all(_READ_LIVE_FIELDS, parameters, into=_LiveFields)
        # The insert decides, not the look: another may have adopted it since.
        adopted.update(adopt_desired_states({each.resource_id: each.spec for each in live}))
    log.info("desired_states_adopted", actor=actor, at=at.isoformat(), adopted=len(adopted))
    gone = dict(Resource.objects.filter(pk__in=set(resource_pks) - adopted).values_list("pk", "deleted_at"))
    return [
        AdoptResult(pk, adopted=True)
        if pk in adopted
        else AdoptResult(pk, adopted=False, detail=_why(pk, gone))
        for pk in resource_pks
    ]


def _why(resource_pk: int, gone: Mapping[int, datetime | None]) -> str:
    """Return why a resource wasn't adopted; `gone` has the tombstones of those that weren't."""
    if resource_pk not in gone:
        return f"there is no resource {resource_pk}"
    if gone[resource_pk] is not None:
        return f"resource {resource_pk} is gone since {gone[resource_pk]}"
    return f"resource {resource_pk} has a desired state already"
