"""`/v2/droplets/{id}/actions`: the actions of a droplet, one at a time, and of all with a tag."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, request

from simulator import request_context
from simulator.account import Account, ResourceKind
from simulator.actions import Action
from simulator.catalog import SIZES, Json
from simulator.droplet import Droplet, backup_window
from simulator.droplet_requests import find_image_id, parse_backup_policy, validate_droplet_name
from simulator.endpoints.droplets import action_seconds, get_droplet_or_404, refuse_while_pending
from simulator.errors import bad_request, not_found, pending_event, unprocessable
from simulator.pagination import paginate_list
from simulator.private_images import create_droplet_image

routes = Blueprint("droplet_actions", __name__)
DROPLET_ACTION = ResourceKind("droplet_action", routes)

Effect = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A type of action: its virtual seconds, and the function that refuses it or returns its effect."""

    seconds: float
    prepare: Callable[[Account, Droplet, Json], Effect]
    by_tag: bool = False


def _change_nothing(_account: Account, _droplet: Droplet, _payload: Json) -> Effect:
    return lambda: None


def _power_off(_account: Account, droplet: Droplet, _payload: Json) -> Effect:
    if droplet.status == "off":
        raise unprocessable("Droplet is already powered off.")
    return lambda: setattr(droplet, "status", "off")


def _shutdown(account: Account, droplet: Droplet, payload: Json) -> Effect:
    """Power off, unless a fault makes the guest ignore the request."""
    effect = _power_off(account, droplet, payload)
    if request_context.take_fault("ignored_shutdown") is not None:
        return _change_nothing(account, droplet, payload)
    return effect


def _power_on(_account: Account, droplet: Droplet, _payload: Json) -> Effect:
    if droplet.status == "active":
        raise unprocessable("Droplet is already powered on.")
    return lambda: setattr(droplet, "status", "active")


def _resize(_account: Account, droplet: Droplet, payload: Json) -> Effect:
    """Resize CPU and memory, with `disk` irreversibly the disk too; the droplet stays off."""
    slug = payload.get("size")
    if not isinstance(slug, str) or slug not in SIZES:
        raise unprocessable("You specified an invalid size for Droplet resize.")
    size = SIZES[slug]
    if droplet.region not in size["regions"]:
        raise unprocessable("Size is not available in this region.")
    if size["disk"] < droplet.disk:
        raise unprocessable("Size can not decrease size of Droplet's disk image")
    if droplet.status != "off":
        raise unprocessable("Droplet must be powered off before it is resized.")

    # Effects are applied when the action ends: until then the droplet reads as before, only locked.
    def effect() -> None:
        droplet.size = slug
        if payload.get("disk") is True:
            droplet.disk = size["disk"]

    return effect


def _rename(_account: Account, droplet: Droplet, payload: Json) -> Effect:
    name = validate_droplet_name(payload.get("name"))
    return lambda: setattr(droplet, "name", name)


def _snapshot(account: Account, droplet: Droplet, payload: Json) -> Effect:
    """Add a private image, whose id only the droplet's list of snapshots has."""
    # Named by the time of the request, not of the end, which comes later.
    name = payload.get("name") or f"{droplet.name}-{int(account.clock.epoch())}"

    def effect() -> None:
        create_droplet_image(account, droplet, "snapshot", str(name), account.clock.now())

    return effect


def _enable_backups(_account: Account, droplet: Droplet, payload: Json) -> Effect:
    policy = parse_backup_policy(payload.get("backup_policy"))
    return lambda: setattr(droplet, "backup_policy", policy)


def _set_field(name: str, value: object) -> Callable[[Account, Droplet, Json], Effect]:
    return lambda _account, droplet, _payload: lambda: setattr(droplet, name, value)


def _change_backup_policy(account: Account, droplet: Droplet, payload: Json) -> Effect:
    if droplet.backup_policy is None:
        raise unprocessable("Backups are not enabled on this Droplet.")
    return _enable_backups(account, droplet, payload)


def _rebuild(account: Account, droplet: Droplet, payload: Json) -> Effect:
    image = find_image_id(
        account, payload.get("image"), "You specified an invalid image for Droplet rebuild."
    )

    def effect() -> None:
        droplet.image = image
        droplet.status = "active"

    return effect


_RULES: Final = {
    "reboot": Rule(10, _change_nothing),
    "power_cycle": Rule(10, _change_nothing, by_tag=True),
    "shutdown": Rule(15, _shutdown, by_tag=True),
    "power_off": Rule(5, _power_off, by_tag=True),
    "power_on": Rule(10, _power_on, by_tag=True),
    "password_reset": Rule(10, _change_nothing),
    "resize": Rule(60, _resize),
    "rename": Rule(3, _rename),
    "snapshot": Rule(60, _snapshot, by_tag=True),
    "enable_backups": Rule(5, _enable_backups, by_tag=True),
    "disable_backups": Rule(5, _set_field("backup_policy", None), by_tag=True),
    "change_backup_policy": Rule(5, _change_backup_policy),
    "enable_ipv6": Rule(5, _set_field("ipv6", True), by_tag=True),
    "restore": Rule(60, _rebuild),
    "rebuild": Rule(60, _rebuild),
    "change_kernel": Rule(5, _change_nothing),
}


def _find_rule(payload: Json) -> Rule:
    rule = _RULES.get(str(payload.get("type")))
    if rule is None:
        raise unprocessable("You specified an invalid action type.")
    return rule


def _start_action(droplet: Droplet, payload: Json, effect: Effect) -> Action:
    account, kind = request_context.get_account(), str(payload["type"])

    def finish(ok: bool) -> None:
        # Unlocked even if it failed; and no effect on a droplet that was deleted meanwhile.
        droplet.pending = None
        if ok and account.droplets.get(droplet.id) is droplet:
            effect()

    action = account.actions.start(
        kind,
        resource_id=droplet.id,
        resource_type="droplet",
        region=droplet.region,
        seconds=action_seconds(_find_rule(payload).seconds),
        fails=request_context.take_fault("errored_action", type=kind) is not None,
        finish=finish,
    )
    droplet.pending = action.id
    return action


@routes.post("/v2/droplets/<int:droplet_id>/actions")
def act(droplet_id: int) -> tuple[Json, int]:
    droplet, payload = get_droplet_or_404(droplet_id), request_context.read_json()
    rule = _find_rule(payload)
    refuse_while_pending(droplet)
    effect = rule.prepare(request_context.get_account(), droplet, payload)
    return {"action": _start_action(droplet, payload, effect).render()}, 201


@routes.post("/v2/droplets/actions")
def act_on_tagged() -> tuple[Json, int]:
    """Start the action on all droplets of a tag, or on none if one of them refuses."""
    account, payload = request_context.get_account(), request_context.read_json()
    rule, tag = _find_rule(payload), request.args.get("tag_name", "").lower()
    if not tag or not rule.by_tag:
        raise bad_request("tag_name must be given, and the action be one for tags")
    droplets = [get_droplet_or_404(droplet_id) for droplet_id in account.droplets.ids_with_tag(tag)]
    if any(droplet.pending is not None for droplet in droplets):
        raise pending_event()
    # All are prepared before the first starts, for a refusal must find nothing begun.
    effects = [rule.prepare(account, droplet, payload) for droplet in droplets]
    actions = [
        _start_action(droplet, payload, effect) for droplet, effect in zip(droplets, effects, strict=True)
    ]
    return {"actions": [action.render() for action in actions]}, 201


@routes.get("/v2/droplets/<int:droplet_id>/actions")
def list_actions(droplet_id: int) -> Json:
    get_droplet_or_404(droplet_id)
    actions = request_context.get_account().actions.list_of_droplet(droplet_id)
    return paginate_list("actions", [action.render() for action in actions])


@routes.get("/v2/droplets/<int:droplet_id>/actions/<int:action_id>")
def show_action(droplet_id: int, action_id: int) -> Json:
    action = request_context.get_account().actions.get(action_id)
    if action is None or action.resource_id != droplet_id or action.resource_type != "droplet":
        raise not_found("The resource you were accessing could not be found.")
    return {"action": action.render()}


@routes.get("/v2/droplets/<int:droplet_id>/backups/policy")
def show_backup_policy(droplet_id: int) -> Json:
    droplet = get_droplet_or_404(droplet_id)
    policy: Json = {"droplet_id": droplet.id, "backup_enabled": droplet.backup_policy is not None}
    if droplet.backup_policy is not None:
        window = backup_window(droplet.backup_policy, request_context.get_account().clock.now())
        policy |= {"backup_policy": droplet.backup_policy, "next_backup_window": window}
    return {"policy": policy}
