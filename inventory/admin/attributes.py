"""Attributes that a resource's kind alone has, as an operator reads them: other resources by their names."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from django.db.models import Q
from django.urls import reverse

from arcadia_cloud.kernel.console.formatting import NOTHING
from inventory.admin.formatting import label_of, readable
from inventory.models import Resource
from inventory.values import PROVIDER, Kind

# The attributes whose values are ids of other resources, a list of them or one.
_NAMING: Final[Mapping[str, Kind]] = {
    "droplet_id": Kind.DROPLET,
    "droplet_ids": Kind.DROPLET,
    "volume_id": Kind.VOLUME,
    "volume_ids": Kind.VOLUME,
    "snapshot_ids": Kind.SNAPSHOT,
    "backup_ids": Kind.DROPLET_BACKUP,
    "cluster_id": Kind.KUBERNETES_CLUSTER,
    "certificate_id": Kind.CERTIFICATE,
    "vpc_uuid": Kind.VPC,
}


class Line(NamedTuple):
    """A line of an attribute; `href` is the page of the resource that it names, "" where it names none."""

    text: str
    href: str = ""


def attributes(attrs: Mapping[str, Any]) -> list[tuple[str, list[Line]]]:
    """Return the label and the lines of each attribute, without the empty ones.

    A resource that isn't in the inventory stays an id. One query, none where no attribute names another.
    """
    named = {
        name: [str(each) for each in (value if isinstance(value, list) else [value]) if each]
        for name, value in attrs.items()
        if name in _NAMING
    }
    known = _pages_of((_NAMING[name], ids) for name, ids in named.items() if ids)
    found = []
    for name, value in attrs.items():
        if ids := named.get(name):
            lines = [known.get((_NAMING[name], each), Line(each)) for each in ids]
        elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            lines = [Line(readable(item)) for item in value]
        elif readable(value) != NOTHING:
            lines = [Line(readable(value))]
        else:
            continue
        found.append((label_of(name), lines))
    return found


def _pages_of(named: Iterable[tuple[Kind, list[str]]]) -> dict[tuple[str, str], Line]:
    wanted = Q()
    for kind, ids in named:
        wanted |= Q(provider=PROVIDER, kind=kind, provider_id__in=ids)
    if not wanted:
        return {}
    rows = Resource.objects.filter(wanted).values_list("pk", "kind", "provider_id", "name")
    return {
        (kind, provider_id): Line(name or provider_id, reverse("admin:inventory_resource_change", args=[pk]))
        for pk, kind, provider_id, name in rows
    }
