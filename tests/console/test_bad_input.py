"""Bad input: addresses that no page of the console links to."""

import socket
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory

from arcadia_cloud.kernel.console.records import BoundedAdmin
from arcadia_cloud.wsgi import STALLED_SECONDS, application
from tests.console.conftest import Login
from tests.console.rows import ACCESS_LISTS, EVERY_LIST


@pytest.mark.parametrize("name", [*EVERY_LIST, *ACCESS_LISTS])
def test_a_null_in_a_filter_is_a_bad_request(login: Login, name: str) -> None:
    client = login("superuser")
    for parameter in ("q", "region", "tenant", "kind", "queue", "username", "state", "p"):
        assert client.get(f"/admin/{name}/", {parameter: "a\0b"}).status_code == 400, parameter


CRAFTED = (
    "id__range=9",
    "pk__range=1,2,3",
    "id__in=x",
    "name__regex=[",
    "slug__iregex=(",
    "message__regex=*",
    "tags__contains=x",
    "tags=x",
    "subjects=x",
    "attrs__a__b=1",
    "created_at__date=x",
    "started_at__gte=yesterday",
    "last_seen_at=x",
    "pk__exact=99999999999999999999999",
    "id=99999999999999999999999",
    "id__isnull=perhaps",
    "resource__id__exact=x",
    "user__password__startswith=pbkdf2",
    "__=1",
    "p=1e9",
    "p=99999999999999999999",
    "o=9.9.9.-9",
    "o=x",
    "q=%ff%fe",
    "state=%ed%a0%80",
    "_to_field=x",
    "_facets=1&e=1",
)


@pytest.mark.parametrize(("number", "name"), list(enumerate([*EVERY_LIST, *ACCESS_LISTS])))
def test_a_crafted_query_is_refused_and_no_error_of_ours(
    request: pytest.FixtureRequest, login: Login, number: int, name: str
) -> None:
    """A third of them on each list, in turn; all on all with `--matrix`."""
    client = login("superuser")
    whole = request.config.getoption("--matrix")
    for query in CRAFTED if whole else CRAFTED[number % 3 :: 3]:
        assert client.get(f"/admin/{name}/?{query}").status_code in {200, 302, 400}, query


@pytest.mark.parametrize("name", [*EVERY_LIST, *ACCESS_LISTS])
def test_a_crafted_address_of_a_row_is_no_error_of_ours(login: Login, name: str) -> None:
    client = login("superuser")
    for key in ("a%00b", "%00", "99999999999999999999999", "x", "_5F", "%ff", "-1", "1e3"):
        for page in ("change", "history", "delete"):
            answer = client.get(f"/admin/{name}/{key}/{page}/")
            assert answer.status_code in {302, 400, 403, 404}, (key, page)


@pytest.mark.parametrize("key", ["x", "99999999999999999999999", "-1e3", "\0", ""])
def test_an_action_on_what_is_no_row_is_no_error_of_ours(login: Login, key: str) -> None:
    client = login("superuser")
    for name, action in (
        ("inventory/resource", "assign_selected"),
        ("kernel/alert", "resolve_selected"),
        ("provisioning/sagarun", "retry_selected"),
        ("billing/providerinvoice", "push_selected"),
        ("django_celery_beat/periodictask", "run_now"),
        ("axes/accessattempt", "unlock_selected"),
    ):
        form = {"action": action, "_selected_action": [key]}
        assert client.post(f"/admin/{name}/", form).status_code in {302, 400}, name


def test_a_dialog_of_what_is_no_row_is_no_error_of_ours(login: Login) -> None:
    client = login("superuser")
    for key in ("99999999999999999999999", "x", "%00"):
        for page in (
            f"kernel/alert/{key}/resolve_this",
            f"provisioning/sagarun/{key}/retry_this",
            f"billing/providerinvoice/{key}/accept_this",
            f"provisioning/protectedresource/protect/{key}",
        ):
            form = {"note": "x", "difference": "", "_form_sent": "1"}
            for answer in (client.get(f"/admin/{page}/"), client.post(f"/admin/{page}/", form)):
                assert answer.status_code in {200, 302, 400, 404}, page


ADDED_BY_HAND = sorted(
    f"{model._meta.app_label}/{model._meta.model_name}"
    for model, page in admin.site._registry.items()
    if isinstance(page, BoundedAdmin) and type(page).has_add_permission is not BoundedAdmin.has_add_permission
)


@pytest.mark.parametrize("name", ADDED_BY_HAND)
def test_a_form_of_nonsense_is_answered_by_what_is_wrong(login: Login, name: str) -> None:
    client = login("superuser")
    shown = client.get(f"/admin/{name}/add/")
    if shown.status_code == 403:
        return  # it is made by an action of another page
    fields = shown.context["adminform"].form.fields
    totals = {
        f"{formset.formset.prefix}-{field}": "0"
        for formset in shown.context["inline_admin_formsets"]
        for field in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    for value in ("", "x", "-1", "NaN", "9" * 30, "9999-12-31", "{}"):
        answer = client.post(f"/admin/{name}/add/", {**dict.fromkeys(fields, value), **totals})
        # Some of it is a fine code, and of that a row is made.
        assert answer.status_code == 302 or answer.context["errors"], value


def test_a_null_in_a_form_is_no_error_of_ours(client: Client, db: None) -> None:
    answer = client.post("/admin/login/", {"username": "a\0", "password": "\0"})
    assert answer.status_code == 200


def test_a_client_that_stalls_does_not_keep_its_thread(transactional_db: None) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        environ = {**RequestFactory().get("/api/health").environ, "gunicorn.socket": ours}
        answer: Any = application(environ, lambda *_told: None)
        assert b"ok" in b"".join(answer)
        answer.close()
        assert ours.gettimeout() == STALLED_SECONDS
