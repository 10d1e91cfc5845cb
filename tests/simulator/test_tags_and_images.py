from tests.simulator.api import Api

SHOP_WEB = "480000000"


def test_a_tag_counts_its_resources(api: Api) -> None:
    resources = api.get("/v2/tags/tenant:acme")["tag"]["resources"]
    assert resources["count"] == resources["droplets"]["count"] == 5  # with the GPU droplet
    assert resources["last_tagged_uri"] == "https://api.digitalocean.com/v2/droplets/480012156"
    assert api.get("/v2/tags?per_page=200")["meta"]["total"] == 14


def test_tags_are_unique_whatever_their_case_and_keep_their_first_spelling(api: Api) -> None:
    assert api.post("/v2/tags", {"name": "Env:Prod"})["tag"]["name"] == "Env:Prod"
    assert api.post("/v2/tags", {"name": "env:PROD"})["tag"]["name"] == "Env:Prod"
    assert api.create(tags=["ENV:PROD"])["tags"] == ["Env:Prod"]
    assert api.names("/v2/droplets?tag_name=env:prod") == ["made-01"]
    assert api.refusal("POST", "/v2/tags", {"name": "no spaces"})[0] == 422


def test_droplets_are_tagged_and_untagged(api: Api) -> None:
    droplet = {"resources": [{"resource_id": SHOP_WEB, "resource_type": "droplet"}]}
    assert api.refusal("POST", "/v2/tags/fresh/resources", droplet)[0] == 404
    api.post("/v2/tags", {"name": "fresh"})
    api.post("/v2/tags/fresh/resources", droplet, status=204)
    assert "fresh" in api.get(f"/v2/droplets/{SHOP_WEB}")["droplet"]["tags"]
    api.delete("/v2/tags/fresh/resources", droplet)
    assert "fresh" not in api.get(f"/v2/droplets/{SHOP_WEB}")["droplet"]["tags"]
    stranger = {"resources": [*droplet["resources"], {"resource_id": "1", "resource_type": "droplet"}]}
    assert api.refusal("POST", "/v2/tags/fresh/resources", stranger)[0] == 404
    assert "fresh" not in api.get(f"/v2/droplets/{SHOP_WEB}")["droplet"]["tags"]


def test_a_deleted_tag_leaves_every_droplet_also_the_computed_ones(api: Api) -> None:
    api.post("/_control/reset", {"droplets": 100}, status=200)
    assert api.get("/v2/droplets?tag_name=role:web")["meta"]["total"] == 22
    api.delete("/v2/tags/role:web")
    assert api.get("/v2/droplets?tag_name=role:web")["meta"]["total"] == 0
    assert all("role:web" not in d["tags"] for d in api.get("/v2/droplets?per_page=200")["droplets"])
    assert api.refusal("GET", "/v2/tags/role:web")[0] == 404


def test_images_are_filtered_by_type(api: Api) -> None:
    every = api.get("/v2/images")["meta"]["total"]
    parts = [api.get(f"/v2/images?type={kind}")["meta"]["total"] for kind in ("distribution", "application")]
    assert (every, parts) == (10, [7, 3])
    assert api.get("/v2/images?private=true")["images"] == []
    by_slug = api.get("/v2/images/debian-12-x64")["image"]
    assert api.get(f"/v2/images/{by_slug['id']}")["image"] == by_slug
    assert api.refusal("GET", "/v2/images/windows-95")[0] == 404


def test_a_private_image_is_renamed_tagged_and_deleted_and_a_public_one_is_not(api: Api) -> None:
    api.post(f"/v2/droplets/{SHOP_WEB}/actions", {"type": "snapshot", "name": "one"})
    api.advance(61)
    image = api.get("/v2/images?private=true")["images"][0]["id"]
    assert api.put(f"/v2/images/{image}", {"name": "two"})["image"]["name"] == "two"
    tagged = {"resources": [{"resource_id": str(image), "resource_type": "image"}]}
    api.post("/v2/tags/internal/resources", tagged, status=204)
    assert [each["id"] for each in api.get("/v2/images?tag_name=internal")["images"]] == [image]
    assert api.get("/v2/tags/internal")["tag"]["resources"]["images"]["count"] == 1
    api.delete(f"/v2/images/{image}")
    assert api.refusal("GET", f"/v2/images/{image}")[0] == 404
    assert api.get(f"/v2/droplets/{SHOP_WEB}")["droplet"]["snapshot_ids"] == []
    public = api.get("/v2/images/debian-12-x64")["image"]["id"]
    assert api.refusal("DELETE", f"/v2/images/{public}")[:2] == (403, "forbidden")


def test_sizes_and_regions_agree_on_what_is_where(api: Api) -> None:
    sizes = api.get("/v2/sizes?per_page=200")["sizes"]
    regions = api.get("/v2/regions?per_page=200")["regions"]
    assert (len(sizes), len(regions)) == (32, 14)
    for region in regions:
        assert region["sizes"] == [size["slug"] for size in sizes if region["slug"] in size["regions"]]
        assert bool(region["sizes"]) == region["available"]
