"""One field of a resource and the value that it is to have, as its writer gets them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.records import ActionRecord
from inventory.values import Observation
from provisioning.contract import RetryableError, StepState, Wait
from provisioning.steps.cloud import poll


@dataclass(frozen=True, slots=True)
class Change:
    """A field to be written; `seen` is the resource as it is now."""

    state: StepState
    cloud: DigitalOcean
    kind: str
    seen: Observation
    field: str
    value: Any  # Any: each field has a type of its own

    @property
    def provider_id(self) -> str:
        return self.seen.provider_id

    def begin_or_wait(self, name: str, send: Callable[[], ActionRecord]) -> Wait:
        """Begin the action `name`, or wait for it; one that is over without its goal is begun anew."""
        under_way = poll(f"{name} of {self.kind} {self.seen.name} is under way")
        own = f"undo_{name}_action_id" if self.state.is_compensating else f"{name}_action_id"
        # On the way back too: what was begun on the way there may still take effect.
        for key in dict.fromkeys((f"{name}_action_id", own)):
            begun = self.state.get_output(key)
            if begun is None:
                continue
            action = self.cloud.action(begun)
            if action.status == "in-progress":
                return under_way
            self.state.put_output(key, None)
            if action.status == "errored":
                raise RetryableError(f"DigitalOcean gave up the {name} (action {begun})")
            return under_way
        # Stored before it is polled: a worker that dies from here on finds the action by its id.
        self.state.put_output(own, send().id)
        return under_way


Writer: TypeAlias = Callable[[Change], Wait | None]


def value_of(seen: Observation, field: str) -> Any:
    """Return the field's value: a column's, or that of the kind's own attrs."""
    return getattr(seen, field) if field in {"name", "tags", "status", "region"} else seen.attrs.get(field)
