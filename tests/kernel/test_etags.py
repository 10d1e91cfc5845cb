"""Conditional requests on one object."""

import json

import pytest
from django.test import Client

from tests.access import bearer, token_of
from tests.kernel.probes import Thing

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.kernel.probes")]
THING = "/api/v1/probe/thing"


@pytest.fixture
def api() -> Client:
    return Client(headers=bearer(token_of("platform_admin")))


def test_a_client_that_has_the_object_gets_304_and_no_body(api: Client) -> None:
    first = api.get(THING)
    again = api.get(THING, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == "private, no-cache"


def test_weak_listed_and_starred_tags_match_too(api: Client) -> None:
    etag = api.get(THING).headers["ETag"]
    for header in (f"W/{etag}", f'"other", {etag}', "*"):
        assert api.get(THING, headers={"If-None-Match": header}).status_code == 304


@pytest.mark.parametrize("header", ['"other"', "garbage", "", '"'])
def test_a_client_with_another_object_gets_the_whole(api: Client, header: str) -> None:
    assert api.get(THING, headers={"If-None-Match": header}).json() == {"name": "first"}


def test_a_changed_object_has_another_tag(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    etag = api.get(THING).headers["ETag"]
    monkeypatch.setattr(Thing, "data", {"name": "second"})
    assert api.get(THING, headers={"If-None-Match": etag}).status_code == 200


def test_a_change_needs_the_tag_of_the_object_as_it_is(api: Client) -> None:
    etag = api.get(THING).headers["ETag"]
    assert changed(api, {}) == 428
    assert changed(api, {"If-Match": '"other"'}) == 412
    assert changed(api, {"If-Match": "garbage"}) == 412
    assert changed(api, {"If-Match": f"W/{etag}"}) == 200, "a compressed answer's tag is made weak"
    assert changed(api, {"If-Match": etag}) == 200
    assert changed(api, {"If-Match": "*"}) == 200


def changed(api: Client, headers: dict[str, str]) -> int:
    body = json.dumps({})
    return api.patch(THING, body, content_type="application/json", headers=headers).status_code
