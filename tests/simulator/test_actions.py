from typing import Any

import pytest

from tests.simulator.api import Api, Json

SHOP_WEB = 480_000_000  # s-2vcpu-4gb, active
OFF = 480_009_117  # legacy-files: s-2vcpu-2gb, off


def act(api: Api, droplet: int, kind: str, **payload: object) -> dict[str, Any]:
    action: dict[str, Any] = api.post(f"/v2/droplets/{droplet}/actions", {"type": kind, **payload})["action"]
    return action


def droplet_of(api: Api, droplet: int) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/v2/droplets/{droplet}")["droplet"]
    return found


def test_an_action_takes_its_time_and_locks_the_droplet_meanwhile(api: Api) -> None:
    action = act(api, SHOP_WEB, "power_off")
    assert (action["status"], action["completed_at"]) == ("in-progress", None)
    assert droplet_of(api, SHOP_WEB)["locked"]
    assert droplet_of(api, SHOP_WEB)["status"] == "active"
    assert api.refusal("POST", f"/v2/droplets/{SHOP_WEB}/actions", {"type": "reboot"}) == (
        422,
        "unprocessable_entity",
        "Droplet already has a pending event.",
    )
    api.advance(6)
    assert droplet_of(api, SHOP_WEB)["status"] == "off"
    assert not droplet_of(api, SHOP_WEB)["locked"]
    by_id = api.get(f"/v2/actions/{action['id']}")["action"]
    assert by_id["status"] == "completed"
    assert api.get(f"/v2/droplets/{SHOP_WEB}/actions/{action['id']}")["action"] == by_id
    own = api.get(f"/v2/droplets/{SHOP_WEB}/actions")["actions"]
    assert (own[0], [each["type"] for each in own]) == (by_id, ["power_off", "create"])
    listed = api.get("/v2/actions")["actions"]
    assert listed[0] == by_id
    assert {each["type"] for each in listed[1:]} == {"create"}


@pytest.mark.parametrize(
    ("droplet", "kind", "message"),
    [
        (OFF, "power_off", "Droplet is already powered off."),
        (SHOP_WEB, "power_on", "Droplet is already powered on."),
        (SHOP_WEB, "resize", "You specified an invalid size for Droplet resize."),
        (SHOP_WEB, "fly", "You specified an invalid action type."),
        (SHOP_WEB, "change_backup_policy", "Backups are not enabled on this Droplet."),
    ],
)
def test_an_action_that_cannot_be_is_refused_and_locks_nothing(
    api: Api, droplet: int, kind: str, message: str
) -> None:
    assert api.refusal("POST", f"/v2/droplets/{droplet}/actions", {"type": kind})[2] == message
    assert not droplet_of(api, droplet)["locked"]


def test_a_resize_wants_the_droplet_off_and_leaves_it_off(api: Api) -> None:
    payload = {"type": "resize", "size": "s-4vcpu-8gb", "disk": False}
    assert "powered off" in api.refusal("POST", f"/v2/droplets/{SHOP_WEB}/actions", payload)[2]
    act(api, SHOP_WEB, "power_off")
    api.advance(6)
    api.post(f"/v2/droplets/{SHOP_WEB}/actions", payload)
    api.advance(61)
    droplet = droplet_of(api, SHOP_WEB)
    assert (droplet["size_slug"], droplet["status"], droplet["memory"]) == ("s-4vcpu-8gb", "off", 8192)
    assert (droplet["disk"], droplet["size"]["disk"]) == (80, 160)  # only CPU and memory were resized


def test_a_resize_back_is_possible_until_the_disk_has_grown(api: Api) -> None:
    act(api, OFF, "resize", size="s-4vcpu-8gb", disk=False)
    api.advance(61)
    act(api, OFF, "resize", size="s-2vcpu-2gb", disk=False)
    api.advance(61)
    act(api, OFF, "resize", size="s-4vcpu-8gb", disk=True)
    api.advance(61)
    assert droplet_of(api, OFF)["disk"] == 160
    refusal = api.refusal("POST", f"/v2/droplets/{OFF}/actions", {"type": "resize", "size": "s-2vcpu-2gb"})
    assert refusal[2] == "Size can not decrease size of Droplet's disk image"


def test_a_rename_and_ipv6_show_once_done(api: Api) -> None:
    act(api, SHOP_WEB, "rename", name="front-01")
    api.advance(4)
    act(api, OFF, "enable_ipv6")
    api.advance(6)
    assert droplet_of(api, SHOP_WEB)["name"] == "front-01"
    assert "ipv6" in droplet_of(api, OFF)["features"]


def test_backups_are_enabled_changed_and_disabled(api: Api) -> None:
    act(api, SHOP_WEB, "enable_backups", backup_policy={"plan": "weekly", "weekday": "SUN", "hour": 20})
    api.advance(6)
    assert droplet_of(api, SHOP_WEB)["next_backup_window"]["start"].endswith("T20:00:00Z")
    policy = api.get(f"/v2/droplets/{SHOP_WEB}/backups/policy")["policy"]
    assert policy["backup_enabled"]
    assert policy["backup_policy"]["plan"] == "weekly"
    act(api, SHOP_WEB, "change_backup_policy", backup_policy={"plan": "daily", "hour": 4})
    api.advance(6)
    assert api.get(f"/v2/droplets/{SHOP_WEB}/backups/policy")["policy"]["backup_policy"]["plan"] == "daily"
    act(api, SHOP_WEB, "disable_backups")
    api.advance(6)
    assert droplet_of(api, SHOP_WEB)["next_backup_window"] is None


def test_a_snapshot_is_a_private_image_that_outlives_its_droplet(api: Api) -> None:
    act(api, SHOP_WEB, "snapshot", name="before-the-sale")
    api.advance(61)
    (image_id,) = droplet_of(api, SHOP_WEB)["snapshot_ids"]
    listed = api.get(f"/v2/droplets/{SHOP_WEB}/snapshots")["snapshots"]
    assert [(item["id"], item["name"]) for item in listed] == [(image_id, "before-the-sale")]
    api.delete(f"/v2/droplets/{SHOP_WEB}")
    assert [image["id"] for image in api.get("/v2/images?private=true")["images"]] == [image_id]
    assert api.create(image=image_id)["image"]["name"] == "before-the-sale"


def test_a_rebuild_changes_the_image(api: Api) -> None:
    act(api, SHOP_WEB, "rebuild", image="debian-12-x64")
    api.advance(61)
    assert droplet_of(api, SHOP_WEB)["image"]["slug"] == "debian-12-x64"


def test_all_droplets_of_a_tag_act_together_or_not_at_all(api: Api) -> None:
    path = "/v2/droplets/actions?tag_name=deployment:shop"
    assert len(api.post(path, {"type": "power_off"})["actions"]) == 3
    assert "pending event" in api.refusal("POST", path, {"type": "shutdown"})[2]
    api.advance(6)
    assert api.refusal("POST", path, {"type": "power_off"})[2] == "Droplet is already powered off."
    act(api, SHOP_WEB, "power_on")
    api.advance(11)
    assert api.refusal("POST", path, {"type": "power_off"})[0] == 422
    assert not droplet_of(api, SHOP_WEB)["locked"]
    assert api.refusal("POST", path, {"type": "rename", "name": "same"})[0] == 400


def test_actions_that_do_not_exist_are_not_found(api: Api) -> None:
    assert api.refusal("GET", "/v2/actions/1")[0] == 404
    action = act(api, SHOP_WEB, "reboot")
    assert api.refusal("GET", f"/v2/droplets/{OFF}/actions/{action['id']}")[0] == 404
    assert api.refusal("POST", "/v2/droplets/1/actions", {"type": "reboot"})[0] == 404


def list_pages(api: Api, path: str, key: str) -> list[Json]:
    found: list[Json] = []
    for page in range(1, 100):
        listed = api.get(f"{path}{'&' if '?' in path else '?'}per_page=7&page={page}")
        found += listed[key]
        if "next" not in listed["links"].get("pages", {}):
            assert len(found) == listed["meta"]["total"]
            return found
    raise AssertionError("a list without an end")


@pytest.mark.parametrize(
    ("fleet", "droplets", "count"),
    [("default", 0, 15), ("droplets", 40, 53), ("reference", 3, 8), ("empty", 2, 2)],
)
def test_every_droplet_of_a_fleet_has_the_action_that_created_it(
    api: Api, fleet: str, droplets: int, count: int
) -> None:
    api.post("/_control/reset", {"fleet": fleet, "droplets": droplets}, status=200)
    listed = list_pages(api, "/v2/actions", "actions")
    ids = [action["id"] for action in listed]
    assert ids == sorted(set(ids), reverse=True)
    made = [
        *list_pages(api, "/v2/droplets", "droplets"),
        *list_pages(api, "/v2/droplets?type=gpus", "droplets"),
    ]
    by_droplet = {action["resource_id"]: action for action in listed}
    assert len(listed) == len(made) == len(by_droplet) == count
    for droplet in made:
        action = by_droplet[droplet["id"]]
        assert (action["type"], action["status"], action["resource_type"]) == (
            "create",
            "completed",
            "droplet",
        )
        assert (action["started_at"], action["region"]) == (droplet["created_at"], droplet["region"])
        assert action["region_slug"] == droplet["region"]["slug"]
        assert droplet["created_at"] < action["completed_at"] <= api.get("/_control/state")["now"]
        path = f"/v2/droplets/{droplet['id']}/actions"
        assert api.get(path)["actions"] == [action]
        assert (
            api.get(f"{path}/{action['id']}") == api.get(f"/v2/actions/{action['id']}") == {"action": action}
        )


def test_an_action_outlives_its_droplet_and_is_the_same_after_a_reset(api: Api) -> None:
    for fleet, droplet in (("default", SHOP_WEB), ("default", 480_100_001), ("empty", 510_000_007)):
        api.post("/_control/reset", {"fleet": fleet, "droplets": 3}, status=200)
        path = f"/v2/droplets/{droplet}"
        (action,) = api.get(f"{path}/actions")["actions"]
        before = api.get("/v2/actions?per_page=200")
        api.delete(path)
        assert api.refusal("GET", f"{path}/actions")[0] == 404
        assert api.get(f"/v2/actions/{action['id']}")["action"] == action
        assert api.get("/v2/actions?per_page=200") == before
        api.post("/_control/reset", {"seed": 1}, status=200)
        assert api.get(f"{path}/actions")["actions"] == [action]


def test_a_created_droplet_has_one_action_that_created_it(api: Api) -> None:
    made = api.create()
    (action,) = api.get(f"/v2/droplets/{made['id']}/actions")["actions"]
    assert (action["type"], action["resource_id"]) == ("create", made["id"])
    assert api.get("/v2/actions?per_page=1")["actions"] == [action]
