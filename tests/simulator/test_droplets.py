import re

import pytest

from simulator.catalog import float32
from simulator.server import serve
from simulator.simulation import Simulation
from tests.simulator.api import Api

SHOP_WEB = 480_000_000
ORDER = {"name": "new-01", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64", "region": "fra1"}


def test_the_default_fleet_has_twelve_droplets_and_a_gpu_droplet_apart(api: Api) -> None:
    listed = api.get("/v2/droplets?per_page=200")
    assert listed["meta"]["total"] == len(listed["droplets"]) == 12
    assert listed["links"] == {}
    assert "assist-gpu-01" not in api.names()
    assert api.names("/v2/droplets?type=gpus") == ["assist-gpu-01"]
    assert api.get("/v2/droplets?type=gpus")["droplets"][0]["gpu_info"]["model"] == "nvidia_h100"


def test_the_reference_fleet_has_five_droplets() -> None:
    with serve(Simulation(fleet="reference")) as url, Api(url) as api:
        assert api.names() == ["acme-web-01", "acme-web-02", "acme-db-01", "globex-app-01", "bastion-01"]
        assert api.names("/v2/droplets?type=gpus") == []


def test_pages_cut_the_list_and_link_to_digitaloceans_own_host(api: Api) -> None:
    first = api.get("/v2/droplets?per_page=5")
    last = api.get("/v2/droplets?per_page=5&page=3")
    assert len(first["droplets"]) == 5
    assert len(last["droplets"]) == 2
    assert first["meta"] == last["meta"] == {"total": 12}
    assert first["links"]["pages"] == {
        "next": "https://api.digitalocean.com/v2/droplets?page=2&per_page=5",
        "last": "https://api.digitalocean.com/v2/droplets?page=3&per_page=5",
    }
    assert last["links"]["pages"] == {
        "first": "https://api.digitalocean.com/v2/droplets?page=1&per_page=5",
        "prev": "https://api.digitalocean.com/v2/droplets?page=2&per_page=5",
    }
    assert api.get("/v2/droplets?per_page=5&page=9")["droplets"] == []


@pytest.mark.parametrize("query", ["per_page=0", "per_page=201", "per_page=x", "page=0", "page=-1"])
def test_pages_that_there_cannot_be_are_refused(api: Api, query: str) -> None:
    assert api.refusal("GET", f"/v2/droplets?{query}")[:2] == (422, "unprocessable_entity")


def test_lists_are_filtered_by_tag_and_by_name_whatever_the_case(api: Api) -> None:
    assert api.names("/v2/droplets?tag_name=TENANT:acme") == [
        "shop-web-01",
        "shop-web-02",
        "shop-db-01",
        "wiki-01",
    ]
    assert api.names("/v2/droplets?name=Shop-Web-01") == ["shop-web-01"]
    assert api.names("/v2/droplets?tag_name=none") == []
    assert api.refusal("GET", "/v2/droplets?tag_name=a&name=b")[0] == 400


def test_a_path_may_end_with_a_slash(api: Api) -> None:
    assert api.get("/v2/droplets/")["meta"]["total"] == 12
    assert api.get(f"/v2/droplets/{SHOP_WEB}/")["droplet"]["name"] == "shop-web-01"


def test_a_new_droplet_is_new_and_locked_until_its_action_is_done(api: Api) -> None:
    made = api.post("/v2/droplets", {**ORDER, "tags": ["saga:1"], "ipv6": True}, status=202)
    droplet, action = made["droplet"], made["links"]["actions"][0]
    assert droplet["status"] == "new"
    assert droplet["networks"] == {"v4": [], "v6": []}
    assert action["rel"] == "create"
    assert action["href"] == f"https://api.digitalocean.com/v2/actions/{action['id']}"
    assert api.get(f"/v2/actions/{action['id']}")["action"]["status"] == "in-progress"
    assert api.refusal("DELETE", f"/v2/droplets/{droplet['id']}") == (
        422,
        "unprocessable_entity",
        "Droplet already has a pending event.",
    )

    api.advance(31)

    ended = api.get(f"/v2/actions/{action['id']}")["action"]
    assert (ended["status"], ended["type"], ended["resource_id"]) == ("completed", "create", droplet["id"])
    assert ended["completed_at"] >= ended["started_at"]
    droplet = api.get(f"/v2/droplets/{droplet['id']}")["droplet"]
    assert (droplet["status"], droplet["locked"], droplet["tags"]) == ("active", False, ["saga:1"])
    assert len(droplet["networks"]["v4"]) == 2
    assert len(droplet["networks"]["v6"]) == 1


def test_names_make_several_droplets_and_even_one_name_gives_the_plural_shape(api: Api) -> None:
    order = {name: value for name, value in ORDER.items() if name != "name"}
    two = api.post("/v2/droplets", {**order, "names": ["a-1", "a-2"]}, status=202)
    assert [droplet["name"] for droplet in two["droplets"]] == ["a-1", "a-2"]
    assert len(two["links"]["actions"]) == 2
    one = api.post("/v2/droplets", {**order, "names": ["a-1"]}, status=202)
    assert len(one["droplets"]) == 1
    assert api.names("/v2/droplets?name=a-1") == ["a-1", "a-1"]  # names are not unique


def test_a_region_may_be_left_out_or_be_the_beginning_of_one(api: Api) -> None:
    assert api.create(region="ams")["region"]["slug"] == "ams3"
    assert api.create(region=None)["region"]["slug"] == "nyc1"


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"name": "under_score"}, "hostname characters"),
        ({"name": None}, "hostname characters"),
        ({"names": []}, "1 to 10"),
        ({"names": ["n"] * 11}, "1 to 10"),
        ({"size": "s-64vcpu"}, "invalid size"),
        ({"region": "mars1"}, "invalid region"),
        ({"region": "sfo1"}, "invalid region"),
        ({"size": "gpu-h100x1-80gb"}, "Size is not available in this region."),
        ({"image": "windows-95"}, "invalid image"),
        ({"tags": ["no spaces"]}, "Tags may contain"),
        ({"user_data": "x" * 65_537}, "64 KiB"),
    ],
)
def test_what_cannot_be_ordered_is_refused_and_nothing_is_made(
    api: Api, payload: dict[str, object], message: str
) -> None:
    status, error_id, words = api.refusal("POST", "/v2/droplets", {**ORDER, **payload})
    assert (status, error_id) == (422, "unprocessable_entity")
    assert message in words
    assert api.get("/v2/droplets")["meta"]["total"] == 12


def test_the_droplet_limit_holds(api: Api) -> None:
    api.patch("/_control/account", {"droplet_limit": 14})
    assert api.get("/v2/account")["account"]["droplet_limit"] == 14
    api.create()
    refusal = api.refusal("POST", "/v2/droplets", ORDER)
    assert refusal[2] == "creating this/these droplet(s) will exceed your droplet limit"


def test_a_deleted_droplet_is_gone_at_once_and_so_is_its_place_in_the_project(api: Api) -> None:
    api.delete(f"/v2/droplets/{SHOP_WEB}")
    assert api.refusal("GET", f"/v2/droplets/{SHOP_WEB}") == (
        404,
        "not_found",
        "The resource you were accessing could not be found.",
    )
    assert api.refusal("DELETE", f"/v2/droplets/{SHOP_WEB}")[0] == 404
    assert "shop-web-01" not in api.names()
    acme = next(p for p in api.get("/v2/projects")["projects"] if p["name"] == "acme")
    urns = [item["urn"] for item in api.get(f"/v2/projects/{acme['id']}/resources")["resources"]]
    assert len(urns) == 4
    assert f"do:droplet:{SHOP_WEB}" not in urns


def test_all_droplets_of_a_tag_are_deleted_together(api: Api) -> None:
    api.delete("/v2/droplets?tag_name=deployment:crm")
    assert not any(name.startswith("crm-") for name in api.names())
    assert len(api.names()) == 9
    assert api.refusal("DELETE", "/v2/droplets?tag_name=unheard-of")[0] == 404


def test_prices_come_through_32_bit_floats(api: Api) -> None:
    size = api.get("/v2/droplets?name=wiki-01")["droplets"][0]["size"]
    assert (size["slug"], size["price_monthly"]) == ("s-1vcpu-2gb", 12.0)
    assert size["price_hourly"] == float32("0.01786") != 0.01786
    assert float32("0.00744") == 0.00743999984115362  # as the API's document shows it


def test_errors_carry_an_id_that_can_be_reported(api: Api) -> None:
    answer = api.ask("GET", "/v2/droplets/1")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.json()["request_id"])
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


def test_a_request_without_the_token_is_refused(api: Api) -> None:
    for token in ("", "dop_v1_wrong"):
        with Api(api.url, token) as stranger:
            assert stranger.refusal("GET", "/v2/account") == (
                401,
                "unauthorized",
                "Unable to authenticate you.",
            )


def test_a_body_that_is_no_json_object_is_refused(api: Api) -> None:
    assert api.refusal("POST", "/v2/droplets")[:2] == (400, "bad_request")


def test_unknown_paths_and_methods_are_refused_in_json(api: Api) -> None:
    assert api.refusal("GET", "/v2/nothing")[:2] == (404, "not_found")
    assert api.refusal("PUT", "/v2/droplets")[:2] == (405, "method_not_allowed")
