from tests.simulator.api import Api, Json

PROJECT = {
    "name": "skyai-internal",
    "description": "Ours",
    "purpose": "Operational / Developer tooling",
    "environment": "Production",
}
SHOP_WEB = "do:droplet:480000000"


def project(api: Api, name: str) -> Json:
    found: Json = next(each for each in api.get("/v2/projects")["projects"] if each["name"] == name)
    return found


def urns(api: Api, project_id: str) -> list[str]:
    listed = api.get(f"/v2/projects/{project_id}/resources?per_page=200")["resources"]
    return [item["urn"] for item in listed]


def test_each_tenant_has_a_project_and_the_operators_is_absent(api: Api) -> None:
    listed = api.get("/v2/projects")["projects"]
    assert [each["name"] for each in listed] == ["arcadia", "acme", "globex", "initech"]
    assert [each["is_default"] for each in listed] == [True, False, False, False]
    assert api.get("/v2/projects/default")["project"] == listed[0]


def test_every_droplet_is_in_exactly_one_project(api: Api) -> None:
    found = [urn for each in api.get("/v2/projects")["projects"] for urn in urns(api, each["id"])]
    assert len(found) == len(set(found)) == 13


def test_a_project_is_made_found_changed_and_deleted(api: Api) -> None:
    made = api.post("/v2/projects", PROJECT)["project"]
    assert {name: made[name] for name in PROJECT} == PROJECT
    assert made["is_default"] is False
    path = f"/v2/projects/{made['id']}"
    assert api.get(path)["project"] == made
    changed = api.patch(path, {"description": "Ours alone"})["project"]
    assert (changed["description"], changed["name"]) == ("Ours alone", "skyai-internal")
    whole = {**PROJECT, "name": "ours", "is_default": False}
    assert api.put(path, whole)["project"]["name"] == "ours"
    api.delete(path)
    assert api.refusal("GET", path)[:2] == (404, "not_found")


def test_a_name_is_taken_once(api: Api) -> None:
    api.post("/v2/projects", PROJECT)
    assert api.refusal("POST", "/v2/projects", PROJECT) == (409, "conflict", "name is already in use")
    assert len(api.get("/v2/projects")["projects"]) == 5


def test_a_purpose_of_ones_own_is_stored_as_another(api: Api) -> None:
    made = api.post("/v2/projects", {**PROJECT, "purpose": "Selling apps"})["project"]
    assert made["purpose"] == "Other: Selling apps"
    again = api.patch(f"/v2/projects/{made['id']}", {"purpose": made["purpose"]})["project"]
    assert again["purpose"] == "Other: Selling apps"


def test_a_project_may_have_no_environment(api: Api) -> None:
    """As `doctl projects create` without `--environment`, and Terraform, send it."""
    made = api.post("/v2/projects", {**PROJECT, "description": "", "environment": ""})["project"]
    assert made["environment"] == ""
    path = f"/v2/projects/{made['id']}"
    assert api.get(path)["project"] == made
    assert api.patch(path, {"environment": "staging"})["project"]["environment"] == "Staging"
    assert api.patch(path, {"environment": ""})["project"]["environment"] == ""
    assert api.put(path, {**PROJECT, "is_default": False})["project"]["environment"] == "Production"
    assert api.put(path, {**PROJECT, "environment": "", "is_default": False})["project"]["environment"] == ""
    for environment in (" ", "Lab", 1):
        refused = {**PROJECT, "name": "other", "environment": environment}
        assert api.refusal("POST", "/v2/projects", refused)[0] == 422


def test_a_field_that_is_null_in_a_partial_update_stays_as_it_is(api: Api) -> None:
    """As `doctl projects update --description …` sends those that it wasn't given."""
    made = api.post("/v2/projects", PROJECT)["project"]
    nulls = dict.fromkeys(("name", "purpose", "environment", "is_default"))
    changed = api.patch(f"/v2/projects/{made['id']}", {**nulls, "description": "Theirs"})["project"]
    assert changed["updated_at"] >= made["updated_at"]
    assert {**changed, "updated_at": ""} == {**made, "description": "Theirs", "updated_at": ""}
    assert api.refusal("PUT", f"/v2/projects/{made['id']}", {**PROJECT, **nulls})[0] == 422


def test_what_a_project_must_have_is_asked_for(api: Api) -> None:
    path = f"/v2/projects/{project(api, 'acme')['id']}"
    assert api.refusal("POST", "/v2/projects", {**PROJECT, "name": "x" * 176})[0] == 422
    assert api.refusal("POST", "/v2/projects", {**PROJECT, "purpose": ""})[0] == 422
    assert api.refusal("POST", "/v2/projects", {**PROJECT, "environment": "Lab"})[0] == 422
    assert api.refusal("PUT", path, {"name": "acme"})[0] == 422
    assert api.refusal("PATCH", path, {"name": "globex"})[0] == 409
    assert project(api, "acme")["name"] == "acme"


def test_assigning_moves_and_answers_for_each_resource(api: Api) -> None:
    globex, acme = project(api, "globex")["id"], project(api, "acme")["id"]
    payload = {"resources": [SHOP_WEB, "do:droplet:1", "do:domain:nowhere.example"]}
    answer = api.post(f"/v2/projects/{globex}/resources", payload, status=200)["resources"]
    assert [item["status"] for item in answer] == ["assigned", "not_found", "not_found"]
    assert answer[0]["links"]["self"] == "https://api.digitalocean.com/v2/droplets/480000000"
    assert SHOP_WEB in urns(api, globex)
    assert SHOP_WEB not in urns(api, acme)
    again = api.post(f"/v2/projects/{globex}/resources", {"resources": [SHOP_WEB]}, status=200)
    assert again["resources"][0]["status"] == "already_assigned"
    refusal = api.refusal("POST", f"/v2/projects/{globex}/resources", {"resources": ["droplet-1"]})
    assert refusal[:2] == (400, "bad_request")


def test_a_new_droplet_is_in_the_default_project_whichever_that_is(api: Api) -> None:
    first = f"do:droplet:{api.create()['id']}"
    assert first in urns(api, "default")
    acme = project(api, "acme")
    assert api.patch(f"/v2/projects/{acme['id']}", {"is_default": True})["project"]["is_default"]
    assert not project(api, "arcadia")["is_default"]
    second = f"do:droplet:{api.create()['id']}"
    assert second in urns(api, acme["id"])
    assert first in urns(api, project(api, "arcadia")["id"])


def test_neither_a_full_project_nor_the_default_one_can_be_deleted(api: Api) -> None:
    acme = project(api, "acme")["id"]
    assert api.refusal("DELETE", f"/v2/projects/{acme}") == (
        412,
        "precondition_failed",
        "cannot delete a project with resources. move or remove the resources first",
    )
    assert api.refusal("DELETE", "/v2/projects/default")[0] == 412
    moved = {"resources": urns(api, acme)}
    api.post("/v2/projects/default/resources", moved, status=200)
    api.delete(f"/v2/projects/{acme}")


def test_a_synthetic_droplet_moves_out_of_the_default_project_and_back(api: Api) -> None:
    api.post("/_control/reset", {"droplets": 500}, status=200)
    acme, synthetic = project(api, "acme")["id"], "do:droplet:510000070"
    total = api.get("/v2/projects/default/resources")["meta"]["total"]
    assert total == 502
    for target, elsewhere, left in ((acme, "default", 501), ("default", acme, 502)):
        path = f"/v2/projects/{target}/resources"
        answer = api.post(path, {"resources": [synthetic]}, status=200)["resources"]
        assert answer[0]["status"] == "assigned"
        assert (
            api.post(path, {"resources": [synthetic]}, status=200)["resources"][0]["status"]
            == "already_assigned"
        )
        assert synthetic not in urns(api, elsewhere)
        assert api.get("/v2/projects/default/resources")["meta"]["total"] == left
