"""The console's pages of errors: in its looks, in words, and with a way back."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from tests.console.conftest import Login
from tests.console.crawl import facts_of

MISSING = "/admin/no/such/page/"


@pytest.mark.parametrize(
    ("address", "status", "heading"),
    [
        ("/admin/inventory/resource/?o=%00", 400, "This request can't be understood"),
        ("/admin/auth/user/", 403, "You may not do this"),
        (MISSING, 404, "There is nothing at this address"),
        ("/elsewhere", 404, "There is nothing at this address"),
    ],
)
def test_a_refusal_is_a_page_that_leads_back(viewer: Client, address: str, status: int, heading: str) -> None:
    answer = viewer.get(address)

    assert answer.status_code == status
    assert_leads_back(answer.content.decode(), heading)
    assert "style-src 'self'" in answer.headers["Content-Security-Policy"]


def test_an_error_of_ours_is_a_page_that_leads_back(
    login: Login, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = login("viewer")
    client.raise_request_exception = False
    # A template that isn't there: the next best error that no test of ours relies on.
    monkeypatch.setattr("django.contrib.admin.site.index_template", "no/such/template.html")

    answer = client.get("/admin/")

    assert answer.status_code == 500
    assert_leads_back(answer.content.decode(), "Something went wrong here")


def test_a_form_of_another_login_is_refused_in_words(db: None) -> None:
    User.objects.create_user("someone", is_staff=True)

    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "someone", "password": "x"})

    assert answer.status_code == 403
    assert_leads_back(answer.content.decode(), "This form is no longer valid")


def assert_leads_back(html: str, heading: str) -> None:
    """The page has a heading, a style of ours, a landmark and a link home."""
    facts = facts_of(html)
    assert facts.headings == [heading]
    assert facts.links == ["/admin/"]
    assert facts.landmarks["main"] == 1
    assert '<link rel="stylesheet" href="/static/console/error.css">' in html
