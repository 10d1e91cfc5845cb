"""Each fault, as a client sees it."""

import json
import socket
import time
from urllib.parse import urlsplit

import pytest
import requests

from simulator.simulation import DEFAULT_TOKEN
from tests.simulator.api import Api

SHOP_WEB = 480_000_000
ORDER = {"name": "new-01", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64", "region": "fra1"}


def raw(api: Api, method: str, path: str, body: str = "") -> bytes:
    """Return all bytes that the simulator sends over a new connection until it closes it."""
    address = urlsplit(api.url)
    assert address.hostname is not None
    with socket.create_connection((address.hostname, address.port or 80), timeout=10) as connection:
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {DEFAULT_TOKEN}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        connection.sendall((head + body).encode())
        received = b""
        while True:
            part = connection.recv(65536)
            if not part:
                return received
            received += part


def test_a_storm_of_429_ends_and_its_headers_say_when(api: Api) -> None:
    api.arm("rate_limited", count=2, retry_after=7, reset_in=90)
    for _ in range(2):
        answer = api.ask("GET", "/v2/account")
        assert answer.status_code == 429
        assert answer.json()["id"] == "too_many_requests"
        assert answer.headers["retry-after"] == "7"
        assert answer.headers["ratelimit-remaining"] == "0"
        assert 88 <= int(answer.headers["ratelimit-reset"]) - time.time() <= 91
    after = api.ask("GET", "/v2/account")
    assert after.status_code == 200
    assert "retry-after" not in after.headers


def test_a_429_may_come_without_retry_after(api: Api) -> None:
    api.arm("rate_limited", retry_after=None)
    assert "retry-after" not in api.ask("GET", "/v2/account").headers


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_has_changed_nothing(api: Api, status: int) -> None:
    api.arm("server_error", status=status)
    assert api.refusal("POST", "/v2/droplets", ORDER)[:2] == (status, "server_error")
    assert len(api.names()) == 12


def test_a_server_error_may_be_html_from_the_edge(api: Api) -> None:
    api.arm("server_error", status=502, html=True)
    answer = api.ask("GET", "/v2/account")
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert "502 Error" in answer.text


def test_a_server_error_may_hide_a_change_that_was_made(api: Api) -> None:
    api.arm("server_error", status=504, after_change=True, method="POST")
    assert api.refusal("POST", "/v2/droplets", ORDER)[0] == 504
    assert api.names("/v2/droplets?name=new-01") == ["new-01"]


def test_latency_holds_up_one_answer_and_no_other(api: Api) -> None:
    api.arm("latency", seconds=0.4, path="^/v2/account$")
    before = time.monotonic()
    api.get("/v2/account")
    assert time.monotonic() - before >= 0.4
    before = time.monotonic()
    api.get("/v2/account")
    assert time.monotonic() - before < 0.4


def test_a_connection_dropped_before_has_changed_nothing(api: Api) -> None:
    api.arm("drop_before", method="POST", path="^/v2/droplets$")
    assert raw(api, "POST", "/v2/droplets", json.dumps(ORDER)) == b""
    assert len(api.names()) == 12


def test_a_connection_dropped_after_has_changed_all(api: Api) -> None:
    api.arm("drop_after", method="POST", path="^/v2/droplets$")
    assert raw(api, "POST", "/v2/droplets", json.dumps(ORDER)) == b""
    assert api.names("/v2/droplets?name=new-01") == ["new-01"]
    api.arm("drop_after", method="DELETE")
    with pytest.raises(requests.ConnectionError):
        api.ask("DELETE", f"/v2/droplets/{SHOP_WEB}")
    assert api.refusal("GET", f"/v2/droplets/{SHOP_WEB}")[0] == 404


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_a_connection_may_be_reset_instead_of_closed(api: Api, kind: str) -> None:
    api.arm(kind, reset=True)
    with pytest.raises(ConnectionResetError):
        raw(api, "GET", "/v2/account")
    assert raw(api, "GET", "/v2/account").startswith(b"HTTP/1.1 200")


def test_a_truncated_answer_is_broken_json(api: Api) -> None:
    api.arm("truncated")
    answer = api.ask("GET", "/v2/droplets")
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(answer.content)
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert api.get("/v2/droplets")["meta"]["total"] == 12


def test_a_truncated_connection_ends_before_the_announced_length(api: Api) -> None:
    api.arm("truncated", cut="connection")
    head, _, body = raw(api, "GET", "/v2/droplets").partition(b"\r\n\r\n")
    announced = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    assert 0 < len(body) < int(announced.split(b":")[1])


def test_a_path_may_be_forbidden_while_others_are_not(api: Api) -> None:
    api.arm("forbidden", path="/resources$", count=0)
    assert api.refusal("GET", "/v2/projects/default/resources") == (
        403,
        "forbidden",
        "You do not have permission to perform this action.",
    )
    api.get("/v2/projects")


def test_a_droplet_may_claim_a_pending_event(api: Api) -> None:
    api.arm("pending_event", method="POST", path="/actions$")
    refusal = api.refusal("POST", f"/v2/droplets/{SHOP_WEB}/actions", {"type": "reboot"})
    assert refusal == (422, "unprocessable_entity", "Droplet already has a pending event.")
    api.post(f"/v2/droplets/{SHOP_WEB}/actions", {"type": "reboot"})


def test_a_list_may_lag_behind_a_creation_by_tag_too(api: Api) -> None:
    api.arm("list_lag", count=0, seconds=60)
    droplet = api.post("/v2/droplets", {**ORDER, "tags": ["saga:1"]}, status=202)["droplet"]
    paths = ("/v2/droplets", "/v2/droplets?tag_name=saga:1", "/v2/droplets?name=new-01")
    for path in paths:
        assert "new-01" not in api.names(path)
    assert api.get(f"/v2/droplets/{droplet['id']}")["droplet"]["name"] == "new-01"
    api.advance(61)
    for path in paths:
        assert "new-01" in api.names(path)


def test_a_detail_may_lag_behind_a_creation(api: Api) -> None:
    api.arm("list_lag", count=0, seconds=60, detail=True)
    droplet = api.post("/v2/droplets", ORDER, status=202)["droplet"]
    assert api.refusal("GET", f"/v2/droplets/{droplet['id']}")[0] == 404
    assert api.get(f"/v2/droplets/{SHOP_WEB}")["droplet"]["name"] == "shop-web-01"
    api.advance(61)
    api.get(f"/v2/droplets/{droplet['id']}")


@pytest.mark.parametrize("detail", [False, True])
def test_a_deleted_droplet_may_linger(api: Api, *, detail: bool) -> None:
    api.arm("deleted_linger", count=0, seconds=60, detail=detail)
    api.delete(f"/v2/droplets/{SHOP_WEB}")
    assert "shop-web-01" in api.names()
    assert "shop-web-01" in api.names("/v2/droplets?tag_name=tenant:acme")
    assert "shop-web-01" not in api.names("/v2/droplets?tag_name=tenant:globex")
    assert api.ask("GET", f"/v2/droplets/{SHOP_WEB}").status_code == (200 if detail else 404)
    api.advance(61)
    assert "shop-web-01" not in api.names()
    assert api.ask("GET", f"/v2/droplets/{SHOP_WEB}").status_code == 404


def test_a_page_may_repeat_an_item(api: Api) -> None:
    api.arm("repeat_item", path="^/v2/droplets$")
    listed = api.get("/v2/droplets")
    assert len(listed["droplets"]) == 13
    assert listed["droplets"][0] == listed["droplets"][-1]
    assert listed["meta"]["total"] == 12


@pytest.mark.parametrize(("by", "seen"), [(1, "abcdefghhijkl"), (-2, "abcdefghkl")])
def test_items_may_move_between_pages(api: Api, by: int, seen: str) -> None:
    names = api.names()
    api.arm("shifted_pages", count=0, by=by)
    found = [
        d["name"] for page in (1, 2) for d in api.get(f"/v2/droplets?per_page=8&page={page}")["droplets"]
    ]
    assert found == [names["abcdefghijkl".index(letter)] for letter in seen]


def test_a_total_may_be_wrong(api: Api) -> None:
    api.arm("wrong_total", by=-3)
    assert [api.get("/v2/droplets")["meta"]["total"] for _ in range(2)] == [9, 12]


def test_a_list_may_be_empty_as_for_a_token_without_the_scope(api: Api) -> None:
    api.arm("empty_list", path="^/v2/droplets$")
    assert api.get("/v2/droplets") == {"droplets": [], "links": {}, "meta": {"total": 0}}
    assert api.get("/v2/droplets")["meta"]["total"] == 12


def test_an_action_may_end_badly_and_change_nothing(api: Api) -> None:
    api.arm("errored_action", type="power_off")
    action = api.post(f"/v2/droplets/{SHOP_WEB}/actions", {"type": "power_off"})["action"]
    api.advance(6)
    assert api.get(f"/v2/actions/{action['id']}")["action"]["status"] == "errored"
    droplet = api.get(f"/v2/droplets/{SHOP_WEB}")["droplet"]
    assert (droplet["status"], droplet["locked"]) == ("active", False)


@pytest.mark.parametrize(("kind", "meanwhile"), [("errored_action", 200), ("vanishing", 404)])
def test_a_creation_that_ends_badly_leaves_no_droplet(api: Api, kind: str, meanwhile: int) -> None:
    api.arm(kind)
    made = api.post("/v2/droplets", ORDER, status=202)
    path, action = f"/v2/droplets/{made['droplet']['id']}", made["links"]["actions"][0]["id"]
    assert api.ask("GET", path).status_code == meanwhile
    assert api.get(f"/v2/actions/{action}")["action"]["status"] == "in-progress"
    api.advance(31)
    assert api.get(f"/v2/actions/{action}")["action"]["status"] == "errored"
    assert api.refusal("GET", path)[0] == 404
    assert len(api.names()) == 12


def test_actions_may_be_slow(api: Api) -> None:
    api.arm("slow_actions", factor=10)
    action = api.post(f"/v2/droplets/{SHOP_WEB}/actions", {"type": "power_off"})["action"]
    for seconds, status in ((40, "in-progress"), (15, "completed")):
        api.advance(seconds)
        assert api.get(f"/v2/actions/{action['id']}")["action"]["status"] == status


def test_an_assignment_may_fail_inside_a_200(api: Api) -> None:
    api.arm("service_down")
    payload = {"resources": [f"do:droplet:{SHOP_WEB}", f"do:droplet:{SHOP_WEB + 1013}"]}
    answer = api.post("/v2/projects/default/resources", payload, status=200)
    assert [item["status"] for item in answer["resources"]] == ["service_down", "assigned"]
    urns = [item["urn"] for item in api.get("/v2/projects/default/resources")["resources"]]
    assert f"do:droplet:{SHOP_WEB}" not in urns


def test_a_fault_lets_the_first_ones_through_and_minds_its_method_path_and_token(api: Api) -> None:
    api.arm("forbidden", after=1, method="get", path="^/v2/tags")
    api.post("/v2/tags", {"name": "t"})
    api.get("/v2/account")
    api.get("/v2/tags")
    assert api.refusal("GET", "/v2/tags")[0] == 403
    api.get("/v2/tags")
    api.arm("forbidden", token="dop_v1_another")
    api.get("/v2/tags")


def test_a_fault_may_strike_by_chance(api: Api) -> None:
    api.arm("forbidden", count=0, probability=0.5)
    statuses = [api.ask("GET", "/v2/account").status_code for _ in range(60)]
    assert 15 <= statuses.count(403) <= 45


def test_faults_are_listed_and_disarmed(api: Api) -> None:
    api.arm("forbidden", count=0)
    api.arm("latency", count=3, seconds=2)
    first, second = api.get("/_control/faults")["faults"]
    assert (first["kind"], first["count"]) == ("forbidden", None)
    assert (second["kind"], second["count"], second["seconds"]) == ("latency", 3, 2)
    api.delete(f"/_control/faults/{second['id']}")
    assert api.refusal("GET", "/v2/account")[0] == 403
    assert api.get("/_control/faults")["faults"] == [{**first, "applied": 1}]
    api.delete("/_control/faults")
    api.get("/v2/account")


@pytest.mark.parametrize(
    "payload",
    [{}, {"kind": "gremlins"}, {"kind": "latency", "status": 500}, {"kind": "forbidden", "path": "("}],
)
def test_a_fault_that_makes_no_sense_is_refused(api: Api, payload: dict[str, str]) -> None:
    assert api.refusal("POST", "/_control/faults", payload)[0] == 400
    assert api.get("/_control/faults")["faults"] == []
