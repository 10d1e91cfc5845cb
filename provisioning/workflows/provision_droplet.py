"""The `provision_droplet` workflow: in its project, in the inventory, with a name in DNS if one is wanted."""

from collections.abc import Sequence
from typing import Annotated, Final, NoReturn

import msgspec

from arcadia_cloud.kernel.errors import InvalidInput
from deployments.models import Deployment
from deployments.states import DeploymentState
from inventory.models import Project, Resource
from inventory.values import PROVIDER, Kind
from provisioning.contract import END, Effect, Effects, Inputs, Ownership, SizeOrder, Workflow
from provisioning.errors import WrongState
from provisioning.provider_offer import price_of_size
from provisioning.workflows.droplets import SizeSlug

_TAG: Final = rf"^[A-Za-z0-9_:\-]{{1,255}}{END}"
_OVER: Final = (DeploymentState.CANCELLED, DeploymentState.ARCHIVED)
_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"


class ProvisionDroplet(Inputs, frozen=True, kw_only=True):
    """The order of a droplet. All of it is stored with the saga: `user_data` is no place for secrets."""

    name: Annotated[
        str,
        msgspec.Meta(
            pattern=rf"^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?{END}",
            max_length=255,
            description="A host's name.",
        ),
    ]
    region: Annotated[
        str,
        msgspec.Meta(
            pattern=rf"^[a-z]{{3}}[0-9]{{0,2}}{END}", description="As fra1; fra takes any of Frankfurt's."
        ),
    ]
    size: SizeSlug
    image: Annotated[int, msgspec.Meta(ge=1)] | Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    project: Annotated[
        str,
        msgspec.Meta(min_length=1, max_length=175, description="The project's name; it is made if need be."),
    ]
    deployment_id: int | None = None
    tags: Annotated[list[Annotated[str, msgspec.Meta(pattern=_TAG)]], msgspec.Meta(max_length=50)] = []
    ssh_keys: Annotated[list[int | str], msgspec.Meta(max_length=50)] = []
    user_data: Annotated[str, msgspec.Meta(max_length=65_536)] = ""
    vpc_uuid: Annotated[str, msgspec.Meta(max_length=80)] = ""
    backups: bool = False
    ipv6: bool = False
    monitoring: bool = True
    domain: Annotated[
        str,
        msgspec.Meta(
            pattern=rf"^(?:{_LABEL}(?:\.{_LABEL})+)?{END}",
            max_length=253,
            description="A zone of ours, for a DNS record; empty: none is wanted.",
        ),
    ] = ""
    record_name: Annotated[
        str,
        msgspec.Meta(
            pattern=rf"^(?:@|{_LABEL}(?:\.{_LABEL})*)?{END}",
            max_length=253,
            description="The name within the zone, @ for the zone itself; with `domain` alone.",
        ),
    ] = ""
    record_ttl: Annotated[int, msgspec.Meta(ge=30, le=86_400)] = 1800

    def steps(self) -> Sequence[str]:
        return [
            *(["require_free_name"] if self.domain else []),
            "ensure_project",
            "create_droplet",
            "wait_droplet_active",
            "assign_to_project",
            "observe_droplet",
            *(["add_dns_record"] if self.domain else []),
            "record_desired_state",
        ]

    def subjects(self) -> Sequence[str]:
        # Names may repeat at the provider: one saga of a name at a time keeps a double click from making two.
        return [
            f"droplet_name:{self.name}",
            *([f"deployment:{self.deployment_id}"] if self.deployment_id is not None else []),
            *([f"dns_name:{self.record_name}.{self.domain}".lower()] if self.domain else []),
        ]

    def owner(self) -> Ownership:
        """Return the deployment and its tenant. Raises InvalidInput where there is none of that id."""
        if self.deployment_id is None:
            return Ownership()
        found = Deployment.objects.filter(pk=self.deployment_id).values_list("tenant_id", flat=True).first()
        if found is None:
            _refuse("deployment_id", f"there is no deployment {self.deployment_id}")
        return Ownership(tenant_id=found, deployment_id=self.deployment_id)

    def size_orders(self) -> Sequence[SizeOrder]:
        return [SizeOrder(self.size, self.region)]

    def effects(self) -> Effects:
        has_project = Project.objects.filter(provider=PROVIDER, name=self.project, deleted_at=None).exists()
        price = price_of_size(self.size)
        extras = (
            ("the size's price isn't known", price is None),
            ("without the price of its backups", self.backups),
        )
        return Effects(
            creates=[
                Effect(Kind.DROPLET, self.name, f"{self.size} in {self.region}, of image {self.image}"),
                *([] if has_project else [Effect("project", self.project)]),
                *([Effect("dns_record", f"{self.record_name}.{self.domain}")] if self.domain else []),
            ],
            price_change=price,
            price_note="; ".join(note for note, applies in extras if applies),
            counted_creates=1,
        )

    def check(self) -> None:
        owner = self.owner()
        if self.deployment_id is not None:
            over = Deployment.objects.filter(pk=self.deployment_id, state__in=_OVER).first()
            if over is not None:
                # Nothing there would be billed, and an archived one is left by no state.
                raise WrongState(f"deployment {over} is {over.state}")
        if bool(self.domain) != bool(self.record_name):
            missing = "record_name" if self.domain else "domain"
            _refuse(missing, "domain and record_name are given together, or neither is")
        if self.size.startswith("gpu-"):
            # Lists by tag leave them out, so one whose create was answered by nothing couldn't be found.
            _refuse("size", "a GPU droplet can't be made by a saga")
        if any(tag.lower().startswith("saga:") for tag in self.tags):
            _refuse("tags", "a saga's own tag can't be given")
        # What is attributed to another tenant isn't given to this one by way of an order.
        projects = Project.objects.filter(provider=PROVIDER, name=self.project, deleted_at=None)
        zones = Resource.objects.live().filter(
            provider=PROVIDER, kind=Kind.DNS_ZONE, provider_id=self.domain.lower()
        )
        for field, name, found in (("project", self.project, projects), ("domain", self.domain, zones)):
            for tenant_id in found.exclude(tenant_id=None).values_list("tenant_id", flat=True):
                if tenant_id != owner.tenant_id:
                    _refuse(field, f"{field} {name} is tenant {tenant_id}'s")


def _refuse(field: str, message: str) -> NoReturn:
    raise InvalidInput(message, errors={f"inputs.{field}": [message]})


PROVISION_DROPLET = Workflow("provision_droplet", ProvisionDroplet, title="Make a droplet")
