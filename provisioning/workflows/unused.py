"""The workflows that delete what nothing uses: `delete_volume`, `release_reserved_ip`, `delete_snapshot`.

Each is a single step: nothing brings back what was deleted, so nothing may come after it that can fail.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, TypeAlias

import msgspec

from arcadia_cloud.kernel.errors import Conflict, InvalidInput
from inventory.models import Resource
from inventory.values import PROVIDER, Kind, kind_label
from provisioning.contract import END, Effect, Effects, Inputs, Ownership, Workflow
from provisioning.protection import refuse_if_protected
from provisioning.unused import SEEN, holder_of, identify, is_being_made

_SNAPSHOTS_STAY = "for good, with all that is on it; its snapshots stay"

VolumeId: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=rf"^[0-9a-fA-F-]{{36}}{END}", description="The volume's id at the provider.")
]
Address: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=rf"^[0-9a-fA-F.:]{{2,45}}{END}", description="The reserved address.")
]
SnapshotId: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^[0-9a-fA-F-]{{1,36}}{END}",
        description="The snapshot's id at the provider: a droplet's is a number, a volume's a uuid.",
    ),
]


class UnusedInputs(Inputs, frozen=True, kw_only=True):
    """A resource that is in the inventory, and that nothing uses."""

    kind: ClassVar[Kind]
    field: ClassVar[str]
    outcome: ClassVar[str]

    @property
    def provider_id(self) -> str:
        return str(getattr(self, self.field))

    def subjects(self) -> Sequence[str]:
        return [f"{self.kind}:{self.provider_id}"]

    def owner(self) -> Ownership:
        resource = self.find_resource()
        return Ownership(tenant_id=resource.tenant_id, deployment_id=resource.deployment_id)

    def initial_context(self) -> Mapping[str, Any]:
        """Return what the resource was when the saga was started: another thing is left alone."""
        return {SEEN: identify(self.find_resource())}

    def check(self) -> None:
        """Refuse one that something uses, one that a saga is still making, and a protected one."""
        resource = self.find_resource()
        label = kind_label(self.kind)
        if holder := holder_of(resource.kind, resource.attrs):
            raise Conflict(f"{label} {resource.name} is in use by droplet {holder}: take it off first")
        if maker := is_being_made(resource.name, resource.tags):
            raise Conflict(f"{label} {resource.name} is of saga {maker}, which hasn't ended")
        refuse_if_protected(kind=resource.kind, provider_id=resource.provider_id, tags=resource.tags)

    def effects(self) -> Effects:
        resource = self.find_resource()
        name = resource.name
        # An address is its own name.
        shown = name if name == resource.provider_id else f"{name} ({resource.provider_id})"
        return Effects(
            destroys=[Effect(self.kind, shown, self.outcome)],
            price_note="DigitalOcean's API has no price of it; the console's leftovers show what it costs",
        )

    def find_resource(self) -> Resource:
        """Return the live resource. Raises InvalidInput where the inventory has none."""
        found = (
            Resource.objects.live()
            .filter(provider=PROVIDER, kind=self.kind, provider_id=self.provider_id)
            .first()
        )
        if found is None:
            message = f"the inventory has no {kind_label(self.kind).lower()} {self.provider_id}"
            raise InvalidInput(message, errors={f"inputs.{self.field}": [message]})
        return found


class DeleteVolume(UnusedInputs, frozen=True, kw_only=True):
    """A volume that is attached to nothing, deleted with all that is on it."""

    kind: ClassVar[Kind] = Kind.VOLUME
    field: ClassVar[str] = "volume_id"
    outcome: ClassVar[str] = _SNAPSHOTS_STAY
    volume_id: VolumeId

    def steps(self) -> Sequence[str]:
        return ["delete_volume"]


class ReleaseReservedIp(UnusedInputs, frozen=True, kw_only=True):
    """A reserved IP that no droplet has, given back: the same address can't be reserved again."""

    kind: ClassVar[Kind] = Kind.RESERVED_IP
    field: ClassVar[str] = "address"
    outcome: ClassVar[str] = "for good; the same address can't be reserved again"
    address: Address

    def steps(self) -> Sequence[str]:
        return ["release_reserved_ip"]


class DeleteSnapshot(UnusedInputs, frozen=True, kw_only=True):
    """A snapshot of a droplet or of a volume, deleted. What it was taken of stays as it is."""

    kind: ClassVar[Kind] = Kind.SNAPSHOT
    field: ClassVar[str] = "snapshot_id"
    outcome: ClassVar[str] = "for good; what it was taken of stays as it is"
    snapshot_id: SnapshotId

    def steps(self) -> Sequence[str]:
        return ["delete_snapshot"]


DELETE_VOLUME = Workflow("delete_volume", DeleteVolume, title="Delete a volume")
RELEASE_RESERVED_IP = Workflow("release_reserved_ip", ReleaseReservedIp, title="Release a reserved IP")
DELETE_SNAPSHOT = Workflow("delete_snapshot", DeleteSnapshot, title="Delete a snapshot")
