"""Bad input: addresses that no page of the console links to."""

import socket
from typing import Any

import pytest
from django.test import Client, RequestFactory

from arcadia_cloud.wsgi import STALLED_SECONDS, application
from tests.console.conftest import Login
from tests.console.rows import ACCESS_LISTS, EVERY_LIST


@pytest.mark.parametrize("name", [*EVERY_LIST, *ACCESS_LISTS])
def test_a_null_in_a_filter_is_a_bad_request(login: Login, name: str) -> None:
    client = login("superuser")
    for parameter in ("q", "region", "tenant", "kind", "queue", "username", "state", "p"):
        assert client.get(f"/admin/{name}/", {parameter: "a\0b"}).status_code == 400, parameter


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
