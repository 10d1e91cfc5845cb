"""The fields of each kind that DigitalOcean can put back to what is desired, and why the others stay.

`provisioning/steps/revert/` has the writer of each field; `revert_drift` is the saga that calls them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from inventory.values import Kind, kind_label
from provisioning.errors import NotRevertable

EXISTS: Final = "exists"  # drift's pseudo-field of a resource that is gone


@dataclass(frozen=True, slots=True)
class Reversal:
    """A field that can be put back. `takes` is the type of its desired values, `how` is what will happen.

    `is_harmful`: a protected resource's stays as it is.
    """

    how: str
    takes: Any  # Any: a type, or one of typing's forms, which have no common type
    is_harmful: bool = False


_TAGS: Final = Reversal("the tags that are missing are put on, all others are taken off", list[str])
_PROJECT: Final = Reversal("it is moved into the project of that name", str)
_NAME: Final = Reversal("it is renamed", str)
_Json = dict[str, Any]
REVERSALS: Final[Mapping[str, Mapping[str, Reversal]]] = {
    Kind.DROPLET: {
        "name": _NAME,
        "tags": _TAGS,
        "project": _PROJECT,
        "size_slug": Reversal(
            "it is shut down, given its size without the disk, and switched on again", str, is_harmful=True
        ),
        "status": Reversal("it is switched on, or shut down", str, is_harmful=True),
    },
    Kind.VOLUME: {
        "tags": _TAGS,
        "project": _PROJECT,
        "droplet_ids": Reversal("it is detached, and attached to its droplet", list[str], is_harmful=True),
        "size_gb": Reversal("it grows; that can't be undone", str | int | float, is_harmful=True),
    },
    Kind.SNAPSHOT: {"tags": _TAGS},
    Kind.IMAGE: {"tags": _TAGS, "name": _NAME},
    Kind.SPACES_BUCKET: {"project": _PROJECT},
    Kind.DNS_ZONE: {
        "records": Reversal("records are written, changed and deleted until they are those", list[_Json]),
        "project": _PROJECT,
    },
    Kind.RESERVED_IP: {
        "droplet_id": Reversal(
            "it is assigned to its droplet, or to none", str | int | None, is_harmful=True
        ),
        "project": _PROJECT,
    },
    Kind.LOAD_BALANCER: {"name": _NAME, "project": _PROJECT},
    Kind.DATABASE: {"tags": _TAGS, "project": _PROJECT},
    Kind.KUBERNETES_CLUSTER: {
        "name": _NAME,
        "auto_upgrade": Reversal("its automatic upgrades are switched", bool),
        "project": _PROJECT,
    },
    Kind.FIREWALL: {
        "name": _NAME,
        "tags": Reversal("it guards the droplets with these tags, and no others", list[str]),
        "droplet_ids": Reversal("it guards these droplets, and no others", list[str]),
        "inbound_rules": Reversal("its rules are replaced by these", list[_Json]),
        "outbound_rules": Reversal("its rules are replaced by these", list[_Json]),
    },
    Kind.VPC: {"name": _NAME, "description": Reversal("it is described anew", str)},
    Kind.CDN_ENDPOINT: {"ttl": Reversal("its time to live is set", int)},
    Kind.APP: {"project": _PROJECT},
}

_ANY: Final = ""  # in the reasons: of every kind that has none of its own
_FOLLOWS_SIZE: Final = "it follows the droplet's size: revert size_slug"
_REASONS: Final[Mapping[str, Mapping[str, str]]] = {
    _ANY: {
        EXISTS: "what was destroyed can't be called back: provision it anew, or accept that it is gone",
        "region": "DigitalOcean moves nothing to another region: restore a snapshot there",
        "name": "DigitalOcean's API doesn't rename it",
        "project": "it can be in no project",
        "tags": "it has no tags that could be set",
        "vpc_uuid": "DigitalOcean moves nothing to another private network: restore a snapshot there",
        "size_gb": "its size is what is stored in it",
        "engine": "DigitalOcean's API doesn't change it: restore a backup into another database",
        "version": "versions only go up, by an upgrade in DigitalOcean's panel",
    },
    Kind.DROPLET: {
        "memory_mb": _FOLLOWS_SIZE,
        "vcpus": _FOLLOWS_SIZE,
        "disk_gb": "a disk can't shrink, and grows only by a resize that is asked for",
        "image": "a rebuild would erase the droplet's disk: use update_deployment, which takes a snapshot",
        "features": "DigitalOcean switches them one by one: use its panel",
        "volume_ids": "it follows the volumes: revert the volume's droplet_ids",
    },
    Kind.VOLUME: {
        "status": "it follows droplet_ids: revert that",
        "name": "DigitalOcean's API doesn't rename a volume",
    },
    Kind.RESERVED_IP: {"status": "it follows droplet_id: revert that"},
    Kind.DNS_ZONE: {"ttl": "it is the zone's own; each record has its ttl, and that can be put back"},
    Kind.LOAD_BALANCER: {
        "tags": "its tag names the droplets that it serves: change it in DigitalOcean's panel"
    },
    Kind.KUBERNETES_CLUSTER: {"tags": "DigitalOcean manages a cluster's tags, and those of its workers"},
    Kind.VPC: {"ip_range": "a private network keeps its addresses"},
}


def reversals_of(kind: str) -> Mapping[str, Reversal]:
    """Return the fields of a kind that can be put back; none for a kind that has none."""
    return REVERSALS.get(kind, {})


def reason_against(kind: str, field: str) -> str:
    """Return why the field can't be put back; "" where it can."""
    if field in reversals_of(kind):
        return ""
    reason = _REASONS.get(kind, {}).get(field) or _REASONS[_ANY].get(field)
    return reason or f"DigitalOcean's API has no way to set it on a {kind_label(kind).lower()}"


def require_revertable(kind: str, field: str, value: Any) -> Reversal:
    """Return how the field is put back to `value`. Raises NotRevertable with the reason where it can't be."""
    if reason := reason_against(kind, field):
        raise NotRevertable(f"{field} can't be put back: {reason}", errors={field: [reason]})
    reversal = REVERSALS[kind][field]
    try:
        msgspec.convert(value, reversal.takes)
    except msgspec.ValidationError as error:
        rule = f"its desired value is none that DigitalOcean takes ({error})"
        raise NotRevertable(f"{field} can't be put back: {rule}", errors={field: [rule]}) from error
    return reversal
