import time
from datetime import datetime, timedelta

import pytest
import requests

from simulator.server import serve
from simulator.simulation import DEFAULT_TOKEN, Simulation
from tests.simulator.api import Api

SHOP_WEB = 480_000_000
OTHER_TOKEN = "dop_v1_other"


def test_the_log_has_each_request(api: Api) -> None:
    api.get("/v2/droplets?page=1")
    with Api(api.url, "wrong") as stranger:
        stranger.refusal("GET", "/v2/account")
    logged = api.get("/_control/requests")
    assert logged["total"] == logged["count"] == 2
    assert logged["requests"][0] == {
        "number": 1,
        "method": "GET",
        "path": "/v2/droplets",
        "query": "page=1",
        "status": 200,
        "team": "arcadia",
        "token": DEFAULT_TOKEN[-4:],
        "made": [],
        "faults": [],
    }
    assert [entry["status"] for entry in logged["requests"]] == [200, 401]
    assert api.get("/_control/requests?since=1")["count"] == 1
    assert api.get("/_control/requests?path=/v2/acc&method=get")["count"] == 1
    assert api.get("/_control/requests?method=POST")["count"] == 0
    api.delete("/_control/requests")
    assert api.get("/_control/requests")["total"] == 0


def test_the_log_has_requests_that_got_no_response(api: Api) -> None:
    api.arm("drop_after", method="POST")
    with pytest.raises(requests.ConnectionError):
        api.ask("POST", "/v2/tags", {"name": "t"})
    (entry,) = api.get("/_control/requests")["requests"]
    assert (entry["status"], entry["faults"]) == (None, ["drop_after"])


def test_the_log_has_what_a_post_made_though_its_response_was_lost(api: Api) -> None:
    order = {"name": "web", "region": "fra1", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64"}
    made = api.ask("POST", "/v2/droplets", order).json()["droplet"]["id"]
    api.arm("drop_after", method="POST")
    with pytest.raises(requests.ConnectionError):
        api.ask("POST", "/v2/droplets", order)
    api.ask("POST", "/v2/projects/default/resources", {"resources": [f"do:droplet:{made}"]})
    entries = api.get("/_control/requests")["requests"]
    assert [entry["made"] for entry in entries] == [[str(made)], [str(made + 1)], [f"do:droplet:{made}"]]


def test_the_state_counts_what_there_is(api: Api) -> None:
    state = api.get("/_control/state")
    assert (state["fleet"], state["seed"], state["faults"], state["requests"]) == ("droplets", 1, 0, 0)
    (account,) = state["accounts"]
    assert (account["droplets"], account["projects"], account["team"]) == (13, 4, "arcadia")


def test_a_reset_brings_back_the_start_and_forgets_the_rest(api: Api) -> None:
    before = api.get("/v2/droplets?per_page=200")
    api.arm("forbidden", count=0)
    api.delete(f"/_control/droplets/{SHOP_WEB}")
    api.post("/_control/reset", status=200)
    assert api.get("/v2/droplets?per_page=200") == before
    state = api.post("/_control/reset", {"fleet": "reference", "seed": 9, "droplets": 3}, status=200)
    assert (state["fleet"], state["seed"]) == ("reference", 9)
    assert len(api.names()) == 8
    assert api.refusal("POST", "/_control/reset", {"fleet": "navy"})[0] == 400
    assert api.refusal("POST", "/_control/reset", {"colour": "red"})[0] == 400


def test_another_token_sees_another_account(api: Api) -> None:
    made = api.post("/_control/tokens", {"token": OTHER_TOKEN, "team": "rivals", "fleet": "reference"})
    with Api(api.url, OTHER_TOKEN) as other:
        account = other.get("/v2/account")["account"]
        assert account["team"] == {"uuid": made["uuid"], "name": "rivals"}
        assert account["team"] != api.get("/v2/account")["account"]["team"]
        assert len(other.names()) == 5
        other.delete(f"/v2/droplets/{SHOP_WEB}")
    assert api.get(f"/v2/droplets/{SHOP_WEB}")["droplet"]["name"] == "shop-web-01"


def test_the_same_token_may_turn_to_another_account_and_back(api: Api) -> None:
    api.post("/_control/tokens", {"token": DEFAULT_TOKEN, "team": "rivals"})
    assert api.names() == []
    api.post("/_control/tokens", {"token": DEFAULT_TOKEN, "team": "arcadia"})
    assert len(api.names()) == 12
    api.delete(f"/_control/tokens/{DEFAULT_TOKEN}")
    assert api.refusal("GET", "/v2/account")[0] == 401


def test_a_token_may_be_rotated(api: Api) -> None:
    api.post("/_control/tokens", {"token": OTHER_TOKEN, "team": "arcadia"})
    with Api(api.url, OTHER_TOKEN) as rotated:
        assert rotated.get("/v2/account") == api.get("/v2/account")


def test_droplets_are_made_changed_and_deleted_behind_the_clients_back(api: Api) -> None:
    actions = api.get("/v2/actions")
    payload = {"name": "quiet-01", "region": "ams3", "tags": ["tenant:acme"], "project": "acme"}
    (made,) = api.post("/_control/droplets", payload)["droplets"]
    assert (made["status"], made["region"]["slug"]) == ("active", "ams3")
    acme = next(p for p in api.get("/v2/projects")["projects"] if p["name"] == "acme")["id"]
    listed = api.get(f"/v2/projects/{acme}/resources?per_page=200")["resources"]
    assert f"do:droplet:{made['id']}" in [item["urn"] for item in listed]
    change = {"name": "quiet-02", "size": "s-2vcpu-4gb", "status": "off", "tags": ["tenant:globex"]}
    changed = api.patch(f"/_control/droplets/{made['id']}", change)["droplet"]
    assert api.get(f"/v2/droplets/{made['id']}")["droplet"] == changed
    assert (changed["name"], changed["size_slug"], changed["status"]) == ("quiet-02", "s-2vcpu-4gb", "off")
    assert changed["tags"] == ["tenant:globex"]
    api.delete(f"/_control/droplets/{made['id']}")
    assert api.refusal("GET", f"/v2/droplets/{made['id']}")[0] == 404
    assert api.get("/v2/actions") == actions
    assert len(api.post("/_control/droplets", {"name": "many", "count": 30})["droplets"]) == 30
    assert len(api.names()) == 42


def test_churn_changes_so_many_droplets_and_each_but_once(api: Api) -> None:
    api.post("/_control/reset", {"droplets": 1000}, status=200)

    def droplets() -> dict[int, tuple[str, str, int]]:
        pages = [api.get(f"/v2/droplets?per_page=200&page={page}")["droplets"] for page in range(1, 8)]
        return {d["id"]: (d["name"], d["size_slug"], len(d["tags"])) for page in pages for d in page}

    before = droplets()
    payload = {"rename": 10, "tag": 20, "resize": 30, "delete": 40, "create": 5}
    api.post("/_control/churn", payload, status=200)
    after = droplets()
    both = before.keys() & after.keys()
    assert (len(before), len(before.keys() - after.keys()), len(after.keys() - before.keys())) == (
        1012,
        40,
        5,
    )
    changed = [sum(before[i][field] != after[i][field] for i in both) for field in range(3)]
    assert changed == [10, 30, 20]
    assert sum(before[i] != after[i] for i in both) == 60
    assert api.refusal("POST", "/_control/churn", {"delete": 5000})[0] == 400


def test_virtual_time_follows_the_speed_and_the_calendar_does_not() -> None:
    with serve(Simulation(speed=300)) as url, Api(url) as api:
        calendar = datetime.fromisoformat(api.get("/_control/state")["now"])
        order = {"name": "n", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64"}
        action = api.post("/v2/droplets", order, status=202)["links"]["actions"][0]["id"]
        time.sleep(0.2)  # 60 virtual seconds
        assert api.get(f"/v2/actions/{action}")["action"]["status"] == "completed"
        passed = datetime.fromisoformat(api.get("/_control/state")["now"]) - calendar
        assert passed < timedelta(seconds=30)


def test_the_limits_hold_once_switched_on(api: Api) -> None:
    for _ in range(3):
        assert api.ask("GET", "/v2/account").headers["ratelimit-remaining"] == "999999"
    api.post("/_control/limits", {"enabled": True, "per_minute": 3, "per_hour": 5}, status=200)
    remaining = [api.ask("GET", "/v2/account").headers["ratelimit-remaining"] for _ in range(3)]
    assert remaining == ["4", "3", "0"]  # the third used up the minute
    refused = api.ask("GET", "/v2/account")
    assert refused.status_code == 429
    assert 58 <= int(refused.headers["retry-after"]) <= 61
    api.advance(61)
    for _ in range(2):
        api.get("/v2/account")
    refused = api.ask("GET", "/v2/account")
    assert (refused.status_code, refused.headers["ratelimit-remaining"]) == (429, "0")
    assert int(refused.headers["ratelimit-limit"]) == 5
    api.advance(3600)
    api.get("/v2/account")
