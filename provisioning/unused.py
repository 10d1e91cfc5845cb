"""The rules of when a resource may be deleted as unused: nothing holds it, and it is still what was seen."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from inventory.models import Resource
from inventory.values import Kind, Observation
from provisioning.models import SagaRun
from provisioning.saga_marks import find_maker
from provisioning.states import LIVE, SagaStatus

SEEN: Final = "seen"  # in the context: what the resource was when the saga was started
# The end of a snapshot's name that a saga took, as `saga_suffix` writes it.
_SUFFIX: Final = re.compile(r"saga-(\d{1,18}-\d+(?:-[0-9a-f]+)?)$")


def identify(resource: Resource) -> dict[str, Any]:
    """Return what distinguishes a resource from another one that came under its id."""
    return {
        "name": resource.name,
        "region": resource.region,
        "size_gb": resource.attrs.get("size_gb"),
    }


def identify_observed(seen: Observation) -> dict[str, Any]:
    """Return the same of a resource as it was just read."""
    return {"name": seen.name, "region": seen.region, "size_gb": seen.attrs.get("size_gb")}


def holder_of(kind: str, attrs: Mapping[str, Any]) -> str:
    """Return the id of the droplet that has a volume or a reserved IP; "" where none has."""
    if kind == Kind.VOLUME:
        return next(iter(attrs.get("droplet_ids", ())), "")
    return str(attrs.get("droplet_id") or "") if kind == Kind.RESERVED_IP else ""


def is_being_made(name: str, tags: Iterable[str]) -> int | None:
    """Return the saga that made this and hasn't ended; None where none has.

    Its compensation may need it: an update restores the snapshot that it took. A dead letter goes on with it
    when it is retried.
    """
    # A snapshot has no tags of ours: its name has the mark.
    marks = [*tags, *(f"saga:{match[1]}" for match in [_SUFFIX.search(name)] if match)]
    for maker in map(find_maker, marks):
        unsettled = SagaRun.objects.filter(status__in=[*LIVE, SagaStatus.FAILED])
        if maker and unsettled.filter(pk=maker.saga_id, nonce=maker.nonce).exists():
            return maker.saga_id
    return None
