"""The `revert_drift` workflow: fields of one resource put back to its desired state, in one saga."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec

from arcadia_cloud.kernel.errors import Conflict, InvalidInput
from arcadia_cloud.kernel.money import Money
from inventory.models import Resource
from inventory.values import PROVIDER_CURRENCY, Kind
from provisioning.contract import PART, Effect, Effects, Inputs, Ownership, SizeOrder, Workflow
from provisioning.errors import NotRevertable, Protected
from provisioning.models import Provisioned
from provisioning.protection import has_protected_tag, refuse_if_protected
from provisioning.provider_offer import price_of_size
from provisioning.reversals import require_revertable
from provisioning.workflows.droplets import DropletInputs, price_of_droplet

_DROPLET: Final = "droplet"  # the part of the saga that resizes and switches
_LONGEST_SHOWN: Final = 120


class RevertDrift(Inputs, frozen=True, kw_only=True):
    """A resource of which fields are put back to their desired values, as they are when the saga begins."""

    resource_id: Annotated[int, msgspec.Meta(ge=1, description="The resource's id in the inventory.")]
    fields: Annotated[
        list[Annotated[str, msgspec.Meta(min_length=1, max_length=80)]],
        msgspec.Meta(min_length=1, max_length=50, description="Fields of its desired state, as size_slug."),
    ]

    def find_resource(self) -> Resource:
        """Return the live resource. Raises InvalidInput where there is none of that id."""
        found = Resource.objects.live().select_related("project").filter(pk=self.resource_id).first()
        if found is None:
            message = f"the inventory has no live resource {self.resource_id}"
            raise InvalidInput(message, errors={"inputs.resource_id": [message]})
        return found

    def desired_values(self) -> dict[str, Any]:
        """Return the desired values of the fields. Raises Conflict where none is known of one."""
        desired = Provisioned.objects.filter(resource=self.resource_id).first()
        spec: dict[str, Any] = desired.spec if desired else {}
        # Accepted or dropped since the row was seen: there is nothing to put back to.
        if missing := sorted(set(self.fields) - set(spec)):
            raise Conflict(f"resource {self.resource_id} has no desired {', '.join(missing)}")
        return {field: spec[field] for field in dict.fromkeys(self.fields)}

    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        values, resource = self.desired_values(), self.find_resource()
        parts: dict[str, Mapping[str, Any]] = {
            field: {"field": field, "value": value} for field, value in values.items()
        }
        if resource.kind == Kind.DROPLET:
            parts[_DROPLET] = {
                "droplet_id": int(resource.provider_id),
                "size": values.get("size_slug"),
                # Put back by hand meanwhile: then nothing is to be done, which is no failure.
                "may_have_size": True,
            }
        return parts

    def steps(self) -> Sequence[str]:
        values, kind = self.desired_values(), self.find_resource().kind
        own: list[str] = []
        if kind == Kind.DROPLET and {"size_slug", "status"} & set(values):
            own = ["look_at_droplet"]
            if "size_slug" in values:
                # The step before it isn't to shut it down: it does so itself, unless the size is right.
                own += ["require_fitting_size", "resize_droplet"]
            if "size_slug" in values and values.get("status") != "off":
                own += ["power_on_droplet"]
            if "status" in values:
                own += ["switch_on_droplet" if values["status"] == "active" else "shut_down_droplet"]
        last = ["size_gb"] if "size_gb" in values else []
        plain = [field for field in values if field not in {"size_slug", "status", "project", *last}]
        return [
            "look_at_resource",
            *(f"put_back_field{PART}{field}" for field in plain),
            *([f"put_back_project{PART}project"] if "project" in values else []),
            *(f"{step}{PART}{_DROPLET}" for step in own),
            "observe_resource",
            # What has no way back comes last.
            *(f"grow_volume{PART}{field}" for field in last),
        ]

    def subjects(self) -> Sequence[str]:
        resource = self.find_resource()
        return [f"{resource.kind}:{resource.provider_id}"]

    def owner(self) -> Ownership:
        resource = self.find_resource()
        return Ownership(tenant_id=resource.tenant_id, deployment_id=resource.deployment_id)

    def check(self) -> None:
        """Refuse fields that can't be put back, and what would harm a protected resource."""
        resource, values = self.find_resource(), self.desired_values()
        harmful = False
        for field, value in values.items():
            reversal = require_revertable(resource.kind, field, value)
            # Switching on does no harm.
            harmful |= reversal.is_harmful and (field, value) != ("status", "active")
        if resource.kind == Kind.DROPLET:
            DropletInputs(droplet_id=int(resource.provider_id)).check_can_be_changed()
            if values.get("status", "off") not in {"active", "off"}:
                _refuse("status", f"a droplet can't be made {values['status']!r}")
        present = resource.attrs.get("size_gb")
        if "size_gb" in values and present and Decimal(str(values["size_gb"])) < Decimal(present):
            _refuse("size_gb", f"a volume can't shrink, and it has {present} GB")
        if harmful:
            refuse_if_protected(kind=resource.kind, provider_id=resource.provider_id, tags=resource.tags)
        if has_protected_tag(resource.tags) and not has_protected_tag(values.get("tags", resource.tags)):
            raise Protected(
                f"{resource.kind} {resource.provider_id} is protected by a tag that would be taken off: "
                "accept the tag, or take it away first"
            )

    def size_orders(self) -> Sequence[SizeOrder]:
        size = self.desired_values().get("size_slug")
        return [] if size is None else [SizeOrder(size, self.find_resource().region, field="fields")]

    def effects(self) -> Effects:
        resource, values = self.find_resource(), self.desired_values()
        name = f"{resource.name} ({resource.provider_id})"
        price: Money | None = Money(Decimal(0), PROVIDER_CURRENCY)
        note, off = "", []
        if "size_slug" in values:
            before, after = price_of_droplet(resource), price_of_size(values["size_slug"])
            price = None if before is None or after is None else after - before
            note = "" if price is not None else "the present or the desired size's price isn't known"
            off.append(f"{resource.name} is off while it is resized")
        if values.get("status") == "off":
            off.append(f"{resource.name} is shut down")
        if "size_gb" in values:
            price, note = None, "a volume costs by its size"
        return Effects(
            changes=[
                Effect(resource.kind, name, _describe_reversal(resource.kind, field, value))
                for field, value in values.items()
            ],
            powered_off=off,
            price_change=price,
            price_note=note,
        )


def _refuse(field: str, rule: str) -> None:
    raise NotRevertable(f"{field} can't be put back: {rule}", errors={field: [rule]})


def _describe_reversal(kind: str, field: str, value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    # A zone has hundreds of records: a plan is read by a person.
    shown = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]} …"
    return f"{field} back to {shown}: {require_revertable(kind, field, value).how}"


REVERT_DRIFT = Workflow("revert_drift", RevertDrift, title="Put fields back", deadline_seconds=4 * 3600)
