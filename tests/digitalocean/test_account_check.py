"""The account of a token, checked before the token's first use, for every purpose."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from arcadia_cloud.digitalocean import account_check
from arcadia_cloud.digitalocean.account_check import account_checks
from arcadia_cloud.digitalocean.errors import (
    ProviderForbidden,
    ProviderMalformed,
    ProviderUnavailable,
    WrongAccount,
)
from arcadia_cloud.digitalocean.listing import Listing
from arcadia_cloud.digitalocean.records import AccountRecord, TagRecord
from tests.digitalocean.conftest import TOKEN, Connect
from tests.digitalocean.provider import Reply, Seen, droplet, page_of

OTHER_TOKEN = "dop_v1_" + "0dd" * 21 + "0"
TAGS = Listing("/v2/tags", "tags", TagRecord)
TEAMS = {TOKEN: "ours", OTHER_TOKEN: "theirs"}

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture(autouse=True)
def _check(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def require_ours(account: AccountRecord) -> None:
        if account.team_uuid != "ours":
            raise WrongAccount(f"the token belongs to account {account.team_uuid}")

    monkeypatch.setattr(account_checks, "check", require_ours)
    account_checks.forget()
    yield
    account_checks.forget()


def account_of(seen: Seen) -> Reply:
    team = TEAMS[seen.headers["authorization"].removeprefix("Bearer ")]
    record = {
        "uuid": "someone",
        "droplet_limit": 25,
        "status": "active",
        "team": {"uuid": team, "name": team},
    }
    return Reply(body={"account": record})


def answering(script: Callable[[Seen], Reply]) -> Callable[[Seen], Reply]:
    return lambda seen: account_of(seen) if seen.path == "/v2/account" else script(seen)


def asked(server: Any) -> list[tuple[str, str]]:
    return [(seen.method, seen.path) for seen in server.seen]


def tags(seen: Seen) -> Reply:
    number = int(seen.query.get("page", "1"))
    following = f"http://x/v2/tags?page={number + 1}" if number < 3 else ""
    return Reply(body=page_of("tags", [{"name": f"tag-{number}"}], next_address=following))


@pytest.mark.parametrize("purpose", ["SYNC", "BILLING", "PROVISIONING", "METERING"])
def test_a_token_of_another_account_is_never_used(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, purpose: str
) -> None:
    monkeypatch.setenv(f"DO_API_TOKEN_{purpose}", OTHER_TOKEN)
    client, server = connect(answering(tags), purpose=purpose)
    written: list[float] = []
    writer, written_server = connect(answering(tags), purpose=purpose, before_write=written.append)

    def read_csv() -> None:
        with client.invoice_csv("1f") as lines:
            list(lines)

    calls: list[tuple[Any, Callable[[], object]]] = [
        (server, lambda: list(client.pages(TAGS))),
        (server, client.balance),
        (server, read_csv),
        (written_server, lambda: writer.create_project(name="x", purpose="y")),
        (written_server, lambda: writer.delete_droplet(3164444)),
    ]
    for each, call in calls:
        each.seen.clear()
        with pytest.raises(WrongAccount, match="theirs"):
            call()
        assert asked(each) == [("GET", "/v2/account")]
    assert written == []


def test_the_account_is_asked_for_once_by_all_clients_of_a_token(connect: Connect) -> None:
    client, server = connect(answering(tags))
    assert [tag.name for tag in client.tags()] == ["tag-1", "tag-2", "tag-3"]
    assert list(client.tags())
    assert asked(server).count(("GET", "/v2/account")) == 1
    assert asked(server)[0] == ("GET", "/v2/account")
    assert client.calls == 7


def test_the_account_is_asked_for_again_after_an_hour(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, server = connect(answering(tags))
    list(client.tags())
    monkeypatch.setattr(account_check, "KNOWN_SECONDS", -1.0)
    list(client.tags())
    assert asked(server).count(("GET", "/v2/account")) == 4  # by then before each of the three pages


def test_a_token_that_is_swapped_between_pages_reads_no_further(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, server = connect(answering(tags))
    pages = client.pages(TAGS)
    assert next(pages).items[0].name == "tag-1"
    monkeypatch.setenv("DO_API_TOKEN", OTHER_TOKEN)
    with pytest.raises(WrongAccount):
        next(pages)
    assert asked(server) == [("GET", "/v2/account"), ("GET", "/v2/tags"), ("GET", "/v2/account")]


def test_a_token_that_is_swapped_between_two_attempts_is_not_used(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swapped(_seen: Seen) -> Reply:
        monkeypatch.setenv("DO_API_TOKEN", OTHER_TOKEN)
        return Reply(503)

    client, server = connect(answering(swapped))
    with pytest.raises(WrongAccount):
        client.droplet(3164444)
    assert asked(server) == [("GET", "/v2/account"), ("GET", "/v2/droplets/3164444"), ("GET", "/v2/account")]


def test_the_token_that_was_checked_is_the_one_that_is_sent(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swapped_in_time(seen: Seen) -> Reply:
        if seen.path == "/v2/account":
            monkeypatch.setenv("DO_API_TOKEN", OTHER_TOKEN)  # after the check, before the call
            return account_of(seen)
        return Reply(body={"droplet": droplet(3164444)})

    client, server = connect(swapped_in_time)
    assert client.droplet(3164444).id == 3164444
    assert {seen.headers["authorization"] for seen in server.seen} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(401, {"id": "unauthorized", "message": "Unable to authenticate you"}), ProviderForbidden),
        (Reply(403, {"id": "forbidden", "message": "You lack account:read"}), ProviderForbidden),
        (Reply(503), ProviderUnavailable),
        (Reply(body={"account": {"uuid": " "}}), ProviderMalformed),
        (Reply(body={}), ProviderMalformed),
    ],
)
def test_a_token_whose_account_is_not_known_is_not_used(
    connect: Connect, reply: Reply, error: type[Exception]
) -> None:
    client, server = connect(lambda seen: reply if seen.path == "/v2/account" else tags(seen))
    with pytest.raises(error):
        list(client.tags())
    assert {path for _, path in asked(server)} == {"/v2/account"}


def test_an_account_that_answers_again_is_believed(connect: Connect) -> None:
    replies = iter([Reply(503), Reply(429, headers={"retry-after": "0"})])
    client, server = connect(
        lambda seen: next(replies, account_of(seen)) if seen.path == "/v2/account" else tags(seen)
    )
    assert len(list(client.tags())) == 3
    assert asked(server).count(("GET", "/v2/account")) == 3


def test_a_token_that_fails_a_new_check_is_not_used_again(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, server = connect(answering(tags))
    list(client.tags())
    monkeypatch.setitem(TEAMS, TOKEN, "theirs")
    with pytest.raises(WrongAccount):
        client.verify_account()
    server.seen.clear()
    with pytest.raises(WrongAccount):
        list(client.tags())
    assert asked(server) == [("GET", "/v2/account")]


def test_threads_that_begin_at_once_each_have_a_checked_token(connect: Connect) -> None:
    clients = [connect(answering(tags)) for _ in range(4)]
    together = threading.Barrier(len(clients))
    found: list[int] = []

    def read(number: int) -> None:
        together.wait(5)
        found.append(len(list(clients[number][0].tags())))

    threads = [threading.Thread(target=read, args=[number]) for number in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [3, 3, 3, 3]
    for _, server in clients:
        assert asked(server)[0] == ("GET", "/v2/account")
