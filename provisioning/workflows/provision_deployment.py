"""The `provision_deployment` workflow: the parts of a deployment template, made one after the other."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec

from arcadia_cloud.kernel.errors import InvalidInput
from arcadia_cloud.kernel.money import sum_money
from deployments.models import DeploymentTemplate
from deployments.states import DeploymentState
from deployments.template_spec import TemplateSpec, fill_in, parse_spec
from inventory.models import Resource
from inventory.values import PROVIDER_CURRENCY, Kind
from provisioning.contract import PART, Effect, Effects, SizeOrder, Workflow
from provisioning.errors import WrongState
from provisioning.steps.transitions import WAS_PAUSED, why_not_provisionable
from provisioning.workflows.deployments import DeploymentInputs, droplets_of_deployment
from provisioning.workflows.provision_droplet import ProvisionDroplet

_VOLUME_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")


class ProvisionDeployment(DeploymentInputs, frozen=True, kw_only=True):
    """A deployment to be made from a published template; where that fails, it is left paused and unbilled."""

    template_code: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    template_version: (
        Annotated[int, msgspec.Meta(ge=1, description="Empty: the newest that is published.")] | None
    ) = None

    def find_template(self) -> DeploymentTemplate:
        """Return the template's version. Raises InvalidInput for one that isn't there, or isn't published."""
        published = DeploymentTemplate.objects.filter(code=self.template_code).exclude(published_at=None)
        if self.template_version is not None:
            # A draft of that number isn't it: it could change under the saga.
            published = published.filter(version=self.template_version)
        found = published.order_by("-version").first()
        if found is None:
            version = "" if self.template_version is None else f" v{self.template_version}"
            message = f"there is no published deployment template {self.template_code}{version}"
            raise InvalidInput(message, errors={"inputs.template_code": [message]})
        return found

    def fill_in_template(self) -> TemplateSpec:
        """Return the template's spec with the deployment's own values."""
        deployment = self.find_deployment()
        variables = {
            "slug": deployment.slug,
            "tenant": deployment.tenant_id,
            "region": deployment.region,
        }
        return fill_in(parse_spec(self.find_template().spec), variables)

    def list_orders(self) -> dict[str, ProvisionDroplet]:
        """Return the order of each droplet by its key. Raises InvalidInput for a text that fits no order."""
        spec = self.fill_in_template()
        records = {each.droplet: each for each in spec.dns_records}
        orders = {}
        for droplet in spec.droplets:
            order: dict[str, Any] = msgspec.to_builtins(droplet)
            del order["key"]
            order |= {
                "project": spec.project,
                "deployment_id": self.deployment_id,
                "tags": list(dict.fromkeys([*spec.tags, *droplet.tags])),
            }
            if (record := records.get(droplet.key)) is not None:
                order |= {"domain": record.domain, "record_name": record.name, "record_ttl": record.ttl}
            try:
                orders[droplet.key] = msgspec.convert(order, ProvisionDroplet)
            except msgspec.ValidationError as error:
                message = f"droplet {droplet.key} of {self.template_code}: {error}"
                raise InvalidInput(message, errors={"inputs.template_code": [message]}) from error
        return orders

    def list_droplets(self) -> list[Resource]:
        # Also when it is begun late: the subjects and parts are those of the orders alone.
        return []  # it makes them; those that are there already are a refusal

    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        spec = self.fill_in_template()
        tags = list(spec.tags)
        regions = {each.key: each.region for each in spec.droplets}
        volumes = {
            each.key: {
                "volume_name": each.name,
                "size_gb": each.size_gb,
                "droplet": each.droplet,
                "region": regions[each.droplet],
                "tags": tags,
            }
            for each in spec.volumes
        }
        return {**{key: msgspec.to_builtins(order) for key, order in self.list_orders().items()}, **volumes}

    def steps(self) -> Sequence[str]:
        spec, names = self.fill_in_template(), ["check_subscription"]
        for key, order in self.list_orders().items():
            # A volume after its droplet: it is attached to it, and removed before it.
            names += [f"{step}{PART}{key}" for step in order.steps()]
            volumes = [each.key for each in spec.volumes if each.droplet == key]
            names += [
                f"{step}{PART}{part}" for part in volumes for step in ("create_volume", "attach_volume")
            ]
        return [*names, "finish_provision"]

    def subjects(self) -> Sequence[str]:
        ordered = [subject for order in self.list_orders().values() for subject in order.subjects()]
        return [f"deployment:{self.deployment_id}", *ordered]

    def initial_context(self) -> Mapping[str, Any]:
        # As resolved now: a version that is published meanwhile is none of this saga's.
        is_paused = self.find_deployment().state == DeploymentState.PAUSED
        return {"template_version": self.find_template().version, WAS_PAUSED: is_paused}

    def size_orders(self) -> Sequence[SizeOrder]:
        orders = self.list_orders().values()
        return [SizeOrder(order.size, order.region, field="template_code") for order in orders]

    def check(self) -> None:
        deployment = self.find_deployment()
        if reason := why_not_provisionable(deployment):
            raise WrongState(reason)
        if deployment.state == DeploymentState.PAUSED:
            self.check_transition(DeploymentState.ACTIVE)
        # A second provision would stand beside the first, and both would be billed.
        if present := droplets_of_deployment(deployment.pk).own:
            raise WrongState(f"deployment {deployment} has droplet {present[0].name} already")
        for order in self.list_orders().values():
            order.check()
        self._check_volume_names(self.fill_in_template())

    def _check_volume_names(self, spec: TemplateSpec) -> None:
        for volume in spec.volumes:
            if not _VOLUME_NAME.fullmatch(volume.name):
                message = (
                    f"volume {volume.key} of {self.template_code}: {volume.name!r} is no volume's name: "
                    "64 lower-case letters, digits and hyphens at most, of which a letter is the first"
                )
                raise InvalidInput(message, errors={"inputs.template_code": [message]})

    def effects(self) -> Effects:
        spec, orders = self.fill_in_template(), self.list_orders()
        each = [order.effects() for order in orders.values()]
        # The project is every droplet's, and made once.
        creates = list(dict.fromkeys(effect for effects in each for effect in effects.creates))
        volumes = [
            Effect(Kind.VOLUME, volume.name, f"{volume.size_gb} GB, attached to droplet {volume.droplet}")
            for volume in spec.volumes
        ]
        prices = [effects.price_change for effects in each]
        known = [price for price in prices if price is not None]
        notes = dict.fromkeys(effects.price_note for effects in each if effects.price_note)
        deployment = self.find_deployment()
        return Effects(
            creates=[*creates, *volumes],
            changes=[Effect("deployment", str(deployment), f"made from {self.find_template()}")],
            price_change=sum_money(known, PROVIDER_CURRENCY) if len(known) == len(prices) else None,
            price_note="; ".join([*notes, *(["without the volumes' price"] if volumes else [])]),
            counted_creates=len(orders) + len(volumes),
        )


PROVISION_DEPLOYMENT = Workflow(
    "provision_deployment", ProvisionDeployment, title="Provision a deployment", deadline_seconds=4 * 3600
)
