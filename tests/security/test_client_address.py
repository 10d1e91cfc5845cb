"""The client's address behind 0, 1 and 2 proxies, of those that set X-Forwarded-For and those that append."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from pytest_django import Settings

from arcadia_cloud.http.client_address import client_address

PROXY, INNER, CLIENT = "10.0.0.1", "10.0.0.2", "192.0.2.7"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (0, "", PROXY),
        (0, CLIENT, PROXY),  # nobody vouches for it
        (1, CLIENT, CLIENT),  # set, or appended to nothing
        (1, f"198.51.100.9, {CLIENT}", CLIENT),  # appended to what the client made up
        (1, f"198.51.100.9,198.51.100.8,{CLIENT}", CLIENT),
        (1, "", PROXY),
        (1, "unknown", PROXY),
        (1, "198.51.100.9, <script>", PROXY),
        (1, f"{CLIENT}:51034", CLIENT),
        (1, "[2001:DB8::7]:443", "2001:db8::7"),
        (1, "2001:db8:0::7", "2001:db8::7"),
        (2, f"{CLIENT}, {INNER}", CLIENT),  # the outer sets, the inner appends
        (2, f"198.51.100.9, {CLIENT}, {INNER}", CLIENT),  # both append
        (2, CLIENT, CLIENT),  # the inner one passes on what the outer one has set
        (2, f" , {CLIENT}, {INNER} ,", CLIENT),
    ],
)
def test_the_address_is_the_nth_from_the_right(
    settings: Settings, proxies: int, forwarded: str, found: str
) -> None:
    settings.ARCADIA_TRUSTED_PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert client_address(RequestFactory().get("/", REMOTE_ADDR=PROXY, headers=headers)) == found


def test_a_connection_without_an_address_is_this_machines() -> None:
    assert client_address(RequestFactory().get("/", REMOTE_ADDR="")) == "127.0.0.1"


def login(client: Client, password: str, forwarded: str) -> int:
    answer: Any = client.post(
        "/admin/login/",
        {"username": "anna", "password": password},
        REMOTE_ADDR=PROXY,
        headers={"X-Forwarded-For": forwarded},
    )
    return int(answer.status_code)


@pytest.mark.parametrize(("proxies", "behind"), [(1, ""), (2, f", {INNER}")])
@pytest.mark.django_db
def test_behind_proxies_one_client_is_locked_and_another_is_not(
    settings: Settings, client: Client, proxies: int, behind: str
) -> None:
    User.objects.create_user("anna", password="the-right-password-1", is_staff=True)
    settings.ARCADIA_TRUSTED_PROXIES = proxies
    for number in range(6):  # a new forged entry each time
        status = login(client, "wrong", f"198.51.100.{number}, {CLIENT}{behind}")
    assert status == 429
    assert login(Client(), "the-right-password-1", f"192.0.2.8{behind}") == 302
