"""The login: locked after too many wrong passwords, by name and address."""

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.test import Client

from tests.console.conftest import Login

LOGIN = "/admin/login/"
RIGHT = "the-right-password-1"


@pytest.fixture(autouse=True)
def _staff(db: None) -> None:
    User.objects.create_user("anna", password=RIGHT, is_staff=True)
    User.objects.create_user("berta", password=RIGHT, is_staff=True)


def attempt(client: Client, name: str, password: str, address: str = "192.0.2.1") -> int:
    return client.post(LOGIN, {"username": name, "password": password}, REMOTE_ADDR=address).status_code


def test_five_wrong_passwords_lock_the_login_even_for_the_right_one(client: Client) -> None:
    for _ in range(5):
        attempt(client, "anna", "wrong")

    answer = client.post(LOGIN, {"username": "anna", "password": RIGHT}, REMOTE_ADDR="192.0.2.1")

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "900"
    text = answer.content.decode()
    assert "Too many wrong passwords" in text
    assert "refused for 15 minutes" in text
    assert client.get("/admin/").status_code == 302


def test_a_login_leads_home_or_to_where_it_was_asked_for(client: Client) -> None:
    form = {"username": "anna", "password": RIGHT}

    assert client.post(LOGIN, form).headers["Location"] == "/admin/"
    asked = client.post(f"{LOGIN}?next=/admin/kernel/alert/", form)
    elsewhere = client.post(f"{LOGIN}?next=https://example.org/", form)
    assert asked.headers["Location"] == "/admin/kernel/alert/"
    assert elsewhere.headers["Location"] == "/admin/"


def test_four_wrong_passwords_lock_nothing(client: Client) -> None:
    for _ in range(4):
        assert attempt(client, "anna", "wrong") == 200

    assert attempt(client, "anna", RIGHT) == 302


def test_the_lock_is_of_a_name_at_an_address(client: Client) -> None:
    for _ in range(5):
        attempt(client, "anna", "wrong")

    assert attempt(client, "berta", RIGHT) == 302
    assert attempt(Client(), "anna", RIGHT, address="192.0.2.2") == 302


def test_a_forged_forwarded_address_does_not_escape_the_lock(client: Client) -> None:
    for number in range(6):
        status = client.post(
            LOGIN,
            {"username": "anna", "password": "wrong"},
            REMOTE_ADDR="192.0.2.1",
            HTTP_X_FORWARDED_FOR=f"198.51.100.{number}",
        ).status_code

    assert status == 429


def test_an_admin_unlocks(client: Client, login: Login) -> None:
    for _ in range(5):
        attempt(client, "anna", "wrong")
    locked = AccessAttempt.objects.get()

    login("admin").post(
        "/admin/axes/accessattempt/", {"action": "unlock_selected", "_selected_action": [locked.pk]}
    )

    assert attempt(client, "anna", RIGHT) == 302


def test_who_isnt_staff_does_not_get_in(client: Client) -> None:
    User.objects.create_user("tenant", password=RIGHT)

    assert attempt(client, "tenant", RIGHT) == 200
    assert client.get("/admin/").status_code == 302


def test_the_login_form_needs_its_token() -> None:
    strict = Client(enforce_csrf_checks=True)

    assert strict.post(LOGIN, {"username": "anna", "password": RIGHT}).status_code == 403
