"""Faults: which calls are retried, and the errors that failures become."""

import gzip
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import structlog

from arcadia_cloud.digitalocean import responses, transport
from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.errors import (
    ProviderError,
    ProviderForbidden,
    ProviderMalformed,
    ProviderNotFound,
    ProviderRejected,
    ProviderUnavailable,
)
from arcadia_cloud.digitalocean.rate_limit.budget import UnlimitedBudget
from arcadia_cloud.digitalocean.records import ProjectRecord
from tests.digitalocean.conftest import Connect
from tests.digitalocean.provider import Reply, droplet, one_after_another, page_of, provider

ACCOUNT = Reply(
    body={"account": {"uuid": "u", "droplet_limit": 25, "status": "active", "email": "x@example.com"}}
)
BUSY = Reply(429, {"id": "too_many_requests", "message": "API rate limit exceeded."})
BROKEN = Reply(500, {"id": "server_error", "message": "Unexpected server-side error", "request_id": "r-1"})


@pytest.mark.parametrize(
    "fault",
    [
        BUSY,
        BROKEN,
        Reply(502, b"<html>Bad gateway</html>"),
        Reply(503, b""),
        Reply(504, b""),
        Reply(drop=True),
        Reply(body=ACCOUNT.body, cut=10),
        Reply(body=ACCOUNT.body, delay=0.6),
    ],
    ids=["429", "500", "502", "503", "504", "dropped", "cut off", "too late"],
)
def test_a_read_is_tried_again_after_a_passing_fault(connect: Connect, quick: None, fault: Reply) -> None:
    client, server = connect(one_after_another(fault, fault, ACCOUNT), timeout=0.3)
    assert client.account().droplet_limit == 25
    assert (len(server.seen), client.calls) == (3, 3)


def test_a_provider_that_is_not_there_is_unavailable_and_nothing_was_done(quick: None) -> None:
    with provider(lambda _seen: ACCOUNT) as server:
        url = server.url
    with DigitalOcean(base_url=url, budget=UnlimitedBudget()) as client:
        with pytest.raises(ProviderUnavailable, match="Connection refused") as read:
            client.account()
        assert client.calls == transport.ATTEMPTS
        with pytest.raises(ProviderUnavailable) as change:
            client.delete_droplet(1)
    assert (read.value.status, change.value.outcome_unknown) == (None, False)
    assert client.calls == transport.ATTEMPTS + 1


@pytest.mark.parametrize(
    "fault", [BUSY, BROKEN, Reply(503, b""), Reply(drop=True), Reply(body={}, cut=1), Reply(delay=0.6)]
)
@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_a_change_is_never_made_twice(connect: Connect, method: str, fault: Reply) -> None:
    client, server = connect(lambda _seen: fault, timeout=0.3)
    with pytest.raises(ProviderUnavailable) as caught:
        _change(client, method)
    assert len(server.seen) == client.calls == 1
    assert caught.value.outcome_unknown is (fault is not BUSY)


def _change(client: DigitalOcean, method: str) -> None:
    if method == "delete":
        client.delete("/v2/droplets/1")
    else:
        getattr(client, method)("/v2/projects", ProjectRecord, key="project", body={"name": "a"})


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_a_change_is_not_repeated_on_a_kept_connection_that_turns_out_dead(
    connect: Connect, method: str
) -> None:
    """The classic: the server ends an idle connection in the moment that we send on it."""
    client, server = connect(one_after_another(ACCOUNT, Reply(drop=True), ACCOUNT))
    client.account()
    with pytest.raises(ProviderUnavailable) as caught:
        _change(client, method)
    assert [seen.connection for seen in server.seen] == [1, 1]
    assert caught.value.outcome_unknown


def test_a_connection_that_was_closed_before_is_simply_replaced(connect: Connect) -> None:
    made = Reply(201, {"project": {"id": "p", "name": "a"}})
    client, server = connect(one_after_another(Reply(body=ACCOUNT.body, then_close=True), made))
    client.account()
    time.sleep(0.05)
    assert client.create_project(name="a", purpose="b").id == "p"
    assert [(seen.method, seen.connection) for seen in server.seen] == [("GET", 1), ("POST", 2)]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ProviderRejected),
        (401, ProviderForbidden),
        (403, ProviderForbidden),
        (404, ProviderNotFound),
        (409, ProviderRejected),
        (412, ProviderRejected),
        (422, ProviderRejected),
    ],
)
def test_a_refusal_has_the_providers_message_and_is_not_retried(
    connect: Connect, status: int, kind: type[ProviderError]
) -> None:
    told = {"id": "some_reason", "message": "Droplet already has a pending event.", "request_id": "4d9d8375"}
    client, server = connect(lambda _seen: Reply(status, told))
    with pytest.raises(kind) as caught:
        client.droplet(7)
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.error_id, error.request_id) == (status, "some_reason", "4d9d8375")
    assert error.message == "Droplet already has a pending event."
    assert str(error) == (
        f"GET /v2/droplets/7: {status} some_reason: Droplet already has a pending event. (request 4d9d8375)"
    )
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("reply", "error_id", "message"),
    [
        (Reply(422, {"error": "invalid", "messages": ["a", "b"], "root_causes": []}), "invalid", "a; b"),
        (
            Reply(403, b"<html>blocked</html>", {"content-type": "text/html"}),
            "",
            "Forbidden (20 bytes of text/html)",
        ),
        (Reply(400, b'{"id": "x'), "", "Bad Request (9 bytes of application/json)"),
        (Reply(400, ["odd"]), "", "Bad Request (7 bytes of application/json)"),
        (Reply(400, {"id": 7, "message": None, "messages": 3}), "7", "no reason was given"),
        (Reply(400, b"\xff\xfe"), "", "Bad Request (2 bytes of application/json)"),
        (Reply(400, b"[" * 100_000), "", "Bad Request (100000 bytes of application/json)"),
    ],
)
def test_an_error_of_any_shape_is_read(connect: Connect, reply: Reply, error_id: str, message: str) -> None:
    client, _ = connect(lambda _seen: reply)
    with pytest.raises(ProviderRejected) as caught:
        client.account()
    assert (caught.value.error_id, caught.value.message) == (error_id, message)


def test_the_request_id_is_found_in_the_header_too(connect: Connect) -> None:
    client, _ = connect(lambda _seen: Reply(404, {"id": "not_found"}, {"x-request-id": "from-header"}))
    with pytest.raises(ProviderNotFound, match=r"\(request from-header\)"):
        client.droplet(1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_redirect_is_not_followed(connect: Connect, status: int, method: str) -> None:
    with provider(lambda _seen: ACCOUNT) as elsewhere:
        client, server = connect(
            lambda _seen: Reply(status, b"", {"location": f"{elsewhere.url}/v2/account"})
        )
        with pytest.raises(ProviderRejected, match="redirected elsewhere"):
            getattr(client, method)("/v2/account", ProjectRecord)
        assert elsewhere.seen == []
        assert len(server.seen) == 1


def test_retry_after_is_waited_for(connect: Connect, quick: None) -> None:
    client, _ = connect(one_after_another(Reply(429, BUSY.body, {"retry-after": "1"}), ACCOUNT))
    started = time.monotonic()
    client.account()
    assert 1.0 <= time.monotonic() - started < 2.0


def test_a_wait_longer_than_the_time_given_ends_the_tries_at_once(connect: Connect) -> None:
    client, server = connect(lambda _seen: Reply(429, BUSY.body, {"retry-after": "60"}), give_up_after=5)
    started = time.monotonic()
    with pytest.raises(ProviderUnavailable, match="rate limit exceeded"):
        client.account()
    assert time.monotonic() - started < 1.0
    assert len(server.seen) == 1


def test_tries_stay_within_the_time_given(connect: Connect) -> None:
    client, server = connect(lambda _seen: BROKEN, give_up_after=1.0)
    started = time.monotonic()
    with pytest.raises(ProviderUnavailable, match=r"500 server_error: .* \(request r-1\)"):
        client.account()
    assert time.monotonic() - started < 1.5
    assert len(server.seen) >= 2


_NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("headers", "status", "seconds"),
    [
        ({"retry-after": "7"}, 429, 7.0),
        ({"retry-after": " 0 "}, 503, 0.0),
        ({"retry-after": "-5"}, 429, None),
        ({"retry-after": "3601"}, 429, 3600.0),
        ({"retry-after": "9" * 400}, 429, 3600.0),  # infinity, as a float
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, 503, 3600.0),
        ({"retry-after": f"Fri, 31 Dec {'9' * 40} 23:59:59 GMT"}, 503, None),
        ({"retry-after": "soon"}, 429, None),
        ({"retry-after": "²"}, 429, None),
        ({"retry-after": "soon", "ratelimit-reset": "1800000012"}, 429, 12.0),
        ({"ratelimit-reset": "1800000012"}, 429, 12.0),
        ({"ratelimit-reset": "1800000012"}, 503, None),
        ({"ratelimit-reset": "1799999000"}, 429, None),  # it has been seen in the past
        ({"ratelimit-reset": "1800003000"}, 429, None),  # the hour's oldest call, while the minute is spent
        ({"ratelimit-reset": "1e400"}, 429, None),
        ({}, 429, None),
    ],
)
def test_the_providers_seconds_to_wait_are_read(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], status: int, seconds: float | None
) -> None:
    monkeypatch.setattr("time.time", lambda: _NOW)
    assert responses.parse_retry_after(headers, status=status) == seconds


@pytest.mark.parametrize(("ahead", "at_least", "at_most"), [(20, 18.0, 20.0), (-20, 0.0, 0.0)])
def test_retry_after_may_be_a_date(ahead: int, at_least: float, at_most: float) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
    wait = responses.parse_retry_after({"retry-after": date}, status=503)
    assert wait is not None
    assert at_least <= wait <= at_most


def test_each_repetition_is_one_log_line(connect: Connect, quick: None) -> None:
    client, _ = connect(one_after_another(BROKEN, BROKEN, ACCOUNT))
    with structlog.testing.capture_logs() as lines:
        client.account()
    told = [
        (line["event"], line["call"], line["status"], line["attempt"], line["provider_request_id"])
        for line in lines
    ]
    assert told == [("provider_call_repeated", "GET /v2/account", 500, number, "r-1") for number in (1, 2)]
    # Ours is bound to the lines of a request: the provider's under its name would hide it.
    assert not any("request_id" in line for line in lines)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<!DOCTYPE html><p>Sign in", "not JSON: an HTML page"),
        (b'{"droplets": [{"id": 1', "cut off or garbled"),
        (b"", "an empty answer"),
        (b"\xff\xfe\x00", "cut off or garbled"),
        (b'{"droplets": [{"id": 1}], "x": "\xff"}', r"droplets\[0\] field name"),
        (b'{"droplets": [{"id": 1, "name": "\xff"}]}', "cut off or garbled"),
        (b"[]", "Expected `object`, got `array`"),
        (b"{}", "field droplets"),
        (b'{"droplets": {}}', "Expected `array"),
        (b'{"droplets": "x"}', "Expected `array"),
        (b'{"droplets": [7]}', r"droplets\[0\]: Expected `object`"),
        (b'{"x": ' + b"[" * 100_000, "cut off or garbled"),
    ],
)
def test_an_answer_that_is_no_list_is_malformed(connect: Connect, body: bytes, words: str) -> None:
    client, server = connect(lambda _seen: Reply(body=body))
    with pytest.raises(ProviderMalformed, match=words):
        list(client.droplets())
    assert len(server.seen) == 1


def test_a_change_with_a_garbled_response_may_have_been_made(connect: Connect) -> None:
    client, _ = connect(lambda _seen: Reply(202, b'{"droplet": {"id": 1'))
    with pytest.raises(ProviderMalformed) as made:
        client.create_droplet(name="a", region="fra1", size="s", image=1)
    with pytest.raises(ProviderMalformed) as read:
        client.droplet(1)
    assert (made.value.outcome_unknown, read.value.outcome_unknown) == (True, False)


def test_null_for_a_list_is_an_empty_one(connect: Connect) -> None:
    client, _ = connect(lambda _seen: Reply(body={"droplets": None, "meta": {"total": 0}}))
    assert list(client.droplets()) == []


def _with(number: int, **changes: object) -> dict[str, object]:
    return {name: value for name, value in droplet(number, **changes).items() if value != "gone"}


@pytest.mark.parametrize(
    ("bad", "item", "field"),
    [
        (_with(30, status="gone"), "droplets 30", "status"),
        (_with(30, size={"slug": "s", "price_monthly": 5}), "droplets 30", "size.price_hourly"),
        (_with(30, memory="much"), "droplets 30", "memory"),
        (_with(30, region=None), "droplets 30", "region"),
        (_with(30, created_at="2026-01-31T18:37:44"), "droplets 30", "created_at"),
        (_with(30, tags=[1]), "droplets 30", "tags[0]"),
        ({**_with(30), "id": "30"}, "droplets 30", "id"),
        ({**_with(30), "id": None}, "droplets web-30", "id"),
        ({}, "droplets[1]", "id"),
    ],
)
def test_an_item_that_lacks_what_we_need_is_named(
    connect: Connect, bad: dict[str, object], item: str, field: str
) -> None:
    client, _ = connect(lambda _seen: Reply(body=page_of("droplets", [droplet(29), bad, droplet(31)])))
    with pytest.raises(ProviderMalformed) as caught:
        list(client.droplets())
    assert (caught.value.item, caught.value.field) == (item, field)
    assert str(caught.value).startswith(f"GET /v2/droplets: {item} field {field}: ")


def test_an_answer_too_long_is_given_up(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "LONGEST_BODY_BYTES", 1_000_000)
    bomb = gzip.compress(b" " * 50_000_000)
    client, server = connect(lambda _seen: Reply(body=bomb, headers={"content-encoding": "gzip"}))
    with pytest.raises(ProviderMalformed, match="longer than 1000000 bytes"):
        client.account()
    assert len(server.seen) == 1


def test_a_server_that_drips_is_given_up(connect: Connect) -> None:
    client, _ = connect(lambda _seen: Reply(body=ACCOUNT.body, drip_seconds=0.05), give_up_after=0.5)
    started = time.monotonic()
    with pytest.raises(ProviderUnavailable, match="no answer within the time limit"):
        client.account()
    assert time.monotonic() - started < 1.5


def test_a_packed_answer_is_unpacked(connect: Connect) -> None:
    packed = gzip.compress(b'{"account": {"uuid": "u", "droplet_limit": 3, "status": "active"}}')
    client, server = connect(lambda _seen: Reply(body=packed, headers={"content-encoding": "gzip"}))
    assert client.account().droplet_limit == 3
    assert "gzip" in server.seen[0].headers["accept-encoding"]


@pytest.mark.parametrize(
    "url", ["", "api.digitalocean.com", "ftp://x", "http://", "http://user:pass@x", "http://x?y=1"]
)
def test_a_base_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        transport.Transport("SYNC", base_url=url, budget=UnlimitedBudget(), read_seconds=1, give_up_after=1)


def test_a_path_cannot_change_the_host(connect: Connect) -> None:
    client, server = connect(lambda _seen: ACCOUNT)
    for path in ("@example.com/v2/account", ".example.com/", ""):
        with pytest.raises(ValueError, match="slash"):
            client.get(path, ProjectRecord)
    assert server.seen == []


def test_what_goes_into_a_path_is_quoted(connect: Connect) -> None:
    client, server = connect(lambda _seen: Reply(body=page_of("resources", [])))
    assert list(client.project_resources("../account?x=1#")) == []
    assert server.seen[0].path == "/v2/projects/..%2Faccount%3Fx%3D1%23/resources"
